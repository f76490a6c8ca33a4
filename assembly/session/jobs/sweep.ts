/**
 * One pass of automatic clearing: removes sessions that have been expired for a while, tombstones that have ended,
 * saturation that is over, and sessions that an interrupted flush has left. It also counts the sessions that are held
 * (`census.ts`). OpenSSL does this every 256th handshake unless SSL_SESS_CACHE_NO_AUTO_CLEAR is set; here it runs in the
 * background, in slices (`sweeper.ts`).
 */
import { Cache } from "../cache";
import { Census } from "../pages/census";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { takeFlushed } from "./flush";
import { clearsExpired } from "../settings/mode";
import { Moment } from "../record/moment";
import { STAMPS_PER_SECOND } from "../record/stamp";
import { PageJob } from "./page_job";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { Metric } from "../counting/statistics";

export class Sweep extends PageJob {
  private expiredHere: i32 = 0;
  private flushedHere: i32 = 0;
  private readonly census: Census;

  constructor(cache: Cache) {
    super(cache);
    this.census = new Census(cache.counts);
  }

  /** Compares the counts of a finished pass with the stored numbers. `before`: the pass before this one. */
  endCensus(before: Sweep | null): void {
    if (!this.failed) this.census.end(before ? before.census : null);
  }

  protected edit(page: Page): bool {
    const pages = this.cache.pages;
    const moment = pages.moment;
    // A page of the layout before is stored in the current one.
    let changed = pages.upgrades;
    moment.take();
    this.expiredHere = 0;
    this.flushedHere = 0;
    let entry = this.nextOf(page, moment);
    while (entry) {
      if (this.isLeftBehind(entry, moment.seconds)) {
        this.flushedHere++;
        const settings = this.cache.settings;
        takeFlushed(this.cache, page, entry, settings.lastFlush * STAMPS_PER_SECOND, settings.lastFlushedBefore);
      } else if (entry.isTombstone) {
        page.remove(entry);
      } else {
        this.expiredHere++;
        this.cache.graves.drop(page, entry, EventType.EXPIRED, EventCause.TIMEOUT);
      }
      changed = true;
      entry = this.nextOf(page, moment);
    }
    if (page.saturationIsOver(moment)) {
      page.endSaturation();
      changed = true;
    }
    if (changed) this.census.disturb();
    else this.census.see(page);
    return changed;
  }

  protected committed(): void {
    this.cache.metrics.increase(Metric.EXPIRED, this.expiredHere);
    this.cache.metrics.increase(Metric.FLUSHED, this.flushedHere);
  }

  /** Whether an interrupted flush has left an entry: it had time enough to remove it. */
  private isLeftBehind(entry: Entry, now: u64): bool {
    const settings = this.cache.settings;
    if (entry.isTombstone || now < settings.lastFlush + FLUSH_TAKES_SECONDS) return false;
    return settings.flushed(entry.generation, entry.expiry);
  }

  private nextOf(page: Page, moment: Moment): Entry | null {
    const now = moment.seconds;
    const clears = clearsExpired(this.cache.settings.mode);
    let entry = page.first();
    while (entry) {
      const ended = entry.isTombstone ? !entry.refusesAt(moment) : clears && now > entry.expiry + EXPIRED_STAY_SECONDS;
      if (ended || this.isLeftBehind(entry, now)) return entry;
      entry = page.after(entry);
    }
    return null;
  }
}

/** Expired sessions stay this long, so that one which is offered just too late counts as a timeout, not as a miss. */
const EXPIRED_STAY_SECONDS: u64 = 5;
/** Longer than a flush takes: it counts the sessions that it removes, so nobody else may do its work meanwhile. */
const FLUSH_TAKES_SECONDS: u64 = 600;
