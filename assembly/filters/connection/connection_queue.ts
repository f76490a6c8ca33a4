/**
 * A queue of connections, oldest first: a ring of their contexts, each with its time of entry and a word. Outside of
 * collected memory; doubles when it is full.
 */
export class ConnectionQueue {
  private ring: usize = heap.alloc(<usize>FIRST_CAPACITY * ENTRY_SIZE);
  private capacity: u32 = FIRST_CAPACITY;
  private first: u32 = 0;
  length: u32 = 0;

  free(): void {
    heap.free(this.ring);
  }

  push(context: u32, word: u32, nowNanoseconds: u64): void {
    if (this.length == this.capacity) this.grow();
    const entry = this.at(this.length);
    entry.since = nowNanoseconds;
    entry.context = context;
    entry.word = word;
    this.length++;
  }

  /** Time of entry of the oldest one. This and the next two only while `length` is not 0. */
  get since(): u64 {
    return this.at(0).since;
  }

  get context(): u32 {
    return this.at(0).context;
  }

  get word(): u32 {
    return this.at(0).word;
  }

  /** Removes the oldest one. */
  shift(): void {
    this.first = (this.first + 1) & (this.capacity - 1);
    this.length--;
  }

  private at(index: u32): Entry {
    return changetype<Entry>(this.ring + <usize>((this.first + index) & (this.capacity - 1)) * ENTRY_SIZE);
  }

  private grow(): void {
    const ring = heap.alloc(<usize>this.capacity * 2 * ENTRY_SIZE);
    for (let i: u32 = 0; i < this.length; i++) {
      memory.copy(ring + <usize>i * ENTRY_SIZE, changetype<usize>(this.at(i)), ENTRY_SIZE);
    }
    heap.free(this.ring);
    this.ring = ring;
    this.capacity <<= 1;
    this.first = 0;
  }
}

/** See the head of this file. */
@unmanaged
class Entry {
  /** In nanoseconds. */
  since: u64;
  context: u32;
  word: u32;
}

const ENTRY_SIZE: usize = offsetof<Entry>();
/** A power of two. */
const FIRST_CAPACITY: u32 = 64;
