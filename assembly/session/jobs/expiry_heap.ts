/**
 * The sessions that expire first, up to MAX_FOUND of them: a heap whose top is the last of these. Sessions that expire in
 * the same second are ordered by their version.
 *
 * Cost: O(log n) for a session that is kept. One heap for each virtual machine, 64 KiB; its content is valid for one job at
 * a time.
 */
import { Entry } from "../pages/entry";

export class ExpiryHeap {
  length: i32 = 0;

  clear(): void {
    this.length = 0;
  }

  /** Keeps a session if it is one of the first `wanted` to expire of all that were offered. */
  offer(entry: Entry, wanted: i32): void {
    if (this.length < wanted) this.rise(this.length++, entry.expiry, entry.version);
    else if (wanted > 0 && isBefore(entry.expiry, entry.version, at(0))) this.sink(entry.expiry, entry.version);
  }

  /** Whether a session expires no later than the last that was kept. */
  reaches(entry: Entry): bool {
    if (this.length == 0) return false;
    const top = at(0);
    return entry.expiry < top.expiry || (entry.expiry == top.expiry && entry.version <= top.version);
  }

  private rise(start: i32, expiry: u64, version: u64): void {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (isBefore(expiry, version, at(parent))) break;
      at(place).copy(at(parent));
      place = parent;
    }
    at(place).set(expiry, version);
  }

  private sink(expiry: u64, version: u64): void {
    let place = 0;
    while (true) {
      let child = place * 2 + 1;
      if (child >= this.length) break;
      if (child + 1 < this.length && isBefore(at(child).expiry, at(child).version, at(child + 1))) child++;
      if (!isBefore(expiry, version, at(child))) break;
      at(place).copy(at(child));
      place = child;
    }
    at(place).set(expiry, version);
  }
}

/** Expiry and version of one session. */
@unmanaged
class HeapPlace {
  expiry: u64;
  version: u64;

  set(expiry: u64, version: u64): void {
    this.expiry = expiry;
    this.version = version;
  }

  copy(other: HeapPlace): void {
    this.set(other.expiry, other.version);
  }
}

function isBefore(expiry: u64, version: u64, other: HeapPlace): bool {
  return expiry < other.expiry || (expiry == other.expiry && version < other.version);
}

function at(place: i32): HeapPlace {
  return changetype<HeapPlace>(HEAP + ((<usize>place) << 4));
}

/** The most sessions that a heap keeps. */
export const MAX_FOUND: i32 = 4096;
const HEAP: usize = memory.data(65536, 8);
