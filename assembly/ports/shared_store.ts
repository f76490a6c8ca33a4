/**
 * A store that all workers share: named values, read and replaced whole. A mark shows whether somebody else has replaced a
 * value since it was read (compare-and-set).
 *
 * Keys and values are bytes in linear memory. No call allocates, blocks or throws.
 */
export const enum StoreResult {
  Ok = 0,
  /** `read`: the key does not exist. */
  Absent = 1,
  /** `replace`: another writer came first. `create`: the key exists. Read again and retry. */
  Conflict = 2,
  /** `read`: the value is longer than `capacity`. */
  TooLarge = 3,
  /** The store failed for another reason. */
  Failed = 4,
}

/** Explains `deniesWrites`, and its remedy. */
export const WRITES_DENIED: string =
  "the host forbids this module to call proxy_set_shared_data; allow it in capability_restriction_config, " +
  "or leave that out";

export abstract class SharedStore {
  /** The mark, for `replace`, of the value of the last `read` with the result `Ok`. */
  mark: u32 = 0;
  /** The length of that value in bytes. */
  length: i32 = 0;
  /** Whether the host's configuration forbade the last write: then it forbids all. */
  deniesWrites: bool = false;

  /** Copies the value of a key to `into`, at most `capacity` bytes. */
  abstract read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult;

  /** Returns the mark of a key's value, which is empty; 0 if there is no such key. Cheaper than `read`. */
  abstract markOf(key: usize, keyLength: i32): u32;

  /** Replaces a value if it still has `mark`. */
  abstract replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult;

  /** Sets a value, whatever the current one is. For keys with one writer only. */
  abstract overwrite(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult;

  /** Makes a key with its first value. Of several creators exactly one succeeds; the others get `Conflict`. */
  abstract create(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult;
}
