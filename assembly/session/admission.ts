/**
 * Keeps the number of sessions within the size of the cache, exactly, whatever the workers do at the same time.
 *
 * A new session takes its place first: the number in the shared store (`counts.ts`) is raised before the session is stored,
 * and lowered only after one is gone, so it is never below the number of stored sessions. If there is no room, a writer
 * evicts a session and takes over its place: the number stays. Under contention two writers may each evict one although one
 * would have been enough: the number is then lower for a moment, never higher. While a lowered size is being carried out
 * (`shrink.ts`), a writer evicts more, up to a bound: it stores no more sessions than it has evicted, so the number does not
 * grow.
 *
 * As in OpenSSL 3 (SSL_CTX_add_session), the evicted session is the one that expires first: of all up to a size of
 * EXACT_SIZE, above of a sample: SAMPLED_PAGES pages taken at random from those in use, and as many more as it takes to see
 * SAMPLED_SESSIONS sessions, up to MAX_SAMPLED_PAGES, as pages may hold little else than tombstones.
 *
 * Cost of one eviction: a read of each page in use (up to EXACT_SIZE) or of those pages, and one commit.
 */
import { Chance } from "../bytes/chance";
import { Metrics } from "../ports/metrics";
import { StoreResult } from "../ports/shared_store";
import { Counts, Room } from "./counting/counts";
import { EventType } from "./events/event";
import { EventCause } from "./record/event_cause";
import { MAX_ID_LENGTH } from "./record/session";
import { Graves } from "./graves";
import { Pages } from "./pages/pages";
import { Metric } from "./counting/statistics";

export const enum Admission {
  /** There was room: the page that is being edited is untouched. */
  Free = 0,
  /** There is room now; the page that was being edited must be read again. */
  Evicted = 1,
  /** No room could be made in a bounded number of tries; nothing is reserved. */
  Denied = 2,
}

export class Admissions {
  /** Places of the cache's number that are taken and have no session yet: 0 or 1. */
  reserved: i32 = 0;
  /** Spreads the sample. */
  private readonly chance: Chance;
  private victimIdLength: i32 = 0;
  private victimVersion: u64 = 0;
  private victimExpiry: u64 = 0;
  /** Sessions in the pages of the sample. */
  private seen: i32 = 0;

  constructor(
    private readonly pages: Pages,
    private readonly counts: Counts,
    private readonly metrics: Metrics,
    private readonly graves: Graves,
  ) {
    this.chance = new Chance(pages.moment.take());
  }

  /** Begins an addition: nothing is reserved for it yet. */
  begin(): void {
    this.reserved = 0;
  }

  /** Reserves room for one session in a cache of the given size (0 = unlimited), unless there is a reservation. */
  reserve(cacheSize: u32): Admission {
    if (this.reserved > 0) return Admission.Free;
    const admission = this.findRoom(cacheSize);
    if (admission != Admission.Denied) this.reserved = 1;
    return admission;
  }

  /** Gives a reservation back, if there is one. */
  release(): void {
    if (this.reserved > 0) this.counts.move(-1, 0, 0);
    this.reserved = 0;
  }

  private findRoom(cacheSize: u32): Admission {
    const counts = this.counts;
    const room = counts.take(cacheSize);
    if (room == Room.Taken) return Admission.Free;
    if (room == Room.Unknown) return Admission.Denied;
    const exact = cacheSize <= EXACT_SIZE;
    let hasPlace = false;
    for (let attempt = 0; attempt < MAX_EVICTIONS; attempt++) {
      if (!this.evictOne(exact, !hasPlace)) {
        // The session to evict may just have left by itself.
        if (hasPlace || counts.take(cacheSize) != Room.Taken) continue;
        return Admission.Evicted;
      }
      hasPlace = true;
      if (counts.sessions <= cacheSize) return Admission.Evicted;
    }
    return hasPlace ? Admission.Evicted : Admission.Denied;
  }

  /** Evicts a session; false if none could be evicted. `keepsPlace`: the number of sessions stays as it is. */
  private evictOne(exact: bool, keepsPlace: bool): bool {
    for (let attempt = 0; attempt < MAX_EVICTION_TRIES; attempt++) {
      const victimPage = exact ? this.chooseOfAll() : this.chooseOfSample();
      if (victimPage == this.pages.count) return false;
      const page = this.pages.read(victimPage);
      if (!page) return false;
      const victim = page.find(VICTIM_ID, this.victimIdLength);
      if (!victim || victim.isTombstone || victim.version != this.victimVersion) continue;
      this.pages.moment.take();
      this.graves.drop(page, victim, EventType.EVICTED, EventCause.SIZE);
      if (this.pages.commit(keepsPlace ? -1 : 0) == StoreResult.Ok) {
        this.metrics.increase(Metric.CACHE_FULL, 1);
        return true;
      }
    }
    return false;
  }

  /** The page of the session that expires first of all, or `count` if there is none. */
  private chooseOfAll(): u32 {
    const directory = this.pages.directory;
    directory.refreshAll();
    let chosen = this.pages.count;
    this.victimExpiry = u64.MAX_VALUE;
    for (let number = directory.next(0); number < this.pages.count; number = directory.next(number + 1)) {
      if (this.consider(number)) chosen = number;
    }
    return chosen;
  }

  /** The same for a sample of pages, each the one in which a random ID would live. */
  private chooseOfSample(): u32 {
    const directory = this.pages.directory;
    let chosen = this.pages.count;
    this.victimExpiry = u64.MAX_VALUE;
    this.seen = 0;
    for (let sampled = 0; sampled < MAX_SAMPLED_PAGES; sampled++) {
      if (sampled >= SAMPLED_PAGES && this.seen >= SAMPLED_SESSIONS) break;
      const number = directory.deepest(<u32>(this.chance.next() >> 11));
      if (this.consider(number)) chosen = number;
    }
    return chosen;
  }

  /**
   * Remembers the session of a page that expires first, if it expires before the remembered one. Returns whether it does.
   */
  private consider(number: u32): bool {
    const page = this.pages.read(number);
    if (!page || page.sessions == 0) return false;
    this.seen += page.sessions;
    const entry = page.earliestToExpire();
    if (!entry) return false;
    if (entry.expiry > this.victimExpiry) return false;
    if (entry.expiry == this.victimExpiry && entry.version >= this.victimVersion) return false;
    this.victimExpiry = entry.expiry;
    this.victimVersion = entry.version;
    this.victimIdLength = entry.idLength;
    memory.copy(VICTIM_ID, entry.id, entry.idLength);
    return true;
  }
}

const EXACT_SIZE: u32 = 256;
const SAMPLED_PAGES: i32 = 8;
const SAMPLED_SESSIONS: i32 = 64;
const MAX_SAMPLED_PAGES: i32 = 128;
/** Evictions for one new session: more than one only if the size was lowered or others add at the same time. */
const MAX_EVICTIONS: i32 = 8;
const MAX_EVICTION_TRIES: i32 = 8;
const VICTIM_ID: usize = memory.data(MAX_ID_LENGTH);
