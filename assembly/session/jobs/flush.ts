/**
 * SSL_CTX_flush_sessions: removes the sessions that are held at one moment and expired at a given time, or all of them.
 * Those that had not expired leave tombstones: they do not resume.
 *
 * That moment is when the cache's generation is raised: sessions stored later carry the new one and stay. It does not depend
 * on the clock, and from then on earlier sessions count as removed, before their page is reached.
 *
 * Cost: one read of each page in use and one write of each that changes, in slices.
 */
import { Cache } from "../cache";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { RemovalJob } from "./removal_job";
import { Cause } from "../record/session";
import { Metric } from "../counting/statistics";

export class Flush extends RemovalJob {
  private generation: u32 = 0;

  /** `before`: sessions whose time + timeout is less than this (Unix seconds) go; 0 = all. */
  constructor(
    cache: Cache,
    private readonly before: u64,
  ) {
    super(cache, Metric.FLUSHED);
  }

  /** Fixes the moment; false if it could not be stored. */
  begin(): bool {
    if (!this.cache.settings.beginFlush(this.before, this.cache.clock.nowSeconds())) return false;
    this.generation = this.cache.settings.generation;
    return true;
  }

  protected reaches(entry: Entry): bool {
    if (entry.isTombstone || <i32>(entry.generation - this.generation) >= 0) return false;
    return this.before == 0 || entry.expiry < this.before;
  }

  protected take(page: Page, entry: Entry): void {
    takeFlushed(this.cache, page, entry);
  }
}

/** Takes a flushed session out of its page; one that had not expired leaves a tombstone. Needs the present moment. */
export function takeFlushed(cache: Cache, page: Page, entry: Entry): void {
  const moment = cache.pages.moment;
  if (moment.seconds > entry.expiry) return cache.graves.drop(page, entry, EventType.FLUSHED, EventCause.FLUSH);
  cache.pages.noteGone(page, entry, moment.nanoseconds, EventType.FLUSHED, EventCause.FLUSH);
  cache.graves.replace(page, entry, Cause.FLUSH, 0, 0);
}
