/**
 * A job that edits every page of a cache once, in slices: the common part of flushing, sweeping and shrinking. It writes no
 * more events than are collected: if its outbox is crowded, it collects them, or waits, before it goes on.
 *
 * A page of a later layout is passed over; the job goes on, and ends as failed.
 *
 * A page whose commit meets other writers is read and edited again; one that cannot be committed in a bounded number of
 * tries ends the job as failed.
 */
import { StoreResult } from "../../ports/shared_store";
import { Cache } from "../cache";
import { Deadline, Job } from "../../work/job";
import { Page } from "../pages/page";

export abstract class PageJob extends Job {
  /** Set by `edit` if it has used the buffer of its page for another one: the page is read and edited again. */
  protected again: bool = false;
  private page: u32 = 0;
  private tries: i32 = 0;
  private refreshed: bool = false;
  /** Whether there was a page that it could not read. */
  private passedOver: bool = false;
  /** Since when it waits for its events to be collected (nanoseconds since 1970), 0 if it does not wait. */
  private waitsSince: u64 = 0;

  constructor(protected readonly cache: Cache) {
    super();
  }

  /** Edits a page that was just read; true if it is to be stored. May be called again for the same page. */
  protected abstract edit(page: Page): bool;

  /** Called when the last edit was stored. */
  protected committed(): void {}

  step(deadline: Deadline): bool {
    const pages = this.cache.pages;
    if (!this.refreshed) {
      pages.directory.refreshAll();
      this.refreshed = true;
    }
    this.page = pages.directory.next(this.page);
    while (this.page != pages.count) {
      if (this.collectOrWait(deadline)) return false;
      const page = pages.read(this.page);
      if (!page && !pages.isLater) return this.giveUp();
      if (!page) {
        this.passedOver = true;
        this.advance();
        this.page = pages.directory.next(this.page);
        continue;
      }
      const changed = this.edit(page);
      if (this.failed) return true;
      if (this.again) {
        this.again = false;
        if (++this.tries == MAX_TRIES) return this.giveUp();
      } else if (!changed) {
        this.advance();
      } else {
        const result = pages.commit(0);
        if (result == StoreResult.Ok) {
          this.committed();
          this.advance();
        } else if (result != StoreResult.Conflict || ++this.tries == MAX_TRIES) {
          return this.giveUp();
        }
      }
      this.page = pages.directory.next(this.page);
      if (deadline.passed) break;
    }
    if (this.page != pages.count) return false;
    if (this.passedOver) this.failed = true;
    return true;
  }

  /** Collects its events if there are many; true if it has to wait for that. Not for ever: nothing holds up a removal. */
  private collectOrWait(deadline: Deadline): bool {
    const outbox = this.cache.pages.outbox;
    if (!outbox.isCrowded || this.cache.events.relieve(outbox, deadline)) {
      this.waitsSince = 0;
      return false;
    }
    const now = this.cache.clock.nowNanoseconds();
    if (this.waitsSince == 0) this.waitsSince = now;
    return now >= this.waitsSince && now - this.waitsSince < MAX_WAIT_NANOSECONDS;
  }

  /** Begins again from the first page. */
  protected restart(): void {
    this.page = 0;
    this.tries = 0;
    this.refreshed = false;
  }

  private advance(): void {
    this.page++;
    this.tries = 0;
  }

  private giveUp(): bool {
    this.failed = true;
    return true;
  }
}

/** Longer than a machine that ended in the middle of a change holds up the collecting (`events/sequencer.ts`). */
const MAX_WAIT_NANOSECONDS: u64 = 10_000_000_000;
/** Tries of one page in one job. */
const MAX_TRIES: i32 = 256;
