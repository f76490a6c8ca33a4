/**
 * A shared store in memory that keeps Envoy's rules of compare-and-set, and makes conflicts on demand: `conflictAt(n)`
 * lets the n-th write from now meet another writer, whose step the test gives by overriding `otherWriter`.
 */
import { SharedStore, StoreResult } from "../../../assembly/ports/shared_store";
import { BUFFERS, BUFFERS_SIZE } from "../../../assembly/session/pages/buffers";

class Kept {
  constructor(
    public bytes: Uint8Array,
    public mark: u32,
  ) {}
}

export class FakeStore extends SharedStore {
  private readonly values: Map<string, Kept> = new Map<string, Kept>();
  private marks: u32 = 0;
  private writesUntilConflict: i32 = -1;
  /** Every write is answered with a conflict while this is set. */
  alwaysConflicts: bool = false;
  /** Every read and write fails while this is set. */
  broken: bool = false;
  reads: i32 = 0;
  writes: i32 = 0;

  /** The n-th write from now, 0 being the next, is preceded by `otherWriter`. */
  conflictAt(n: i32): void {
    this.writesUntilConflict = n;
  }

  /** What another worker does at the moment chosen by `conflictAt`. */
  otherWriter(): void {}

  /** Number of keys: the store knows no deletion, so this never shrinks. */
  get size(): i32 {
    return this.values.size;
  }

  /** Flips a bit of the byte at a place of so many values whose key contains a text; answers how many there were. */
  damage(family: string, at: i32, most: i32): i32 {
    let damaged = 0;
    const names = this.values.keys();
    for (let i = 0; i < names.length && damaged < most; i++) {
      if (!names[i].includes(family)) continue;
      const value = this.values.get(names[i]);
      value.bytes[at] ^= 1;
      value.mark = ++this.marks;
      damaged++;
    }
    return damaged;
  }

  /** Makes values whose key contains a text longer than they may be. */
  lengthen(family: string): void {
    const names = this.values.keys();
    for (let i = 0; i < names.length; i++) {
      if (names[i].includes(family)) this.values.set(names[i], new Kept(new Uint8Array(70_000), ++this.marks));
    }
  }

  /** Bytes of all values. */
  get bytes(): i32 {
    let sum = 0;
    const all = this.values.values();
    for (let i = 0; i < all.length; i++) sum += all[i].bytes.length;
    return sum;
  }

  /** Bytes of the values whose key contains a text. */
  bytesOf(family: string): i32 {
    let sum = 0;
    const names = this.values.keys();
    for (let i = 0; i < names.length; i++) {
      if (names[i].includes(family)) sum += this.values.get(names[i]).bytes.length;
    }
    return sum;
  }

  read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult {
    this.reads++;
    if (this.broken) return StoreResult.Failed;
    const name = nameOf(key, keyLength);
    if (!this.values.has(name)) return StoreResult.Absent;
    const value = this.values.get(name);
    if (value.bytes.length > capacity) return StoreResult.TooLarge;
    memory.copy(into, value.bytes.dataStart, value.bytes.length);
    this.mark = value.mark;
    this.length = value.bytes.length;
    return StoreResult.Ok;
  }

  markOf(key: usize, keyLength: i32): u32 {
    const name = nameOf(key, keyLength);
    if (this.broken || !this.values.has(name)) return 0;
    const value = this.values.get(name);
    // As the host's, it has no room for a value that is not empty.
    return value.bytes.length > 0 ? 0 : value.mark;
  }

  replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult {
    const name = nameOf(key, keyLength);
    const bytes = bytesOf(value, valueLength);
    if (this.interferes(value, bytes)) return this.broken ? StoreResult.Failed : StoreResult.Conflict;
    if (!this.values.has(name)) return StoreResult.Failed;
    if (this.values.get(name).mark != mark) return StoreResult.Conflict;
    this.values.set(name, new Kept(bytes, ++this.marks));
    return StoreResult.Ok;
  }

  overwrite(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    if (this.broken) return StoreResult.Failed;
    this.values.set(nameOf(key, keyLength), new Kept(bytesOf(value, valueLength), ++this.marks));
    return StoreResult.Ok;
  }

  create(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    const name = nameOf(key, keyLength);
    const bytes = bytesOf(value, valueLength);
    if (this.interferes(value, bytes)) return this.broken ? StoreResult.Failed : StoreResult.Conflict;
    if (this.values.has(name)) return StoreResult.Conflict;
    this.values.set(name, new Kept(bytes, ++this.marks));
    return StoreResult.Ok;
  }

  /** The other writer is another virtual machine: what it does to this one's buffers is undone. */
  private interferes(value: usize, bytes: Uint8Array): bool {
    this.writes++;
    if (this.broken || this.alwaysConflicts) return true;
    if (this.writesUntilConflict >= 0 && this.writesUntilConflict-- == 0) {
      const buffers = heap.alloc(BUFFERS_SIZE);
      memory.copy(buffers, BUFFERS, BUFFERS_SIZE);
      this.otherWriter();
      memory.copy(BUFFERS, buffers, BUFFERS_SIZE);
      heap.free(buffers);
      memory.copy(value, bytes.dataStart, bytes.length);
    }
    return false;
  }
}

function nameOf(key: usize, length: i32): string {
  let name = "";
  for (let i = 0; i < length; i++) name += String.fromCharCode(load<u8>(key + i));
  return name;
}

function bytesOf(value: usize, length: i32): Uint8Array {
  const bytes = new Uint8Array(length);
  memory.copy(bytes.dataStart, value, length);
  return bytes;
}
