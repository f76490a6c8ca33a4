/**
 * A store of keys and values that several proxies share (etcd): whatever one proxy writes, all of them read in the same
 * order. It goes on by ticks and by messages of its store; no call blocks, and nothing on a connection's path calls it.
 *
 * In: after a start, and whenever the store may have forgotten something, all keys come once in the order of their bytes
 * (a replay), then every change as it happens. Changes come already while the last keys of the replay do, those of sessions.
 * The domain pulls them one by one, so nothing is queued in it.
 *
 * Out: one operation at a time. A begun one ends as `outcome` says; `Failed` has not necessarily left the store as it was,
 * so the same operation may be tried again with the same key.
 *
 * Keys are relative to the part of the store that the fleet has. Keys and values are bytes in linear memory; those that a
 * caller gives must stay as they are until the operation has ended.
 */
export const enum Outcome {
  /** Nothing was begun since the last outcome was taken. */
  None = 0,
  UnderWay = 1,
  Done = 2,
  /** `swap`: the key has another mark. */
  Conflict = 3,
  /** The store refused it, did not answer in time, or went away. */
  Failed = 4,
}

export const enum JournalState {
  /** No answer has come yet, or none since the last failure. */
  Connecting = 0,
  /** All keys are being read. */
  Replaying = 1,
  /** All keys were handed over, and changes come as they happen. */
  Following = 2,
}

/** Why all keys are read again. */
export namespace Resync {
  export const NONE: u8 = 0;
  /** The first time. */
  export const START: u8 = 1;
  /** The store has an earlier state, or is another one: it may have forgotten records of this proxy. */
  export const LOST: u8 = 2;
  /** The store no longer has the changes since the last one read. */
  export const COMPACTED: u8 = 3;
  /** More came than could be kept. */
  export const INBOX: u8 = 4;
}

/** The calls of the store, for counting and for words. */
export namespace JournalCall {
  export const RANGE: u8 = 1;
  export const WATCH: u8 = 2;
  export const PUT: u8 = 3;
  export const TXN: u8 = 4;
  export const LEASE: u8 = 5;
  export const DELETE: u8 = 6;
}

export abstract class Journal {
  /** Of the record that `next` moved to; valid until the next call of `next`. */
  key: usize = 0;
  keyLength: i32 = 0;
  value: usize = 0;
  valueLength: i32 = 0;
  /** The revision of the record's last change: an order of all changes of the store. */
  mark: u64 = 0;
  /** The key was deleted; there is no value. */
  isDeleted: bool = false;
  /** It comes from a replay, so it may be old. */
  isReplayed: bool = false;

  /** Of `get`, when it is `Done`: the value, and its mark; a mark of 0 means that there is no such key. */
  gotValue: usize = 0;
  gotLength: i32 = 0;
  gotMark: u64 = 0;

  state: JournalState = JournalState.Connecting;
  /**
   * Of the store: its own number; and the revision up to which all changes have come, but for sessions that are still replayed.
   * It is 0 until only those are.
   */
  clusterId: u64 = 0;
  revision: u64 = 0;
  /** When the store was last heard, nanoseconds since 1970; 0 for never. */
  heardAt: u64 = 0;

  /** Of the last failure: when (nanoseconds since 1970, 0 for never), a `JournalCall`, gRPC's status, the store's words. */
  failedAt: u64 = 0;
  failedCall: u8 = 0;
  failedStatus: i32 = 0;
  failedText: string = "";

  /** Goes on: connects, reads, repeats. To be called on each tick. */
  abstract tick(nowNanoseconds: u64): void;

  /** Moves to the next record that has come; false if there is none now. */
  abstract next(): bool;

  /** Takes the reason of the replay that began last, `Resync.NONE` if it was taken already. */
  abstract takeResync(): u8;

  /** Takes the next failure that was not taken yet, into `failedCall` and `failedStatus`; false if there is none. */
  abstract takeFailure(): bool;

  /** The state of the last operation; one that has ended is taken by this. */
  abstract takeOutcome(): Outcome;

  /**
   * Begins to write a value. The store may forget it after `until` (Unix seconds), and forgets it some time later; 0 for
   * never. False if an operation is under way, or the store is not reached.
   */
  abstract put(key: usize, keyLength: i32, value: usize, valueLength: i32, until: u64): bool;

  /** Begins to read a value. */
  abstract get(key: usize, keyLength: i32): bool;

  /** Begins to write a value if its key has a mark, 0 for a key that is not there; else `Conflict`. */
  abstract swap(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u64): bool;

  /** Begins to delete a key if it has a mark. */
  abstract remove(key: usize, keyLength: i32, mark: u64): bool;

  /** Begins to delete all keys with a beginning whose mark is at most `mark`. */
  abstract removeOlder(key: usize, keyLength: i32, mark: u64): bool;

  /** Ends all calls. */
  abstract stop(): void;
}
