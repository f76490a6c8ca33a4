/**
 * Gives back the names that no record uses (`names.ts`), by the one virtual machine that is elected for it, in slices.
 *
 * Once the half that takes names is nearly full, the other half takes its place. Every machine sees that with its next tick,
 * and writes no number of the first half from then on. After some time a walk over all pages gives each number of it in a
 * record another one, in place; when a whole walk has met none, the half is emptied. If the new half is full before all are
 * moved, the rest waits until sessions have ended: nothing is lost by it, and new names stay in their pages meanwhile.
 *
 * Times are in ticks as well as by the clock, so that a machine that was stopped for a while has ticked before the next
 * phase begins.
 *
 * Cost: one read of each page in use for each walk, one write of each that has old numbers, at most once a minute.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Cache } from "../cache";
import { Deadline } from "../../work/job";
import { Names, Phase } from "../../shared/names";
import { Page } from "../pages/page";
import { PageJob } from "./page_job";

export class NamesCollection {
  private walk: NamesWalk | null = null;
  /** Ticks of this machine in the current phase. */
  private ticks: i32 = 0;
  private ticksOf: Phase = Phase.Idle;

  constructor(private readonly cache: Cache) {}

  /** Does what is due now; to be called with each tick of the elected machine. */
  work(deadline: Deadline): void {
    const names = this.cache.names;
    if (names.phase != this.ticksOf) this.await(names.phase);
    if (++this.ticks < MIN_TICKS) return;
    const now = this.cache.clock.nowNanoseconds();
    // If the clock was set back, that must not stop it.
    const waited = now < names.since ? u64.MAX_VALUE : now - names.since;
    if (names.phase == Phase.Idle) this.begin(names, now, waited);
    else if (names.phase == Phase.Moving) this.move(names, now, waited, deadline);
    else if (names.phase == Phase.Emptying && names.empty()) names.proceed(names.turn, Phase.Idle, now);
  }

  private begin(names: Names, now: u64, waited: u64): void {
    // Reading whether a half is full is not for every tick.
    if (waited < BETWEEN_NANOSECONDS || this.ticks % MIN_TICKS != 0) return;
    if (names.isNearlyFull) names.proceed(names.turn + 1, Phase.Moving, now);
  }

  private move(names: Names, now: u64, waited: u64, deadline: Deadline): void {
    if (waited < GRACE_NANOSECONDS) return;
    let walk = this.walk;
    if (!walk) {
      walk = new NamesWalk(this.cache);
      this.walk = walk;
    }
    if (!walk.step(deadline)) return;
    this.walk = null;
    if (!walk.failed && walk.met == 0) names.proceed(names.turn, Phase.Emptying, now);
    // Names that could not be moved wait for room.
    else if (walk.failed || walk.left > 0) this.ticks = MIN_TICKS - TICKS_UNTIL_RETRY;
  }

  private await(phase: Phase): void {
    this.ticksOf = phase;
    this.ticks = 0;
    this.walk = null;
  }
}

/** Gives records the new numbers of their names. */
class NamesWalk extends PageJob {
  /** Old numbers met, and those that could not be moved. A page that is edited twice counts twice. */
  met: u32 = 0;
  left: u32 = 0;

  constructor(cache: Cache) {
    super(cache);
  }

  protected edit(page: Page): bool {
    const names = this.cache.names;
    let changed = false;
    let entry = page.first();
    while (entry) {
      const old = entry.oldNames(names);
      if (old > 0) {
        const left = entry.renumber(names);
        this.met += old;
        this.left += left;
        changed = changed || left < old;
      }
      entry = page.after(entry);
    }
    return changed;
  }
}

/** At 100 ms each: after so many, every machine has ticked, however long all were stopped. */
const MIN_TICKS: i32 = 50;
const TICKS_UNTIL_RETRY: i32 = 600;
/** From the change of halves to the walk. */
const GRACE_NANOSECONDS: u64 = 10 * NANOSECONDS_PER_SECOND;
/** Between two collections. */
const BETWEEN_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
