/**
 * Sweeps a cache in the background, by exactly one of the virtual machines that share it: they agree by a lease in the
 * shared store, which its holder renews and another takes over where it has run out.
 *
 * Lease, little-endian: 0 u64 number of the holder, 8 u64 valid until (nanoseconds since 1970).
 * Cost of a tick: one small read; for the holder also one write a second, and a slice of sweeping when a pass is on.
 */
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Cache } from "./cache";
import { Deadline, SLICE_NANOSECONDS } from "./job";
import { StoreKey } from "./keys";
import { Sweep } from "./sweep";

export class Sweeper {
  private readonly key: StoreKey;
  private readonly deadline: Deadline;
  /** This virtual machine's number as a holder: 0 until it has held the lease. */
  private holder: u64 = 0;
  private sweep: Sweep | null = null;
  private nextPass: u64 = 0;

  constructor(
    private readonly cache: Cache,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cache.settings.cacheName, "sweeper", false);
    this.deadline = new Deadline(cache.clock);
  }

  free(): void {
    this.key.free();
  }

  /** Does what is due now; never longer than a slice. */
  tick(): void {
    const now = this.cache.clock.nowNanoseconds();
    if (!this.holdsLease(now)) {
      this.sweep = null;
      return;
    }
    let sweep = this.sweep;
    if (!sweep) {
      // A clock that was set back must not stop the sweeping.
      if (now < this.nextPass && this.nextPass - now <= PASS_NANOSECONDS) return;
      this.cache.readSettings();
      sweep = new Sweep(this.cache);
      this.sweep = sweep;
    }
    this.deadline.start(SLICE_NANOSECONDS);
    if (!sweep.step(this.deadline)) return;
    this.sweep = null;
    this.nextPass = now + PASS_NANOSECONDS;
  }

  /** Whether the lease is this machine's; takes or renews it where that is due. */
  private holdsLease(now: u64): bool {
    const result = this.sharedStore.read(this.key.start, this.key.length, LEASE, LEASE_SIZE);
    if (result == StoreResult.Absent) {
      store<u64>(LEASE, 1);
      store<u64>(LEASE, now + LEASE_NANOSECONDS, 8);
      if (this.sharedStore.create(this.key.start, this.key.length, LEASE, LEASE_SIZE) != StoreResult.Ok) return false;
      this.holder = 1;
      return true;
    }
    if (result != StoreResult.Ok || this.sharedStore.length != LEASE_SIZE) return false;
    const mark = this.sharedStore.mark;
    const holder = load<u64>(LEASE);
    const until = load<u64>(LEASE, 8);
    const mine = holder == this.holder;
    const valid = now < until && until - now <= LEASE_NANOSECONDS;
    if (valid && !mine) return false;
    if (valid && until - now > LEASE_NANOSECONDS - RENEWAL_NANOSECONDS) return true;
    const next = mine ? holder : holder + 1;
    store<u64>(LEASE, next);
    store<u64>(LEASE, now + LEASE_NANOSECONDS, 8);
    if (this.sharedStore.replace(this.key.start, this.key.length, LEASE, LEASE_SIZE, mark) != StoreResult.Ok) {
      return false;
    }
    this.holder = next;
    return true;
  }
}

const LEASE_NANOSECONDS: u64 = 3 * NANOSECONDS_PER_SECOND;
const RENEWAL_NANOSECONDS: u64 = NANOSECONDS_PER_SECOND;
const PASS_NANOSECONDS: u64 = 5 * NANOSECONDS_PER_SECOND;
const LEASE_SIZE: i32 = 16;
const LEASE: usize = memory.data(16, 8);
