/**
 * The pages of one cache in the shared store: read one, edit it in place, commit it with compare-and-set, and keep the
 * gauges that follow from it exact.
 *
 * All caches of a virtual machine edit in one static buffer, one page at a time: a page, and every view into it, is
 * valid until the next `read`. Cost: one access to the store each for `read` and `commit`.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../ports/clock";
import { Metrics } from "../ports/metrics";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Directory } from "./directory";
import { Outbox } from "./events/outbox";
import { hashId, StoreKey } from "./keys";
import { Entry, Page, PAGE_CAPACITY, storedLength } from "./page";
import { Metric } from "./statistics";

export class Pages {
  readonly directory: Directory;
  readonly outbox: Outbox;
  private readonly key: StoreKey;
  private number: u32 = 0;
  private exists: bool = false;
  private mark: u32 = 0;
  private length: i32 = 0;
  private sessionsBefore: i32 = 0;
  private tombstonesBefore: i32 = 0;
  private saturatedBefore: bool = false;

  constructor(
    cacheName: string,
    readonly count: u32,
    private readonly sharedStore: SharedStore,
    clock: Clock,
    private readonly metrics: Metrics,
  ) {
    this.directory = new Directory(cacheName, sharedStore, count);
    this.outbox = new Outbox(cacheName, sharedStore, clock, metrics);
    this.key = new StoreKey(cacheName, "page", true);
  }

  free(): void {
    this.directory.free();
    this.outbox.free();
    this.key.free();
  }

  /** The page in which an ID lives, if it lives at all. `count` is a power of two. */
  @inline
  pageOf(id: usize, idLength: i32): u32 {
    return hashId(id, idLength) & (this.count - 1);
  }

  /** Reads a page for editing; one that does not exist yet reads as empty. Null where the store does not answer. */
  read(number: u32): Page | null {
    const page = this.readInto(number, EDITED);
    if (!page) return null;
    this.outbox.clear();
    this.number = number;
    this.exists = this.sharedStore.length > 0;
    this.mark = this.sharedStore.mark;
    this.length = this.sharedStore.length;
    this.sessionsBefore = page.sessions;
    this.tombstonesBefore = page.tombstones;
    this.saturatedBefore = page.saturatedUntil != 0;
    return page;
  }

  /** Reads a page into a buffer of PAGE_CAPACITY bytes, only to look at it. */
  readInto(number: u32, buffer: usize): Page | null {
    this.key.select(number);
    const page = changetype<Page>(buffer);
    const result = this.sharedStore.read(this.key.start, this.key.length, buffer, PAGE_CAPACITY);
    if (result == StoreResult.Ok) {
      page.validate(this.sharedStore.length);
      return page;
    }
    if (result != StoreResult.Absent) return null;
    this.sharedStore.length = 0;
    page.reset();
    return page;
  }

  /**
   * The version that the next change of a page is to carry: ascending for the page and for this virtual machine, so
   * that events can be put in order (`events/outbox.ts`).
   */
  version(page: Page, nowNanoseconds: u64): u64 {
    const next = page.nextVersion(nowNanoseconds);
    return next > this.outbox.lastVersion ? next : this.outbox.lastVersion + 1;
  }

  /** Notes an event of a session whose change carries `version`; it happens when the page is stored. */
  note(version: u64, nowSeconds: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    this.outbox.note(version, nowSeconds, type, cause, id, idLength);
  }

  /** Notes an event that leaves no record behind, with a version of its own. Before the entry is removed. */
  noteGone(page: Page, entry: Entry, nowNanoseconds: u64, type: u8, cause: u8): void {
    const version = this.version(page, nowNanoseconds);
    page.lastVersion = version;
    this.note(version, nowNanoseconds / NANOSECONDS_PER_SECOND, type, cause, entry.id, entry.idLength);
  }

  /** Tells of an event that changes no page. */
  tell(nowNanoseconds: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    const next = this.outbox.lastVersion + 1;
    const version = nowNanoseconds > next ? nowNanoseconds : next;
    this.outbox.clear();
    this.note(version, nowNanoseconds / NANOSECONDS_PER_SECOND, type, cause, id, idLength);
    this.outbox.announce();
    this.outbox.confirm();
  }

  /** To be called now and then. */
  tick(): void {
    this.outbox.tick();
  }

  /**
   * Stores the page that was read last, as it is now. With `Ok`, the gauges of sessions, tombstones and saturated pages
   * have followed; `reserved` is the number of sessions that the gauge counts already (see `admission.ts`).
   * With `Conflict` nothing was stored: read again and retry.
   */
  commit(reserved: i32): StoreResult {
    if (!this.directory.add(this.number)) return StoreResult.Failed;
    const page = changetype<Page>(EDITED);
    let length = storedLength(page.used);
    if (length < this.length) length = this.length;
    this.key.select(this.number);
    this.outbox.announce();
    const result = this.exists
      ? this.sharedStore.replace(this.key.start, this.key.length, EDITED, length, this.mark)
      : this.sharedStore.create(this.key.start, this.key.length, EDITED, length);
    if (result == StoreResult.Ok) {
      this.outbox.confirm();
      this.follow(page, reserved);
      return result;
    }
    this.outbox.retract();
    if (result == StoreResult.Conflict) this.metrics.increase(Metric.CAS_CONFLICTS, 1);
    return result;
  }

  private follow(page: Page, reserved: i32): void {
    this.move(Metric.SESSIONS, <i32>page.sessions - this.sessionsBefore - reserved);
    this.move(Metric.TOMBSTONES, <i32>page.tombstones - this.tombstonesBefore);
    this.move(Metric.SATURATED_PAGES, <i32>(page.saturatedUntil != 0) - <i32>this.saturatedBefore);
  }

  private move(gauge: i32, by: i32): void {
    if (by > 0) this.metrics.increase(gauge, by);
    else if (by < 0) this.metrics.decrease(gauge, -by);
  }
}

/** Tries of one change against other writers of the same page before it is given up, counted and reported. */
export const MAX_TRIES: i32 = 32;
const EDITED: usize = memory.data(16384, 8);
