/**
 * Sweeps a cache in the background, by exactly one of the virtual machines that share it (`lease.ts`).
 *
 * Cost of a tick: one small read; for the elected machine, a slice of sweeping while a pass is under way.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Cache } from "../cache";
import { Deadline } from "../../work/job";
import { Lease } from "../../shared/lease";
import { NamesCollection } from "./names_collection";
import { Sweep } from "./sweep";

export class Sweeper {
  private readonly lease: Lease;
  private readonly collection: NamesCollection;
  private sweep: Sweep | null = null;
  /** The pass before. */
  private before: Sweep | null = null;
  private nextPass: u64 = 0;
  private shownAt: u64 = 0;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
  ) {
    this.lease = new Lease(cache.settings.cacheName, "sweeper", sharedStore);
    this.collection = new NamesCollection(cache);
  }

  free(): void {
    this.lease.free();
  }

  /** Takes or renews the lease, and returns whether this machine is the sweeper now. */
  elect(): bool {
    if (this.lease.acquireOrRenew(this.cache.clock.nowNanoseconds())) return true;
    this.sweep = null;
    this.before = null;
    return false;
  }

  /** Does what is due now; only for the elected machine. */
  work(deadline: Deadline): void {
    this.collection.work(deadline);
    const now = this.cache.clock.nowNanoseconds();
    if (now - this.shownAt >= NANOSECONDS_PER_SECOND) {
      this.shownAt = now;
      this.cache.counts.show();
      this.cache.showRemovals();
    }
    let sweep = this.sweep;
    if (!sweep) {
      // If the clock was set back, that must not stop the sweeping.
      if (now < this.nextPass && this.nextPass - now <= PASS_NANOSECONDS) return;
      this.cache.readSettings();
      sweep = new Sweep(this.cache);
      this.sweep = sweep;
    }
    if (!sweep.step(deadline)) return;
    sweep.endCensus(this.before);
    this.before = sweep.failed ? null : sweep;
    this.sweep = null;
    this.nextPass = now + PASS_NANOSECONDS;
  }
}

const PASS_NANOSECONDS: u64 = 5 * NANOSECONDS_PER_SECOND;
