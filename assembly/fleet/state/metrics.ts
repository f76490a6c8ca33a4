/**
 * The metrics of a fleet's leader: their numbers and their names. They belong to the process, as all metrics do; only the
 * fleet filter has them, but for one of those that wait for its decisions.
 */
import { JournalCall, Resync } from "../../ports/journal";
import { Applied } from "../../session/record/applied";

export const TOLD_KINDS: i32 = 7;
const OUTCOMES: i32 = 4;
const RESYNC_CAUSES: i32 = 7;
const CALLS: i32 = 7;
/** OK to UNAUTHENTICATED. */
const STATUSES: i32 = 17;

export namespace FleetMetric {
  // Gauges.
  export const CONNECTED: i32 = 0;
  export const SYNCED: i32 = 1;
  export const PENDING_DECISIONS: i32 = 2;
  export const LAG_SECONDS: i32 = 3;
  export const PROXIES: i32 = 4;
  export const CLOCK_SKEW_SECONDS: i32 = 5;
  // Counters.
  export const SKIPPED: i32 = 6;
  /** Of observers and guards: connections and requests that had to wait for the fleet's decisions. */
  export const START_WAITS: i32 = 7;
  /** Plus a `ToldKind`. */
  export const TOLD: i32 = 8;
  /** Plus a `ToldKind` times OUTCOMES plus an `Applied`. */
  export const APPLIED: i32 = TOLD + TOLD_KINDS;
  /** Plus a cause: of `Resync`, or one of those below. */
  export const RESYNCS: i32 = APPLIED + TOLD_KINDS * OUTCOMES;
  /** Plus a `JournalCall` times STATUSES plus a status of gRPC. */
  export const CALLS_FAILED: i32 = RESYNCS + RESYNC_CAUSES;
}

/** The kinds of records, as metrics tell them apart. */
export namespace ToldKind {
  export const REMOVAL: i32 = 0;
  export const SESSION: i32 = 1;
  export const OBSERVED: i32 = 2;
  export const FLUSH: i32 = 3;
  export const TICKET_KEY: i32 = 4;
  export const REVOCATION: i32 = 5;
  export const SETTING: i32 = 6;
}

/** The causes of walks that tell everything again, behind those of `Resync`. */
export namespace Retelling {
  /** The log of events had lost some. */
  export const MISSED: u8 = 5;
  /** Another virtual machine has become the leader. */
  export const LEADER: u8 = 6;
}

export const FLEET_GAUGES: i32 = 6;
export const FLEET_METRICS: i32 = FleetMetric.CALLS_FAILED + CALLS * STATUSES;

/** The metric of failed calls of a `JournalCall` with a status of gRPC. */
export function callsFailed(call: u8, status: i32): i32 {
  const known = status < 0 || status >= STATUSES ? UNKNOWN_STATUS : status;
  return FleetMetric.CALLS_FAILED + (<i32>call % CALLS) * STATUSES + known;
}

/** The metric of records of a `ToldKind` that were taken over. */
export function appliedAs(kind: i32, outcome: Applied): i32 {
  return FleetMetric.APPLIED + kind * OUTCOMES + min<i32>(outcome, OUTCOMES - 1);
}

/** The name of a metric, its labels spelled as ".label.value" pairs behind the family's name. */
export function fleetMetricName(metric: i32, cacheName: string): string {
  const cache = ".cache." + cacheName;
  if (metric >= FleetMetric.CALLS_FAILED) {
    const index = metric - FleetMetric.CALLS_FAILED;
    const status = (index % STATUSES).toString();
    return PREFIX + "calls_failed_total" + cache + ".call." + callName(<u8>(index / STATUSES)) + ".status." + status;
  }
  if (metric >= FleetMetric.RESYNCS) {
    return PREFIX + "resyncs_total" + cache + ".cause." + resyncName(<u8>(metric - FleetMetric.RESYNCS));
  }
  if (metric >= FleetMetric.APPLIED) {
    const index = metric - FleetMetric.APPLIED;
    const outcome = unchecked(OUTCOME_NAMES[index % OUTCOMES]);
    return PREFIX + "applied_total" + cache + ".kind." + kindName(index / OUTCOMES) + ".outcome." + outcome;
  }
  if (metric >= FleetMetric.TOLD) return PREFIX + "told_total" + cache + ".kind." + kindName(metric - FleetMetric.TOLD);
  return PREFIX + unchecked(FAMILIES[metric]) + cache;
}

export function callName(call: u8): string {
  switch (call) {
    case JournalCall.RANGE:
      return "range";
    case JournalCall.WATCH:
      return "watch";
    case JournalCall.PUT:
      return "put";
    case JournalCall.TXN:
      return "txn";
    case JournalCall.LEASE:
      return "lease";
    case JournalCall.DELETE:
      return "delete";
    default:
      return "none";
  }
}

export function resyncName(cause: u8): string {
  switch (cause) {
    case Resync.LOST:
      return "lost";
    case Resync.COMPACTED:
      return "compacted";
    case Resync.INBOX:
      return "inbox";
    case Retelling.MISSED:
      return "missed";
    case Retelling.LEADER:
      return "leader";
    default:
      return "start";
  }
}

function kindName(kind: i32): string {
  return unchecked(KIND_NAMES[kind]);
}

const PREFIX: string = "tls_session_cache_fleet_";
const UNKNOWN_STATUS: i32 = 2;
const KIND_NAMES: StaticArray<string> = [
  "removal",
  "session",
  "observed",
  "flush",
  "ticket_key",
  "revocation",
  "setting",
];
const OUTCOME_NAMES: StaticArray<string> = ["stored", "older", "no_room", "failed"];
const FAMILIES: StaticArray<string> = [
  "connected",
  "synced",
  "pending_decisions",
  "lag_seconds",
  "proxies",
  "clock_skew_seconds",
  "skipped_total",
  "start_waits_total",
];
