/**
 * Decisions about names (a revoked server name, a ticket key) as proxies tell them to each other, and how a row of a table
 * keeps the stamp of one.
 *
 * A row's stamp is that of its version, as long as the decision was made here when the row was written. Else the row has
 * EXTRA_SIZE bytes in the place of an upstream, which hold stamp and time of the decision. They count only with the version
 * that they were written for: an earlier module that changes the row leaves them, and gives it another version.
 */
import { Row } from "../../shared/row";
import { stampAt } from "../record/stamp";

export const enum DecisionState {
  None = 0,
  /** A server name is revoked, a ticket key removed. */
  Refused = 1,
  /** That was lifted. */
  Lifted = 2,
  /** The operator has told to which upstream a ticket key belongs. */
  Configured = 3,
}

/** A view of one decision; its pointers are valid until the next use of any table. */
export class ToldDecision {
  state: DecisionState = DecisionState.None;
  name: usize = 0;
  nameLength: i32 = 0;
  /** Of a configured ticket key. */
  upstream: usize = 0;
  upstreamLength: i32 = 0;
  /** Unix seconds of the decision. */
  time: u64 = 0;
  /** Of a revocation: the last second in which it refuses, 0 for no end. */
  until: u64 = 0;
  /** Of a revocation: one of `Unseen`. */
  unseen: u8 = 0;
  /** See `stamp.ts`. */
  stamp: u64 = 0;
  /** Of its row. A row that changes gets a greater one. */
  version: u64 = 0;
}

/** Returns the stamp of a row's decision. */
export function stampOf(row: Row): u64 {
  return hasExtra(row) ? extraOf(row).stamp : stampAt(row.version);
}

/** Returns the time of a row's decision, as it is told. */
export function toldTimeOf(row: Row): u64 {
  return hasExtra(row) ? <u64>extraOf(row).time : row.time;
}

/** Whether a row keeps a stamp of its own. */
export function hasExtra(row: Row): bool {
  return row.upstreamLength == <u8>EXTRA_SIZE && row.witness == fold(row.version);
}

/** Writes stamp and time of the decision of a row that has room for them, after it got its version. */
export function putExtra(row: Row, stamp: u64, time: u64): void {
  const extra = extraOf(row);
  extra.stamp = stamp;
  extra.time = <u32>min(time, <u64>u32.MAX_VALUE);
  extra.rest = 0;
  row.witness = fold(row.version);
}

/** The end that is later; 0 is none. */
export function laterEnd(until: u64, other: u64): u64 {
  return until == 0 || other == 0 ? 0 : max(until, other);
}

/** Whether an end is later than another; 0 is none. */
export function endsLater(until: u64, other: u64): bool {
  return other != 0 && (until == 0 || until > other);
}

/** The number by which `putExtra` ties its bytes to a version. */
function fold(version: u64): u32 {
  return (<u32>version) ^ (<u32>(version >> 32));
}


@inline
function extraOf(row: Row): Extra {
  return changetype<Extra>(row.upstream);
}

/** EXTRA_SIZE bytes, little-endian. */
@unmanaged
class Extra {
  stamp: u64;
  /** Unix seconds. */
  time: u32;
  rest: u32;
}

export const EXTRA_SIZE: i32 = 16;
/** Lifted decisions are kept so long: 7 days. */
export const LIFTED_KEPT_SECONDS: u64 = 604_800;
