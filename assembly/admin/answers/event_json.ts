/** Events and their marks as the API shows them. Unknown values are null. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Event, EventType, eventTypeName, lossCauseName, LOSS_CAUSES } from "../../session/events/event";
import { eventCauseName } from "../../session/record/event_cause";
import { EventLog, EventReader } from "../../session/events/event_log";
import { Deadline } from "../../work/job";
import { ListCursor } from "../listing/list_cursor";
import { EventFilter } from "../fields/event_filter";

/** Writes at most `limit` events that match a filter, and the mark to go on with; in slices if there is a deadline. */
export class EventList {
  private shown: i32 = 0;

  constructor(
    private readonly json: JsonWriter,
    private readonly reader: EventReader,
    private readonly filter: EventFilter,
    private readonly limit: i32,
    private readonly marks: EventMarks,
  ) {
    json.beginObject();
    json.name("events");
    json.beginArray();
  }

  /** Goes on until the list is complete (true) or the deadline has passed (false). */
  step(deadline: Deadline | null): bool {
    const reader = this.reader;
    for (let looked = 1; this.shown < this.limit; looked++) {
      const event = reader.next();
      if (!event) break;
      if (this.filter.matches(event)) {
        writeEvent(this.json, event, this.marks.of(reader.sequence));
        this.shown++;
      }
      if (looked % EVENTS_BETWEEN_LOOKS == 0 && deadline && deadline.passed) return false;
    }
    this.end();
    return true;
  }

  private end(): void {
    const json = this.json;
    const reader = this.reader;
    json.endArray();
    json.name("next");
    json.string(this.marks.of(reader.sequence));
    json.name("missed");
    json.number(reader.missed);
    if (reader.missed > 0) {
      json.name("missed_for");
      json.beginObject();
      for (let cause = 0; cause < LOSS_CAUSES; cause++) {
        if (reader.missedOf(cause) == 0) continue;
        json.name(lossCauseName(cause));
        json.number(reader.missedOf(cause));
      }
      json.endObject();
    }
    json.endObject();
  }
}

/** The marks of a log: cursors whose `page` identifies the log and whose `version` is the sequence number. */
export class EventMarks {
  /** Differs between the logs of different processes. */
  private readonly making: u32;
  private readonly binding: string;

  /** `log` is loaded. */
  constructor(cache: Cache, log: EventLog) {
    this.making = <u32>(log.making ^ (log.making >> 32));
    this.binding = cache.settings.cacheName + "\n" + BINDING;
  }

  of(sequence: u64): string {
    const mark = new ListCursor(this.binding);
    mark.page = this.making;
    mark.version = sequence;
    return mark.text();
  }

  /**
   * Returns the sequence number of a mark of this log, 0 for a mark of an earlier process, -1 for any other text. Accepts
   * marks of older modules, which did not bind them to the cache, if they are of this log.
   */
  sequenceOf(text: string): i64 {
    const mark = new ListCursor(this.binding);
    if (mark.read(text)) return mark.page == this.making ? <i64>mark.version : 0;
    const unbound = new ListCursor(BINDING);
    return unbound.read(text) && unbound.page == this.making ? <i64>unbound.version : -1;
  }
}

function writeEvent(json: JsonWriter, event: Event, mark: string): void {
  json.beginObject();
  json.name("seq");
  json.string(mark);
  json.name("type");
  json.string(eventTypeName(event.type));
  json.name("id");
  // The session of an unfollowed resumption is unknown.
  if (event.idLength > 0) json.hex(event.id, event.idLength);
  else json.nothing();
  json.name("time");
  json.number(event.time);
  json.name("cause");
  json.string(eventCauseName(event.cause));
  json.name("sni");
  writeText(json, event.sni, event.sniLength);
  json.name("upstream");
  writeText(json, event.upstream, event.upstreamLength);
  json.name("client");
  writeText(json, event.client, event.clientLength);
  if (event.type == EventType.REMOVED) {
    json.name("held");
    json.boolean(event.held);
  }
  json.endObject();
}

function writeText(json: JsonWriter, text: usize, length: i32): void {
  if (length > 0) json.bytes(text, length);
  else json.nothing();
}

const BINDING: string = "/v1/events";
/** About 10 us of work; 30 if all events are shown. */
const EVENTS_BETWEEN_LOOKS: i32 = 8;
