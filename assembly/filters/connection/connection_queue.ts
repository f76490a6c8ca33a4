/**
 * Connections that something is to be done about later, in the order in which they came: a ring of their contexts, each with
 * the time at which it came in. Outside of collected memory; doubles when it is full, and holds what is waiting.
 *
 * Layout of an entry, 16 bytes: u64 time in nanoseconds, u32 context, u32 a word of the user's.
 */
export class ConnectionQueue {
  private ring: usize = heap.alloc(FIRST_CAPACITY << 4);
  private capacity: u32 = FIRST_CAPACITY;
  private first: u32 = 0;
  length: u32 = 0;

  free(): void {
    heap.free(this.ring);
  }

  push(context: u32, word: u32, nowNanoseconds: u64): void {
    if (this.length == this.capacity) this.grow();
    const entry = this.at(this.length);
    store<u64>(entry, nowNanoseconds);
    store<u32>(entry, context, 8);
    store<u32>(entry, word, 12);
    this.length++;
  }

  /** Of the oldest one; only where there is one. */
  get since(): u64 {
    return load<u64>(this.at(0));
  }

  get context(): u32 {
    return load<u32>(this.at(0), 8);
  }

  get word(): u32 {
    return load<u32>(this.at(0), 12);
  }

  /** Takes the oldest one away. */
  shift(): void {
    this.first = (this.first + 1) & (this.capacity - 1);
    this.length--;
  }

  private at(index: u32): usize {
    return this.ring + ((<usize>((this.first + index) & (this.capacity - 1))) << 4);
  }

  private grow(): void {
    const ring = heap.alloc((<usize>this.capacity) << 5);
    for (let i: u32 = 0; i < this.length; i++) memory.copy(ring + ((<usize>i) << 4), this.at(i), 16);
    heap.free(this.ring);
    this.ring = ring;
    this.capacity <<= 1;
    this.first = 0;
  }
}

/** A power of two. */
const FIRST_CAPACITY: u32 = 64;
