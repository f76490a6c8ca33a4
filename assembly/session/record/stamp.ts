/**
 * Stamps decide which of two records of one ID holds if several proxies have one: a removal, or a session that was put in by
 * hand. Observed sessions have no stamp and never lift a removal.
 *
 * A stamp is a number of 8 ns since 1970. The key of a removal is its stamp and LEAD, that of an addition its stamp. The
 * greater key holds, at equal keys the removal, then the greater bytes. So any order and any repetition of the same records
 * ends in the same one. A record that is made on top of another one gets a greater key, whatever the clocks: the later of
 * two decisions that know of each other holds. A removal that an addition has not seen holds while clocks agree within LEAD.
 *
 * Functions of numbers and bytes; nothing allocates.
 */

/** The kinds of records that have a stamp; `None` if there is no record, or an observed session. */
export const enum Decision {
  None = 0,
  Removal = 1,
  Addition = 2,
}

/** Returns the stamp of a time. */
@inline
export function stampAt(nanoseconds: u64): u64 {
  return nanoseconds / NANOSECONDS_PER_STAMP;
}

/**
 * Returns the stamp of a record that is made now, on top of another one: at most MAX_STAMP, so that no proxy takes it for
 * malformed. At that bound, which only a false proxy reaches, a removal still holds over every addition.
 */
export function stampOn(now: u64, decision: Decision, before: Decision, stampBefore: u64): u64 {
  if (before == Decision.None) return now;
  const key = keyOf(before, stampBefore) + 1;
  const lead = leadOf(decision);
  const least = key > lead ? key - lead : 0;
  return min(max(now, least), MAX_STAMP);
}

/** Returns the key by which a record of a stamp holds or gives way. */
@inline
export function keyOf(decision: Decision, stamp: u64): u64 {
  return stamp + leadOf(decision);
}

/**
 * Compares two records that have a stamp. Returns a number above 0 if the first one holds, below 0 if the second one does, 0
 * if they are the same.
 */
export function precedence(
  decision: Decision,
  stamp: u64,
  bytes: usize,
  length: i32,
  otherDecision: Decision,
  otherStamp: u64,
  otherBytes: usize,
  otherLength: i32,
): i32 {
  const key = keyOf(decision, stamp);
  const otherKey = keyOf(otherDecision, otherStamp);
  if (key != otherKey) return key > otherKey ? 1 : -1;
  if (decision != otherDecision) return decision == Decision.Removal ? 1 : -1;
  return compareBytes(bytes, length, otherBytes, otherLength);
}

/** Orders texts by their bytes: above 0 if the first one is greater, 0 if both are equal. */
export function compareBytes(bytes: usize, length: i32, otherBytes: usize, otherLength: i32): i32 {
  const difference = memory.compare(bytes, otherBytes, min(length, otherLength));
  return difference != 0 ? difference : length - otherLength;
}


@inline
function leadOf(decision: Decision): u64 {
  return decision == Decision.Removal ? LEAD : 0;
}

const NANOSECONDS_PER_STAMP: u64 = 8;
export const STAMPS_PER_SECOND: u64 = 1_000_000_000 / NANOSECONDS_PER_STAMP;
/** The year 2106: a record of another proxy with a later stamp is malformed. */
export const MAX_STAMP: u64 = STAMPS_PER_SECOND << 32;
/** By so much clocks may differ. */
export const LEAD_SECONDS: u64 = 5;
const LEAD: u64 = LEAD_SECONDS * STAMPS_PER_SECOND;
