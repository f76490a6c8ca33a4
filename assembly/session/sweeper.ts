/**
 * Sweeps a cache in the background, by exactly one of the virtual machines that share it (`lease.ts`).
 * Cost of a tick: one small read; for the holder, a slice of sweeping when a pass is on.
 */
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { SharedStore } from "../ports/shared_store";
import { Cache } from "./cache";
import { Deadline, SLICE_NANOSECONDS } from "./job";
import { Lease } from "./lease";
import { Sweep } from "./sweep";

export class Sweeper {
  private readonly lease: Lease;
  private readonly deadline: Deadline;
  private sweep: Sweep | null = null;
  private nextPass: u64 = 0;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
  ) {
    this.lease = new Lease(cache.settings.cacheName, "sweeper", sharedStore);
    this.deadline = new Deadline(cache.clock);
  }

  free(): void {
    this.lease.free();
  }

  /** Does what is due now; never longer than a slice. Answers whether this machine is the sweeper. */
  tick(): bool {
    const now = this.cache.clock.nowNanoseconds();
    if (!this.lease.held(now)) {
      this.sweep = null;
      return false;
    }
    this.work(now);
    return true;
  }

  private work(now: u64): void {
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
}

const PASS_NANOSECONDS: u64 = 5 * NANOSECONDS_PER_SECOND;
