/**
 * Agreement of the virtual machines that share a cache on which one of them does a task, by a small value in the shared
 * store: its holder renews it, and another machine takes over after it has run out.
 *
 * Cost: one small read, and for the holder one write a second.
 */
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoredValue } from "./stored_value";

export class Lease {
  private readonly value: StoredValue;
  /** This virtual machine's number as a holder; 0 until it has held the lease. */
  private holder: u64 = 0;

  constructor(cacheName: string, purpose: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, purpose, sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Takes the lease, or renews it if that is due. Returns whether it is this machine's. */
  acquireOrRenew(nowNanoseconds: u64): bool {
    const result = this.value.read(TERM_BYTES, TERM_SIZE);
    let next: u64 = 1;
    if (result != StoreResult.Absent) {
      if (result != StoreResult.Ok || this.value.length != TERM_SIZE) return false;
      const until = TERM.until;
      const isMine = TERM.holder == this.holder;
      // A clock that was set back must not make a lease last.
      const isValid = nowNanoseconds < until && until - nowNanoseconds <= LEASE_NANOSECONDS;
      if (isValid && !isMine) return false;
      if (isValid && until - nowNanoseconds > LEASE_NANOSECONDS - RENEWAL_NANOSECONDS) return true;
      next = isMine ? this.holder : TERM.holder + 1;
    }
    TERM.holder = next;
    TERM.until = nowNanoseconds + LEASE_NANOSECONDS;
    if (this.value.put(TERM_BYTES, TERM_SIZE) != StoreResult.Ok) return false;
    this.holder = next;
    return true;
  }

  /** Gives the lease back, if it is this machine's: another one can take it at once. */
  release(): void {
    const isMine =
      this.value.read(TERM_BYTES, TERM_SIZE) == StoreResult.Ok &&
      this.value.length == TERM_SIZE &&
      TERM.holder == this.holder;
    if (!isMine) return;
    TERM.until = 0;
    this.value.put(TERM_BYTES, TERM_SIZE);
  }
}

/** The value in the store, 16 bytes, little-endian. */
@unmanaged
class Term {
  /** Number of the holder. */
  holder: u64;
  /** Nanoseconds since 1970. */
  until: u64;
}

const LEASE_NANOSECONDS: u64 = 3 * NANOSECONDS_PER_SECOND;
const RENEWAL_NANOSECONDS: u64 = NANOSECONDS_PER_SECOND;
const TERM_SIZE: i32 = 16;
const TERM_BYTES: usize = memory.data(16, 8);
const TERM: Term = changetype<Term>(TERM_BYTES);
