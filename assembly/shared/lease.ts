/**
 * Agreement of the virtual machines that share a cache on which one of them does a thing, by a small value in the
 * shared store: its holder renews it, and another takes over where it has run out.
 *
 * Value, little-endian: 0 u64 number of the holder, 8 u64 valid until (nanoseconds since 1970).
 * Cost: one small read, and for the holder one write a second.
 */
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoredValue } from "./stored_value";

export class Lease {
  private readonly value: StoredValue;
  /** This virtual machine's number as a holder: 0 until it has held the lease. */
  private holder: u64 = 0;

  constructor(cacheName: string, purpose: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, purpose, sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Whether the lease is this machine's; takes or renews it where that is due. */
  held(nowNanoseconds: u64): bool {
    const result = this.value.read(VALUE, VALUE_SIZE);
    if (result == StoreResult.Absent) {
      store<u64>(VALUE, 1);
      store<u64>(VALUE, nowNanoseconds + LEASE_NANOSECONDS, 8);
      if (this.value.put(VALUE, VALUE_SIZE) != StoreResult.Ok) return false;
      this.holder = 1;
      return true;
    }
    if (result != StoreResult.Ok || this.value.length != VALUE_SIZE) return false;
    const holder = load<u64>(VALUE);
    const until = load<u64>(VALUE, 8);
    const mine = holder == this.holder;
    // A clock that was set back must not make a lease last.
    const valid = nowNanoseconds < until && until - nowNanoseconds <= LEASE_NANOSECONDS;
    if (valid && !mine) return false;
    if (valid && until - nowNanoseconds > LEASE_NANOSECONDS - RENEWAL_NANOSECONDS) return true;
    const next = mine ? holder : holder + 1;
    store<u64>(VALUE, next);
    store<u64>(VALUE, nowNanoseconds + LEASE_NANOSECONDS, 8);
    if (this.value.put(VALUE, VALUE_SIZE) != StoreResult.Ok) return false;
    this.holder = next;
    return true;
  }
}

const LEASE_NANOSECONDS: u64 = 3 * NANOSECONDS_PER_SECOND;
const RENEWAL_NANOSECONDS: u64 = NANOSECONDS_PER_SECOND;
const VALUE_SIZE: i32 = 16;
const VALUE: usize = memory.data(16, 8);
