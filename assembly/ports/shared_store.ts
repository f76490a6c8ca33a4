/**
 * What the domain needs of a store that all workers share: named values, read and replaced whole, with a mark that
 * tells whether somebody else replaced a value in between (compare-and-set).
 *
 * Keys and values are bytes in linear memory. No call allocates, blocks or throws.
 */
export const enum StoreResult {
  Ok = 0,
  /** `read`: no such key. */
  Absent = 1,
  /** `replace`: another writer came first. `create`: the key exists. Read again and retry. */
  Conflict = 2,
  /** `read`: the value is longer than the room offered for it. */
  TooLarge = 3,
  /** The store refused for a reason of its own. */
  Failed = 4,
}

/** Why nothing can be stored where `deniesWrites` is set, and what to do about it. */
export const WRITES_DENIED: string =
  "the host does not let this module call proxy_set_shared_data; allow it in capability_restriction_config, " +
  "or leave that out";

export abstract class SharedStore {
  /** Mark of the value that the last `read` with result `Ok` delivered; to be handed to `replace`. */
  mark: u32 = 0;
  /** Length in bytes of that value. */
  length: i32 = 0;
  /** Whether the last write was one that the host's configuration does not allow: no other will succeed either. */
  deniesWrites: bool = false;

  /** Copies the value of a key to `into`, at most `capacity` bytes. */
  abstract read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult;

  /** The mark of a key's value, 0 where there is none. Of an empty value: cheaper than to read it. */
  abstract markOf(key: usize, keyLength: i32): u32;

  /** Replaces a value if it is still the one that carried `mark`. */
  abstract replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult;

  /** Sets a value whatever is there. For keys that have one writer only. */
  abstract overwrite(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult;

  /** Makes a key with its first value; exactly one of several creators succeeds, the others get `Conflict`. */
  abstract create(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult;
}
