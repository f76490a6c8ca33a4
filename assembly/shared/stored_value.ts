/**
 * One value of the shared store, or one of a family of numbered values: read, changed in memory, and replaced.
 *
 * `exists`, `length` and `mark` belong to this value's own last read, whatever else was read since. A change is a bounded
 * loop: read, edit, `put`, and again after `StoreResult.Conflict`. Two objects may stand for the same value; each replaces
 * only what it has read itself.
 *
 * Costs the store's own calls and nothing else. Allocates only when it is constructed.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoreKey } from "./store_key";

export class StoredValue {
  /** Whether the last read delivered a value. */
  exists: bool = false;
  /** Bytes of that value. */
  length: i32 = 0;
  /** Mark of that value; 0 if there was none. */
  mark: u32 = 0;
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    family: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, family);
  }

  free(): void {
    this.key.free();
  }

  /** Makes this the value of a number. The fields still describe the last read. */
  @inline
  select(number: u32): void {
    this.key.select(number);
  }

  /** Copies the value to `into`, at most `capacity` bytes. One host call. */
  read(into: usize, capacity: i32): StoreResult {
    const store = this.sharedStore;
    const result = store.read(this.key.start, this.key.length, into, capacity);
    const exists = result == StoreResult.Ok;
    this.exists = exists;
    this.length = exists ? store.length : 0;
    this.mark = exists ? store.mark : 0;
    return result;
  }

  /** Copies a value of exactly `size` bytes. Returns false, as if there were no value, for one of another size. */
  readWhole(into: usize, size: i32): bool {
    this.exists = this.read(into, size) == StoreResult.Ok && this.length == size;
    return this.exists;
  }

  /** Returns the mark that the value has now, 0 if there is none. For an empty value this is cheaper than a read. */
  readMark(): u32 {
    return this.sharedStore.markOf(this.key.start, this.key.length);
  }

  /** Replaces the value that was read last, or creates it if there was none. */
  put(value: usize, length: i32): StoreResult {
    return this.exists ? this.replace(value, length, this.mark) : this.create(value, length);
  }

  /** Replaces the value that carries a mark, if it still does. */
  replace(value: usize, length: i32, mark: u32): StoreResult {
    return this.sharedStore.replace(this.key.start, this.key.length, value, length, mark);
  }

  /** Creates the value; `Conflict` if there is one. */
  create(value: usize, length: i32): StoreResult {
    return this.sharedStore.create(this.key.start, this.key.length, value, length);
  }

  /** Stores a value that has one writer only, whatever is there. */
  overwrite(value: usize, length: i32): StoreResult {
    return this.sharedStore.overwrite(this.key.start, this.key.length, value, length);
  }
}
