/**
 * The metrics of a cache: their numbers and their names. A name is a family in Prometheus naming, followed by pairs of label
 * and value; all families share the prefix `tls_session_cache_`.
 *
 * Metrics belong to the process, by name: they begin with the process, not with the cache. While a hot restart lasts, Envoy
 * adds the old process's gauges to those of the new one, and its counts to the new one's counters. So nothing is ever
 * decided by them.
 */
import { PARSE_ERRORS, parseErrorName } from "../../tls/wire/parse_error";
import { EventCause, eventCauseName } from "../record/event_cause";
import { FIRST_PROTOCOL, KIND_NAMES, PROTOCOL_NAMES } from "../record/protocol_names";
import { Kind } from "../record/session";

export const PROTOCOLS: i32 = 5;
export const OUTCOMES: i32 = 4;
export const KINDS: i32 = 3;
export const FATES: i32 = 6;
/** A removed session, ticket key or server name; `strict`; and clients whose offers could not be followed. */
export const REFUSAL_CAUSES: i32 = 5;

export namespace Metric {
  // Gauges.
  export const SESSIONS: i32 = 0;
  export const CACHE_SIZE: i32 = 1;
  export const TOMBSTONES: i32 = 2;
  export const SATURATED_PAGES: i32 = 3;
  /** Names of ticket keys that are removed, those of configurations included. */
  export const REMOVED_TICKET_KEYS: i32 = 4;
  /** Server names that are revoked, those of configurations included. */
  export const REVOKED_NAMES: i32 = 5;
  // Fates of offered sessions.
  export const HITS: i32 = 6;
  export const MISSES: i32 = 7;
  export const TIMEOUTS: i32 = 8;
  export const DECLINED: i32 = 9;
  export const LOST: i32 = 10;
  export const REFUSED: i32 = 11;
  // Changes of the cache.
  export const ADDS: i32 = 12;
  export const REPLACES: i32 = 13;
  export const REMOVES: i32 = 14;
  export const CACHE_FULL: i32 = 15;
  export const EXPIRED: i32 = 16;
  export const FLUSHED: i32 = 17;
  export const NOT_STORED_CONTENDED: i32 = 18;
  export const NOT_STORED_NO_ROOM: i32 = 19;
  export const NOT_STORED_REMOVED: i32 = 20;
  export const CAS_CONFLICTS: i32 = 21;
  // Seen on the wire.
  export const ACCEPT: i32 = 22;
  export const ACCEPT_GOOD: i32 = 23;
  export const FAILED: i32 = 24;
  export const NOT_TLS: i32 = 25;
  export const UNWATCHED: i32 = 26;
  /** Events that never reached the log. */
  export const EVENTS_LOST: i32 = 27;
  export const EVENT_POSTS_FAILED: i32 = 28;
  /** Connections whose early data was dropped. */
  export const EARLY_DATA_DROPPED: i32 = 29;
  /** Pages that were damaged: see `pages.ts`. */
  export const CORRUPTED_PAGES: i32 = 30;
  /** Clients whose offers could not be followed, or not all of them. */
  export const UNFOLLOWED: i32 = 31;
  /** Handshakes that began inside a connection of TLS <= 1.2. */
  export const RENEGOTIATIONS: i32 = 32;
  /** Host calls that enforcement needs, and that failed: the connection was closed. */
  export const HOST_CALLS_FAILED: i32 = 33;
  /** Offers that were steered away from their issuer, which would have refused them, and ended in a full handshake. */
  export const DIVERTED: i32 = 34;
  /** Names of ticket keys that were new when they were learned. */
  export const TICKET_KEYS_LEARNED: i32 = 35;
  /** Reads of pages that a later module has made: see `pages.ts`. */
  export const LATER_PAGES: i32 = 36;
  /** Plus an index of REFUSAL_CAUSES. */
  export const REFUSED_FOR: i32 = 37;
  /** Plus an index of REFUSAL_CAUSES. */
  export const DIVERTED_FOR: i32 = REFUSED_FOR + REFUSAL_CAUSES;
  /** Plus an index of protocol (0 to 4) times OUTCOMES plus an `Outcome`. */
  export const HANDSHAKES: i32 = DIVERTED_FOR + REFUSAL_CAUSES;
  export const FULL_BY_KIND: i32 = HANDSHAKES + PROTOCOLS * OUTCOMES;
  /** Plus an index of kind (0 to 2). */
  export const OFFERED: i32 = FULL_BY_KIND + KINDS;
  /** Plus an index of kind (0 to 2) times FATES plus a `Fate`. */
  export const RESUMPTIONS: i32 = OFFERED + KINDS;
  /** Plus a `ParseError`. */
  export const PARSE_ERRORS: i32 = RESUMPTIONS + KINDS * FATES;
}

