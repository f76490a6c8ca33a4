/**
 * A job that takes some of the sessions out of every page of a cache and counts them: the common part of flushing and of
 * removing the handles of a session.
 *
 * Cost: one read of each page in use and one write of each that changes, in slices.
 */
import { Cache } from "../cache";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { PageJob } from "./page_job";

export abstract class RemovalJob extends PageJob {
  /** Sessions removed so far. */
  removed: u64 = 0;
  private removedHere: i32 = 0;

  constructor(
    cache: Cache,
    /** The metric that counts them. */
    private readonly metric: i32,
  ) {
    super(cache);
  }

  /** Whether to remove an entry. A removed one is not reached again. */
  protected abstract reaches(entry: Entry): bool;

  /** Takes an entry out of its page. The present moment is in `pages.moment`. */
  protected abstract take(page: Page, entry: Entry): void;

  protected edit(page: Page): bool {
    this.removedHere = 0;
    this.cache.pages.moment.take();
    let entry = page.first();
    while (entry) {
      if (this.reaches(entry)) {
        this.take(page, entry);
        this.removedHere++;
        // The entries behind have moved up; its tombstone stands at the end.
        entry = page.following(entry);
      } else {
        entry = page.after(entry);
      }
    }
    return this.removedHere > 0;
  }

  protected committed(): void {
    this.removed += <u64>this.removedHere;
    this.cache.metrics.increase(this.metric, this.removedHere);
  }
}
