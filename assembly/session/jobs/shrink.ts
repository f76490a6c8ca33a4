/**
 * Brings the number of sessions down to a size that was lowered, by evicting those that expire first, whatever the
 * size: exactly, not by a sample. OpenSSL does this within the next add; here it is done before the answer, in slices.
 *
 * It goes through the cache twice for each ROUND sessions: once to find the ROUND that expire first, once to evict what
 * is not later than the last of them. Cost of a round: two reads of each page in use, one write of each that changes.
 */
import { Cache } from "../cache";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { Deadline } from "../../work/job";
import { PageJob } from "./page_job";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { Metric } from "../counting/statistics";

export class Shrink extends PageJob {
  private evicting: bool = false;
  private found: i32 = 0;
  /** How many this search is for: were it to grow on the way, sessions that expire late would be taken for early ones. */
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
        // Whatever holds the number up without being found is not for this job to wait for.
        if (this.evictedInRound == 0 || ++this.rounds == MAX_ROUNDS) return true;
        this.found = 0;
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

  /** Keeps the sessions that expire first, the last of them on top of a heap. */
  private searchIn(page: Page): bool {
    if (this.wanted == 0) {
      const excess = this.excess();
      this.wanted = excess < <u64>ROUND ? <i32>excess : ROUND;
    }
    let entry = page.first();
    while (entry) {
      if (!entry.isTombstone) this.offer(entry, this.wanted);
      entry = page.after(entry);
    }
    return false;
  }

  private offer(entry: Entry, wanted: i32): void {
    if (this.found < wanted) {
      this.rise(this.found++, entry.expiry, entry.version);
    } else if (wanted > 0 && isBefore(entry.expiry, entry.version, 0)) {
      this.sink(entry.expiry, entry.version);
    }
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

  /** A session of the page that is not later than the last of those that were found. */
  private nextOf(page: Page): Entry | null {
    if (this.found == 0) return null;
    let entry = page.first();
    while (entry) {
      if (!entry.isTombstone && !isAfterTop(entry)) return entry;
      entry = page.after(entry);
    }
    return null;
  }

  private rise(start: i32, expiry: u64, version: u64): void {
    let place = start;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(heapExpiry(parent), heapVersion(parent), -1, expiry, version)) break;
      setHeap(place, heapExpiry(parent), heapVersion(parent));
      place = parent;
    }
    setHeap(place, expiry, version);
  }

  private sink(expiry: u64, version: u64): void {
    let place = 0;
    while (true) {
      let child = place * 2 + 1;
      if (child >= this.found) break;
      if (child + 1 < this.found && isBefore(heapExpiry(child), heapVersion(child), child + 1)) child++;
      if (!isBefore(expiry, version, child)) break;
      setHeap(place, heapExpiry(child), heapVersion(child));
      place = child;
    }
    setHeap(place, expiry, version);
  }
}

/** Whether (expiry, version) comes before a place of the heap, or, where the place is -1, before another pair. */
function isBefore(expiry: u64, version: u64, place: i32, otherExpiry: u64 = 0, otherVersion: u64 = 0): bool {
  const otherE = place < 0 ? otherExpiry : heapExpiry(place);
  const otherV = place < 0 ? otherVersion : heapVersion(place);
  return expiry < otherE || (expiry == otherE && version < otherV);
}

function isAfterTop(entry: Entry): bool {
  return entry.expiry > heapExpiry(0) || (entry.expiry == heapExpiry(0) && entry.version > heapVersion(0));
}


@inline
function heapExpiry(place: i32): u64 {
  return load<u64>(HEAP + ((<usize>place) << 4));
}


@inline
function heapVersion(place: i32): u64 {
  return load<u64>(HEAP + ((<usize>place) << 4), 8);
}


@inline
function setHeap(place: i32, expiry: u64, version: u64): void {
  store<u64>(HEAP + ((<usize>place) << 4), expiry);
  store<u64>(HEAP + ((<usize>place) << 4), version, 8);
}

const ROUND: i32 = 4096;
const MAX_ROUNDS: i32 = 1024;
const HEAP: usize = memory.data(65536, 8);
