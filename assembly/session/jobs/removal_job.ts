/**
 * A job that takes some of the sessions out of every page of a cache and counts them: what flushing and removing the handles of a
 * session have in common. Cost: one read of each page in use and one write of each that changes, in slices.
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
    /** Where they are counted. */
    private readonly metric: i32,
  ) {
    super(cache);
  }

  /** Whether an entry is to go. One that was taken is not reached again. */
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
        // Those behind have moved up; what was left in its place stands at the end.
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
