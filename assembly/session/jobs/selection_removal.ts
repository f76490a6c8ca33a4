/**
 * Removes all sessions of a selection, each as a call for its ID would: a tombstone takes its place, an event reports it, a
 * metric counts it. All handles of each go with it, whether they match or not. Or only counts the sessions that match.
 *
 * Two passes over the pages, in slices. In the first, matching sessions go; if one has several handles, the name of its
 * session is buried before (`graves.ts`), so that the others are refused from then on. The second pass takes those out;
 * there is none if none had others. When the job has finished, no session resumes that matched and was held when it began.
 * Of those stored meanwhile, some go.
 *
 * Cost: one read of each page in use and one write of each that changes, for each pass; besides, for a session of several
 * handles, a read of the page of its name for each of them and one write.
 */
import { Cache } from "../cache";
import { Removal } from "../graves";
import { Deadline } from "../../work/job";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { RemovalJob } from "./removal_job";
import { Selection } from "../record/selection";
import { Cause } from "../record/session";
import { Metric } from "../counting/statistics";

export class SelectionRemoval extends RemovalJob {
  /** Rows that have matched. `removed` counts other handles too, and nothing if the job only counts. */
  matched: u64 = 0;
  private takesHandles: bool = false;
  private hasHandles: bool = false;
  private readonly names: StaticArray<u64> = new StaticArray<u64>(NAMES_AT_ONCE);
  private readonly untils: StaticArray<u64> = new StaticArray<u64>(NAMES_AT_ONCE);

  constructor(
    cache: Cache,
    private readonly selection: Selection,
    /** Whether it only counts, and changes nothing. */
    private readonly onlyCounts: bool,
  ) {
    super(cache, Metric.REMOVES);
  }

  step(deadline: Deadline): bool {
    if (!super.step(deadline)) return false;
    if (this.failed || this.onlyCounts || this.takesHandles) return true;
    this.matched = this.removed;
    if (!this.hasHandles) return true;
    this.takesHandles = true;
    this.restart();
    return deadline.passed ? false : this.step(deadline);
  }

  protected edit(page: Page): bool {
    if (this.onlyCounts) {
      let entry = page.first();
      while (entry) {
        this.matched += <u64>this.isAskedFor(entry);
        entry = page.after(entry);
      }
      return false;
    }
    this.cache.pages.moment.take();
    if (this.buryNames(page)) {
      // Burying has used the page's buffer.
      this.again = true;
      return false;
    }
    return super.edit(page);
  }

  protected reaches(entry: Entry): bool {
    return this.isAskedFor(entry);
  }

  protected take(page: Page, entry: Entry): void {
    const graves = this.cache.graves;
    const named = entry.session != 0 && graves.removalOf(entry.session) == Removal.InForce;
    graves.remove(page, entry, Cause.API, named ? graves.until : 0, named ? graves.monotonicUntil : 0);
  }

  private isAskedFor(entry: Entry): bool {
    if (entry.isTombstone) return false;
    const cache = this.cache;
    if (this.takesHandles) {
      // Only those of removed sessions are left.
      return entry.session != 0 && cache.graves.removalOf(entry.session) == Removal.InForce;
    }
    // It does not resume any more, and the flush counts it.
    if (cache.settings.flushed(entry.generation, entry.expiry)) return false;
    entry.readSession(cache.found, cache.names);
    return this.selection.matches(cache.found);
  }

  /**
   * Buries the names of matching sessions that are not buried yet, or not for as long as a handle would resume; only so many
   * that it does not take long. True if there was one: then the page must be read again.
   */
  private buryNames(page: Page): bool {
    const graves = this.cache.graves;
    const moment = this.cache.pages.moment;
    const least = moment.seconds + <u64>this.cache.settings.removedSeconds;
    let count = 0;
    let entry = page.first();
    while (entry && count < NAMES_AT_ONCE) {
      const name = entry.isTombstone ? 0 : entry.session;
      if (name != 0 && this.isAskedFor(entry)) {
        this.hasHandles = true;
        const removal = graves.removalOf(name);
        if (removal != Removal.Saturated && (removal != Removal.InForce || graves.until < entry.expiry)) {
          unchecked((this.names[count] = name));
          unchecked((this.untils[count] = max(entry.expiry, least)));
          count++;
        }
      }
      entry = page.after(entry);
    }
    for (let i = 0; i < count; i++) {
      const until = unchecked(this.untils[i]);
      if (!graves.buryName(unchecked(this.names[i]), until, moment.monotonicAt(until), Cause.API)) this.failed = true;
    }
    return count > 0;
  }
}

/** At a few microseconds each. */
const NAMES_AT_ONCE: i32 = 32;
