/**
 * The virtual machines that run a filter: each holds a lease in a value of the filter's place, renews it every second or
 * two, and gives it back when the filter ends there. A machine that ends without giving notice is missed when its lease has
 * run out.
 *
 * Value, little-endian: 0 u64 identity of the filter, then a `MachineLease` for each machine. Bounded: MAX_MACHINES of a
 * filter are counted. Cost: one read and one write of 8 bytes for each machine, when a lease is renewed.
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

  /** Takes or renews the lease of a machine; false if that could not be stored. */
  renew(place: u32, identity: u64, machine: u32, now: u32): bool {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = this.read(place, identity, now, machine);
      if (result == StoreResult.Failed) return false;
      if (this.length < VALUE_CAPACITY) {
        this.append(machine, now);
      }
      if (this.write()) return true;
    }
    return false;
  }

  /** Gives a lease back. Returns how many machines still run the filter, or -1 if that is unknown. */
  leave(place: u32, identity: u64, machine: u32, now: u32): i32 {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = this.read(place, identity, now, machine);
      if (result == StoreResult.Failed) return -1;
      if (result == StoreResult.Absent || this.write()) return this.machines;
    }
    return -1;
  }

  /** Returns how many machines run the filter, or -1 if that is unknown. */
  count(place: u32, identity: u64, now: u32): i32 {
    return this.read(place, identity, now, 0) == StoreResult.Failed ? -1 : this.machines;
  }

  /** Reads the leases that hold into VALUE, except for that of `without`. Returns Ok, Absent or Failed. */
  private read(place: u32, identity: u64, now: u32, without: u32): StoreResult {
    this.value.select(place);
    const result = this.value.read(VALUE, VALUE_CAPACITY);
    if (result != StoreResult.Ok && result != StoreResult.Absent) return StoreResult.Failed;
    const end = result == StoreResult.Ok && load<u64>(VALUE) == identity ? this.value.length : HEADER_SIZE;
    this.length = HEADER_SIZE;
    store<u64>(VALUE, identity);
    for (let offset = HEADER_SIZE; offset + LEASE_SIZE <= end; offset += LEASE_SIZE) {
      const lease = leaseAt(offset);
      const seen = lease.seen;
      // A clock that was set back must not make a lease last.
      const age = now >= seen ? now - seen : seen - now;
      if (lease.machine != without && age <= LEASE_SECONDS) this.append(lease.machine, seen);
    }
    return result;
  }

  private append(machine: u32, seen: u32): void {
    const lease = leaseAt(this.length);
    lease.machine = machine;
    lease.seen = seen;
    this.length += LEASE_SIZE;
  }

  private get machines(): i32 {
    return (this.length - HEADER_SIZE) / LEASE_SIZE;
  }

  private write(): bool {
    return this.value.put(VALUE, this.length) == StoreResult.Ok;
  }
}

function leaseAt(offset: i32): MachineLease {
  return changetype<MachineLease>(VALUE + <usize>offset);
}

/** The lease of a machine, LEASE_SIZE bytes. */
@unmanaged
class MachineLease {
  machine: u32;
  /** When the machine renewed it last (seconds). */
  seen: u32;
}

/** A worker that is held up for so long has lost its connections, too. */
export const LEASE_SECONDS: u32 = 15;
const MAX_MACHINES: i32 = 256;
const TRIES: i32 = 8;
const HEADER_SIZE: i32 = 8;
const LEASE_SIZE: i32 = 8;
const VALUE_CAPACITY: i32 = HEADER_SIZE + MAX_MACHINES * LEASE_SIZE;
const VALUE: usize = memory.data(2056, 8);
