/**
 * Goes through a cache page by page, for listings. Over a cache that does not change, a chain of walks, each begun
 * where the one before it stopped, shows every entry exactly once; entries that change meanwhile may be shown again,
 * as they are then, or not at all. One walk reads a bounded number of pages, and none after its deadline.
 */
import { Cache } from "../cache";
import { Deadline } from "../../work/job";
import { Moment } from "../record/moment";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";

/** The entries that a walk shows. */
export const enum Shown {
  Sessions = 0,
  /** Tombstones of IDs that still refuse. */
  Removals = 1,
}

export const enum WalkStep {
  /** `cache.found` or `cache.tombstone` is filled; valid until the next step. */
  Entry = 0,
  /** The bound on pages was reached: go on later from `page` and `version`. */
  Paused = 1,
  End = 2,
  /** The store did not answer. */
  Failed = 3,
  /** The deadline has passed: go on later from `page` and `version`, with the pages that are left. */
  Interrupted = 4,
}

export class Walk {
  readonly pages: u32;
  private current: Page | null = null;

  /**
   * Shows entries from a position on; the beginning is (0, 0). It may read `pagesLeft` pages; a walk that
   * continues an interrupted one takes over the pages that it had left.
   */
  constructor(
    private readonly cache: Cache,
    private readonly shown: Shown,
    public page: u32,
    public version: u64,
    private readonly deadline: Deadline | null = null,
    public pagesLeft: i32 = MAX_PAGES_PER_WALK,
  ) {
    this.pages = cache.pages.count;
    if (pagesLeft == MAX_PAGES_PER_WALK) cache.pages.directory.refreshAll();
  }

  /** Moves on; afterwards `page` and `version` are the position just behind the entry that was shown. */
  next(): WalkStep {
    const moment = this.cache.pages.moment;
    moment.take();
    while (true) {
      const page = this.current;
      if (page) {
        const entry = this.nextIn(page, moment);
        if (entry) {
          this.version = entry.version;
          if (this.shown == Shown.Removals) this.readTombstone(entry);
          else entry.readSession(this.cache.found, this.cache.names);
          return WalkStep.Entry;
        }
        this.current = null;
        this.page++;
        this.version = 0;
        const deadline = this.deadline;
        if (deadline && deadline.passed) return WalkStep.Interrupted;
      }
      const number = this.cache.pages.directory.next(this.page);
      if (number == this.pages) {
        this.page = this.pages;
        return WalkStep.End;
      }
      if (number != this.page) this.version = 0;
      this.page = number;
      if (this.pagesLeft == 0) return WalkStep.Paused;
      this.pagesLeft--;
      this.current = this.cache.pages.readInto(number, WALKED);
      if (!this.current) return WalkStep.Failed;
    }
  }

  /** Fills `cache.tombstone`, and `cache.found` with the description of the removed session, as far as it is known. */
  private readTombstone(entry: Entry): void {
    const cache = this.cache;
    entry.readTombstone(cache.tombstone);
    cache.found.clear();
    entry.readDescription(cache.found, cache.names);
  }

  private nextIn(page: Page, moment: Moment): Entry | null {
    let entry = page.firstAfter(this.version);
    while (entry) {
      if (this.shown == Shown.Removals ? showsRemoval(entry, moment) : !entry.isTombstone) return entry;
      entry = page.after(entry);
    }
    return null;
  }
}

/** Whether an entry is the tombstone of an ID that still refuses; a hidden one stands for the name of a session. */
function showsRemoval(entry: Entry, moment: Moment): bool {
  return entry.isTombstone && !entry.isHidden && entry.refusesAt(moment);
}

/** At 1.5 to 5 us a page, a page of a listing takes a slice or three of work. */
export const MAX_PAGES_PER_WALK: i32 = 512;
const WALKED: usize = memory.data(4096, 8);
