/**
 * Which virtual machines run a filter: each holds a lease in a value of the filter's place, renews it every second or two, and gives it
 * back when the filter ends there. A machine that ended without a word is missed when its lease has run out.
 *
 * Value, little-endian: 0 u64 identity of the filter, 8 for each machine u32 its number, u32 when it was here last (seconds).
 * Bounded: MOST machines of a filter are counted. Cost: one read and one write of 8 bytes for each machine, when a lease is renewed.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Presence {
  private readonly value: StoredValue;
  private length: i32 = 0;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "filters/present", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Takes or renews the lease of a machine; false where that could not be stored. */
  renew(place: u32, identity: u64, machine: u32, now: u32): bool {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = this.read(place, identity, now, machine);
      if (result == StoreResult.Failed) return false;
      if (this.length < CAPACITY) {
        store<u32>(VALUE + <usize>this.length, machine);
        store<u32>(VALUE + <usize>this.length, now, 4);
        this.length += ENTRY;
      }
      if (this.write()) return true;
    }
    return false;
  }

  /** Gives a lease back; answers how many machines still run the filter, or -1 where that is not known. */
  leave(place: u32, identity: u64, machine: u32, now: u32): i32 {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = this.read(place, identity, now, machine);
      if (result == StoreResult.Failed) return -1;
      if (result == StoreResult.Absent || this.write()) return (this.length - HEADER) / ENTRY;
    }
    return -1;
  }

  /** How many machines run the filter, or -1 where that is not known. */
  count(place: u32, identity: u64, now: u32): i32 {
    return this.read(place, identity, now, 0) == StoreResult.Failed ? -1 : (this.length - HEADER) / ENTRY;
  }

  /** Reads the leases that hold into VALUE, but for that of `without`. Ok, Absent or Failed. */
  private read(place: u32, identity: u64, now: u32, without: u32): StoreResult {
    this.value.select(place);
    const result = this.value.read(VALUE, CAPACITY);
    if (result != StoreResult.Ok && result != StoreResult.Absent) return StoreResult.Failed;
    const end = result == StoreResult.Ok && load<u64>(VALUE) == identity ? this.value.length : HEADER;
    this.length = HEADER;
    store<u64>(VALUE, identity);
    for (let at = HEADER; at + ENTRY <= end; at += ENTRY) {
      const machine = load<u32>(VALUE + <usize>at);
      const seen = load<u32>(VALUE + <usize>at, 4);
      // A clock that was set back must not make a lease last.
      const age = now >= seen ? now - seen : seen - now;
      if (machine == without || age > LEASE_SECONDS) continue;
      store<u32>(VALUE + <usize>this.length, machine);
      store<u32>(VALUE + <usize>this.length, seen, 4);
      this.length += ENTRY;
    }
    return result;
  }

  private write(): bool {
    return this.value.put(VALUE, this.length) == StoreResult.Ok;
  }
}

/** A worker that is held up for so long has lost its connections, too. */
export const LEASE_SECONDS: u32 = 15;
/** Machines of one filter that are counted. */
const MOST: i32 = 256;
const TRIES: i32 = 8;
const HEADER: i32 = 8;
const ENTRY: i32 = 8;
const CAPACITY: i32 = HEADER + MOST * ENTRY;
const VALUE: usize = memory.data(2056, 8);