/** How a handshake ended: in full, or resumed by one of the kinds. */
export namespace Outcome {
  export const FULL: i32 = 0;
  export const RESUMED_ID: i32 = 1;
  export const RESUMED_TICKET: i32 = 2;
  export const RESUMED_PSK: i32 = 3;
}

/**
 * The fate of a session that was offered to a server. Each session that is counted as offered has one of these as soon as it
 * is decided.
 */
export namespace Fate {
  /** The server resumed it. */
  export const ACCEPTED: i32 = 0;
  /** A server that had not issued it declined it. */
  export const LOST: i32 = 1;
  /** A server declined it that had issued it, as far as is known. */
  export const DECLINED: i32 = 2;
  /** It was refused here. */
  export const REFUSED: i32 = 3;
  /** The handshake ended before that was decided. */
  export const FAILED: i32 = 4;
  /** Its issuer would have refused it, so it was steered to another server, which did a full handshake. */
  export const DIVERTED: i32 = 5;
}

export const METRICS: i32 = Metric.PARSE_ERRORS + PARSE_ERRORS;

/** The first GAUGES metrics are gauges, the others counters. */
export const GAUGES: i32 = 6;

/** The names of all metrics of a cache, by their numbers. */
export function metricNames(cacheName: string): StaticArray<string> {
  const names = new StaticArray<string>(METRICS);
  for (let metric = 0; metric < METRICS; metric++) names[metric] = metricName(metric, cacheName);
  return names;
}

/** The metric of handshakes of a protocol (as on the wire) with an `Outcome`. */
export function handshakes(protocol: u16, outcome: i32): i32 {
  return Metric.HANDSHAKES + protocolIndex(protocol) * OUTCOMES + outcome;
}

/** The metric of full handshakes that issued a session of a `Kind` (an ID or a ticket); 0: none that was seen. */
export function fullByKind(issued: u8): i32 {
  return Metric.FULL_BY_KIND + (issued == Kind.ID ? 0 : issued == Kind.TICKET ? 1 : 2);
}

/** The metric of refusals for a cause: one of `EventCause`, from SESSION on. */
export function refusedFor(cause: u8): i32 {
  return Metric.REFUSED_FOR + <i32>(cause - EventCause.SESSION);
}

/** The metric of diversions for a cause: one of `EventCause`, from SESSION on. */
export function divertedFor(cause: u8): i32 {
  return Metric.DIVERTED_FOR + <i32>(cause - EventCause.SESSION);
}

/** The metric of sessions of a `Kind` that were offered. */
export function offered(kind: u8): i32 {
  return Metric.OFFERED + kindIndex(kind);
}

/** The metric of offered sessions of a `Kind` with a `Fate`. */
export function resumptions(kind: u8, fate: i32): i32 {
  return Metric.RESUMPTIONS + kindIndex(kind) * FATES + fate;
}

export function kindIndexName(index: i32): string {
  return unchecked(KIND_NAMES[index < 0 || index >= KINDS ? 0 : index]);
}

export function fateName(fate: i32): string {
  return unchecked(FATE_NAMES[fate < 0 || fate >= FATES ? 0 : fate]);
}

export function protocolName(index: i32): string {
  return unchecked(PROTOCOL_NAMES[index < 0 || index >= PROTOCOLS ? 0 : index]);
}

/** The name of a parse error by its number, for rooms that do not import `tls`. */
export function parseErrorLabel(error: i32): string {
  return parseErrorName(error);
}

