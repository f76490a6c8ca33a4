/**
 * GET /v1/stats: SSL_CTX_sess_* and all other counters, with at most one level of nesting, and the module that answers. Each
 * number is exact over all workers when it is read; together they are not a snapshot.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { EventCause, eventCauseName } from "../../session/record/event_cause";
import { Issuer } from "../../session/issuers";
import {
  FATES,
  fateName,
  KINDS,
  kindIndexName,
  Metric,
  METRICS,
  Outcome,
  OUTCOMES,
} from "../../session/counting/statistics";
import { parseErrorLabel, protocolName, PROTOCOLS, REFUSAL_CAUSES } from "../../session/counting/statistics";
import { SteeringReport } from "../../steering/setup/report";
import { TABLE_PAGES } from "../../shared/table";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { writeModule } from "../answers/module_json";
import { writeSteering } from "../answers/steering_json";

export class StatisticsRoute extends Route {
  constructor(
    private readonly cache: Cache,
    private readonly steering: SteeringReport | null,
  ) {
    super("/v1/stats", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    this.cache.metrics.refresh();
    const json = response.begin(200);
    json.beginObject();
    const number = this.cache.number();
    const counts = this.cache.counts;
    json.name("number");
    json.number(number);
    json.name("cache_size");
    json.number(this.cache.settings.cacheSize);
    this.member(json, "accept", Metric.ACCEPT);
    this.member(json, "accept_good", Metric.ACCEPT_GOOD);
    this.member(json, "hits", Metric.HITS);
    this.member(json, "misses", Metric.MISSES);
    this.member(json, "timeouts", Metric.TIMEOUTS);
    this.member(json, "cache_full", Metric.CACHE_FULL);
    this.member(json, "adds", Metric.ADDS);
    this.member(json, "replaces", Metric.REPLACES);
    this.member(json, "removes", Metric.REMOVES);
    this.member(json, "refused", Metric.REFUSED);
    this.member(json, "diverted", Metric.DIVERTED);
    this.member(json, "declined", Metric.DECLINED);
    this.member(json, "lost", Metric.LOST);
    this.member(json, "expired", Metric.EXPIRED);
    this.member(json, "flushed", Metric.FLUSHED);
    json.name("tombstones");
    json.number(counts.tombstones);
    const configured = this.cache.configured.set;
    json.name("configured_removals");
    json.beginObject();
    json.name("sessions");
    json.number(configured.sessions);
    json.name("ticket_keys");
    json.number(configured.ticketKeys);
    json.name("server_names");
    json.number(configured.serverNames);
    json.endObject();
    json.name("saturated_pages");
    json.number(counts.saturatedPages);
    this.member(json, "corrupted_pages", Metric.CORRUPTED_PAGES);
    this.member(json, "cas_conflicts", Metric.CAS_CONFLICTS);
    this.member(json, "failed", Metric.FAILED);
    this.member(json, "not_tls", Metric.NOT_TLS);
    this.member(json, "unwatched", Metric.UNWATCHED);
    this.member(json, "events_lost", Metric.EVENTS_LOST);
    this.member(json, "event_posts_failed", Metric.EVENT_POSTS_FAILED);
    this.member(json, "early_data_dropped", Metric.EARLY_DATA_DROPPED);
    this.member(json, "unfollowed", Metric.UNFOLLOWED);
    this.member(json, "renegotiations", Metric.RENEGOTIATIONS);
    this.member(json, "host_calls_failed", Metric.HOST_CALLS_FAILED);
    this.writeNeverResume(json);
    this.writeByCause(json, "refused_for", Metric.REFUSED_FOR);
    this.writeByCause(json, "diverted_for", Metric.DIVERTED_FOR);
    this.writeResumed(json);
    this.writeFull(json);
    this.writeResumptions(json);
    this.writeNotStored(json);
    this.writeParseErrors(json);
    json.name("steering");
    const steering = this.steering;
    writeSteering(json, steering ? steering.states() : []);
    json.name("module");
    json.beginObject();
    const registrations = this.cache.settings.registrations;
    writeModule(json, registrations.version, registrations.build);
    json.endObject();
    json.endObject();
  }

  private member(json: JsonWriter, name: string, metric: i32): void {
    json.name(name);
    json.number(this.cache.metrics.read(metric));
  }

  /**
   * Writes at most MAX_NAMED upstreams that resume none of their own sessions, without those of pages that cannot be read.
   */
  private writeNeverResume(json: JsonWriter): void {
    json.name("never_resume");
    json.beginArray();
    const table = this.cache.issuers.table;
    let named = 0;
    for (let page: u32 = 0; page < TABLE_PAGES; page++) {
      if (!table.openPage(page)) continue;
      let row = table.first();
      while (row && named < MAX_NAMED) {
        if (row.state == Issuer.NEVER_RESUMES) {
          json.bytes(row.name, row.nameLength);
          named++;
        }
        row = table.after(row);
      }
    }
    json.endArray();
  }

  /** Writes an object of metrics, one for each cause of refusals; `first` is the first one's number. */
  private writeByCause(json: JsonWriter, name: string, first: i32): void {
    json.name(name);
    json.beginObject();
    for (let cause = 0; cause < REFUSAL_CAUSES; cause++) {
      this.member(json, eventCauseName(EventCause.SESSION + <u8>cause), first + cause);
    }
    json.endObject();
  }

  private writeResumed(json: JsonWriter): void {
    json.name("resumed");
    json.beginObject();
    json.name("id");
    json.number(this.overProtocols(Outcome.RESUMED_ID));
    json.name("ticket");
    json.number(this.overProtocols(Outcome.RESUMED_TICKET));
    json.name("psk");
    json.number(this.overProtocols(Outcome.RESUMED_PSK));
    json.endObject();
    json.name("resumed_by_protocol");
    json.beginObject();
    for (let protocol = 0; protocol < PROTOCOLS; protocol++) {
      let resumed: u64 = 0;
      for (let outcome = Outcome.RESUMED_ID; outcome <= Outcome.RESUMED_PSK; outcome++) {
        resumed += this.handshakes(protocol, outcome);
      }
      json.name(protocolName(protocol));
      json.number(resumed);
    }
    json.endObject();
  }

  private writeFull(json: JsonWriter): void {
    json.name("full");
    json.beginObject();
    for (let protocol = 0; protocol < PROTOCOLS; protocol++) {
      json.name(protocolName(protocol));
      json.number(this.handshakes(protocol, Outcome.FULL));
    }
    json.endObject();
    json.name("full_by_kind");
    json.beginObject();
    this.member(json, "id", Metric.FULL_BY_KIND);
    this.member(json, "ticket", Metric.FULL_BY_KIND + 1);
    this.member(json, "none", Metric.FULL_BY_KIND + 2);
    json.endObject();
  }

  /** Writes the offers and their fates, each by kind. */
  private writeResumptions(json: JsonWriter): void {
    json.name("resumptions_offered");
    this.writeByKind(json, Metric.OFFERED, 1);
    for (let fate = 0; fate < FATES; fate++) {
      json.name("resumptions_" + fateName(fate));
      this.writeByKind(json, Metric.RESUMPTIONS + fate, FATES);
    }
  }

  /** Writes an object of metrics, one for each kind; `distance` is between their numbers. */
  private writeByKind(json: JsonWriter, first: i32, distance: i32): void {
    json.beginObject();
    for (let kind = 0; kind < KINDS; kind++) this.member(json, kindIndexName(kind), first + kind * distance);
    json.endObject();
  }

  private writeNotStored(json: JsonWriter): void {
    json.name("not_stored");
    json.beginObject();
    this.member(json, "contended", Metric.NOT_STORED_CONTENDED);
    this.member(json, "no_room", Metric.NOT_STORED_NO_ROOM);
    this.member(json, "removed", Metric.NOT_STORED_REMOVED);
    json.endObject();
  }

  private writeParseErrors(json: JsonWriter): void {
    json.name("parse_errors");
    json.beginObject();
    // The first means no error.
    for (let metric = Metric.PARSE_ERRORS + 1; metric < METRICS; metric++) {
      this.member(json, parseErrorLabel(metric - Metric.PARSE_ERRORS), metric);
    }
    json.endObject();
  }

  private overProtocols(outcome: i32): u64 {
    let sum: u64 = 0;
    for (let protocol = 0; protocol < PROTOCOLS; protocol++) sum += this.handshakes(protocol, outcome);
    return sum;
  }

  private handshakes(protocol: i32, outcome: i32): u64 {
    return this.cache.metrics.read(Metric.HANDSHAKES + protocol * OUTCOMES + outcome);
  }
}

const MAX_NAMED: i32 = 254;
