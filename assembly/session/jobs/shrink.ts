/**
 * Brings the number of sessions down to a size that was lowered, by evicting those that expire first: exactly, not by a
 * sample, whatever the size. OpenSSL does this within the next add; here it is done before the answer, in slices.
 *
 * Each round goes through the cache twice: once to find up to MAX_FOUND sessions that expire first, once to evict those that
 * expire no later than the last of them.
 *
 * Cost of a round: two reads of each page in use, one write of each that changes.
 */
import { Cache } from "../cache";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { Deadline } from "../../work/job";
import { ExpiryHeap, MAX_FOUND } from "./expiry_heap";
import { PageJob } from "./page_job";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { Metric } from "../counting/statistics";

export class Shrink extends PageJob {
  private evicting: bool = false;
  private readonly heap: ExpiryHeap = new ExpiryHeap();
  /**
   * How many sessions this search is for. It stays: if it grew on the way, sessions that expire late would pass for early
   * ones.
   */
  private wanted: i32 = 0;
  private evictedHere: i32 = 0;
  private evictedInRound: i32 = 0;
  private rounds: i32 = 0;

  constructor(cache: Cache) {
    super(cache);
  }

  step(deadline: Deadline): bool {
    while (true) {
      if (!this.evicting && this.excess() == 0) return true;
      if (!super.step(deadline)) return false;
      if (this.failed) return true;
      if (this.evicting) {
        // If nothing was found to evict, the number is held up by something that this job does not wait for.
        if (this.evictedInRound == 0 || ++this.rounds == MAX_ROUNDS) return true;
        this.heap.clear();
        this.wanted = 0;
      }
      this.evicting = !this.evicting;
      this.evictedInRound = 0;
      this.restart();
    }
  }

  protected edit(page: Page): bool {
    return this.evicting ? this.evictFrom(page) : this.searchIn(page);
  }

  protected committed(): void {
    this.evictedInRound += this.evictedHere;
    this.cache.metrics.increase(Metric.CACHE_FULL, this.evictedHere);
  }

  private excess(): u64 {
    const size = <u64>this.cache.settings.cacheSize;
    const counts = this.cache.counts;
    counts.read();
    const number = <u64>counts.sessions;
    return size == 0 || number <= size ? 0 : number - size;
  }

  private searchIn(page: Page): bool {
    if (this.wanted == 0) {
      const excess = this.excess();
      this.wanted = excess < <u64>MAX_FOUND ? <i32>excess : MAX_FOUND;
    }
    let entry = page.first();
    while (entry) {
      if (!entry.isTombstone) this.heap.offer(entry, this.wanted);
      entry = page.after(entry);
    }
    return false;
  }

  private evictFrom(page: Page): bool {
    this.evictedHere = 0;
    this.cache.pages.moment.take();
    let left = this.excess();
    let entry = this.nextOf(page);
    while (entry && left > 0) {
      this.cache.graves.drop(page, entry, EventType.EVICTED, EventCause.SIZE);
      this.evictedHere++;
      left--;
      entry = this.nextOf(page);
    }
    return this.evictedHere > 0;
  }

  /** A session of the page that expires no later than the last of those that were found. */
  private nextOf(page: Page): Entry | null {
    let entry = page.first();
    while (entry) {
      if (!entry.isTombstone && this.heap.reaches(entry)) return entry;
      entry = page.after(entry);
    }
    return null;
  }
}

const MAX_ROUNDS: i32 = 1024;