/** The name of a metric, its labels spelled as ".label.value" pairs behind the family's name. */
export function metricName(metric: i32, cacheName: string): string {
  const cache = ".cache." + cacheName;
  if (metric >= Metric.PARSE_ERRORS) {
    return PREFIX + "parse_errors_total" + cache + ".error." + parseErrorName(metric - Metric.PARSE_ERRORS);
  }
  if (metric >= Metric.RESUMPTIONS) {
    const index = metric - Metric.RESUMPTIONS;
    return PREFIX + "resumptions_total" + cache + kindLabel(index / FATES) + ".outcome." + fateName(index % FATES);
  }
  if (metric >= Metric.OFFERED) {
    return PREFIX + "resumptions_offered_total" + cache + kindLabel(metric - Metric.OFFERED);
  }
  if (metric >= Metric.FULL_BY_KIND) {
    const kind = metric - Metric.FULL_BY_KIND;
    return PREFIX + "full_handshakes_total" + cache + ".kind." + (kind == 0 ? "id" : kind == 1 ? "ticket" : "none");
  }
  if (metric >= Metric.REFUSED_FOR && metric < Metric.HANDSHAKES) {
    const index = metric - Metric.REFUSED_FOR;
    const family = index < REFUSAL_CAUSES ? "refusals_total" : "diversions_total";
    const cause = <u8>(index % REFUSAL_CAUSES) + EventCause.SESSION;
    return PREFIX + family + cache + ".cause." + eventCauseName(cause);
  }
  if (metric >= Metric.HANDSHAKES) {
    const index = metric - Metric.HANDSHAKES;
    const protocol = protocolName(index / OUTCOMES);
    const outcome = unchecked(OUTCOME_NAMES[index % OUTCOMES]);
    return PREFIX + "handshakes_total" + cache + ".protocol." + protocol + ".outcome." + outcome;
  }
  switch (metric) {
    case Metric.NOT_STORED_CONTENDED:
      return PREFIX + "not_stored_total" + cache + ".cause.contended";
    case Metric.NOT_STORED_NO_ROOM:
      return PREFIX + "not_stored_total" + cache + ".cause.no_room";
    case Metric.NOT_STORED_REMOVED:
      return PREFIX + "not_stored_total" + cache + ".cause.removed";
    default:
      return PREFIX + unchecked(FAMILIES[metric]) + cache;
  }
}

/**
 * The name of the gauge that shows which module runs; it stands outside of the numbers above, as its labels are the module's.
 * The version may have dots, so its label is the last. `build`: 64 hex digits, or empty.
 */
export function moduleInfoName(cacheName: string, version: string, build: string): string {
  const shown = build.length > 0 ? build : "none";
  return PREFIX + "module_info.cache." + cacheName + ".build." + shown + ".version." + version;
}

function kindLabel(index: i32): string {
  return ".kind." + kindIndexName(index);
}

function kindIndex(kind: u8): i32 {
  return kind < Kind.ID || kind > Kind.PSK ? 0 : <i32>kind - <i32>Kind.ID;
}

function protocolIndex(protocol: u16): i32 {
  return protocol < FIRST_PROTOCOL || protocol > LAST_PROTOCOL ? 0 : <i32>(protocol - FIRST_PROTOCOL);
}

const PREFIX: string = "tls_session_cache_";
const LAST_PROTOCOL: u16 = FIRST_PROTOCOL + <u16>PROTOCOLS - 1;
const FATE_NAMES: StaticArray<string> = ["accepted", "lost", "declined", "refused", "failed", "diverted"];
const OUTCOME_NAMES: StaticArray<string> = ["full", "resumed_id", "resumed_ticket", "resumed_psk"];
const FAMILIES: StaticArray<string> = [
  "sessions",
  "size",
  "removed_sessions",
  "saturated_pages",
  "removed_ticket_keys",
  "revoked_names",
  "hits_total",
  "misses_total",
  "timeouts_total",
  "declined_total",
  "lost_total",
  "refused_total",
  "adds_total",
  "replaces_total",
  "removes_total",
  "full_total",
  "expired_total",
  "flushed_total",
  "", // metricName names the three causes of not_stored_total
  "",
  "",
  "cas_conflicts_total",
  "accepts_total",
  "accepts_good_total",
  "handshakes_failed_total",
  "connections_not_tls_total",
  "connections_unwatched_total",
  "events_lost_total",
  "event_posts_failed_total",
  "early_data_dropped_total",
  "corrupted_pages_total",
  "clients_unfollowed_total",
  "renegotiations_total",
  "host_calls_failed_total",
  "diverted_total",
  "ticket_keys_learned_total",
  "later_pages_total",
];
