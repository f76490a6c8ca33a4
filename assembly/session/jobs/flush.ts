/**
 * SSL_CTX_flush_sessions: removes the sessions that are held at one moment and expired at a given time, or all of them.
 * Those that had not expired leave tombstones: they do not resume.
 *
 * That moment is when the cache's generation is raised: sessions stored later carry the new one and stay. It does not depend
 * on the clock, and from then on earlier sessions count as removed, before their page is reached.
 *
 * Cost: one read of each page in use and one write of each that changes, in slices.
 */
import { Deadline } from "../../work/job";
import { Cache } from "../cache";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { FLUSH_SIZE, FLUSHES_SIZE, flushKey, PastFlush, PLACES } from "../past_flushes";
import { RemovalJob } from "./removal_job";
import { Cause } from "../record/session";
import { Decision, LEAD_SECONDS, STAMPS_PER_SECOND } from "../record/stamp";
import { Metric } from "../counting/statistics";

export class Flush extends RemovalJob {
  private generation: u32 = 0;
  private stamp: u64 = 0;

  /** `before`: sessions whose time + timeout is less than this (Unix seconds) go; 0 = all. */
  constructor(
    cache: Cache,
    private readonly before: u64,
  ) {
    super(cache, Metric.FLUSHED);
  }

  /** Fixes the moment; false if it could not be stored. */
  begin(): bool {
    const cache = this.cache;
    // From now on, no session that it reaches is taken in from another proxy.
    this.stamp = cache.pastFlushes.noteOwn(cache.clock.nowNanoseconds(), this.before);
    if (this.stamp == 0 || !cache.settings.beginFlush(this.before, cache.clock.nowSeconds())) return false;
    this.generation = cache.settings.generation;
    return true;
  }

  protected reaches(entry: Entry): bool {
    if (entry.isTombstone || <i32>(entry.generation - this.generation) >= 0) return false;
    return this.before == 0 || entry.expiry < this.before;
  }

  protected take(page: Page, entry: Entry): void {
    takeFlushed(this.cache, page, entry, this.stamp, this.before);
  }
}

/**
 * Carries out the flushes of other proxies that `ForeignRecords.applyFlush` has taken in: all that are pending when it
 * begins. Those of an earlier generation go as well, if a flush was heard in time; but a session by hand that was put in on
 * top of the flush stays.
 */
export class ForeignFlush extends RemovalJob {
  /** A copy of the flushes of when this began. */
  private readonly flushes: StaticArray<u8> = new StaticArray<u8>(<i32>FLUSHES_SIZE);
  private hasBegun: bool = false;
  /** The flush that reaches the entry that was looked at last. */
  private reaching: PastFlush | null = null;

  constructor(cache: Cache) {
    super(cache, Metric.FLUSHED);
  }

  step(deadline: Deadline): bool {
    if (!this.hasBegun) {
      this.hasBegun = true;
      this.cache.pastFlushes.copyTo(changetype<usize>(this.flushes));
    }
    if (!super.step(deadline)) return false;
    if (!this.failed) this.cache.pastFlushes.noteDone(changetype<usize>(this.flushes));
    return true;
  }

  protected edit(page: Page): bool {
    const spares = this.spare(page);
    return super.edit(page) || spares;
  }

  protected reaches(entry: Entry): bool {
    this.reaching = null;
    if (entry.isTombstone) return false;
    const isByHand = entry.decision == Decision.Addition;
    const isFlushed = !isByHand && this.cache.settings.flushed(entry.generation, entry.expiry);
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (!flush.isPending) continue;
      const reaches = isByHand
        ? flush.reachesAddition(entry.stamp, entry.expiry)
        : flush.reachesObserved(entry.time, entry.expiry) || (isFlushed && flush.reachesExpiry(entry.expiry));
      if (!reaches) continue;
      const reaching = this.reaching;
      if (!reaching || flush.stamp > reaching.stamp) this.reaching = flush;
    }
    return this.reaching != null;
  }

  protected take(page: Page, entry: Entry): void {
    const reaching = this.reaching;
    if (reaching) takeFlushed(this.cache, page, entry, reaching.stamp, reaching.before);
  }

  /** Takes sessions by hand that no flush reaches over to the generation of now. Returns whether there was one. */
  private spare(page: Page): bool {
    const settings = this.cache.settings;
    let spares = false;
    let entry = page.first();
    while (entry) {
      const isByHand = entry.decision == Decision.Addition;
      const isFlushed = isByHand && settings.flushed(entry.generation, entry.expiry);
      if (isFlushed && !this.cache.pastFlushes.reachAddition(entry.stamp, entry.expiry)) {
        entry.generation = settings.generation;
        spares = true;
      }
      entry = page.after(entry);
    }
    return spares;
  }

  private at(place: i32): PastFlush {
    return changetype<PastFlush>(changetype<usize>(this.flushes) + <usize>place * FLUSH_SIZE);
  }
}

/**
 * Takes a flushed session out of its page; one that had not expired leaves a tombstone. Needs the present moment. `stamp` and
 * `before`: those of the flush.
 *
 * All proxies make the same tombstone of a session that a flush of all reaches by `PastFlush`, whenever they hear of it. So
 * only the proxy that tells of the session tells of its tombstone, too. If the session is beyond that reach, or others may
 * hold another one under its ID that expires later than the flush reaches, each proxy tells of its tombstone.
 */
export function takeFlushed(cache: Cache, page: Page, entry: Entry, stamp: u64, before: u64): void {
  const moment = cache.pages.moment;
  if (moment.seconds > entry.expiry) return cache.graves.drop(page, entry, EventType.FLUSHED, EventCause.FLUSH);
  const isByHand = entry.decision == Decision.Addition;
  const isBeyond = isByHand ? entry.stamp > flushKey(stamp) : entry.time > stamp / STAMPS_PER_SECOND + LEAD_SECONDS;
  const isOwn = entry.isOwn || isBeyond || before != 0;
  cache.pages.noteGone(page, entry, moment.nanoseconds, EventType.FLUSHED, EventCause.FLUSH);
  cache.graves.replace(page, entry, Cause.FLUSH, 0, 0, stamp, isOwn);
}
