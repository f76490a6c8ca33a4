/**
 * Takes the other handles of a session out of the cache after one of them was removed: each leaves a tombstone, an event and
 * a count. They are refused already when this begins (`graves.ts`), so nothing depends on how long it takes.
 *
 * Cost: one read of each page in use and one write of each that has such a handle, in slices.
 */
import { Cache } from "../cache";
import { Deadline } from "../../work/job";
import { Entry } from "../pages/entry";
import { Page } from "../pages/page";
import { RemovalJob } from "./removal_job";
import { Metric } from "../counting/statistics";

export class SessionRemoval extends RemovalJob {
  private until: u64 = 0;
  private monotonicUntil: u64 = 0;

  /** `session` is the name that its handles share, `cause` one of `Cause`. */
  constructor(
    cache: Cache,
    private readonly session: u64,
    private readonly cause: u8,
  ) {
    super(cache, Metric.REMOVES);
  }

  step(deadline: Deadline): bool {
    if (!super.step(deadline)) return false;
    // Sessions that are learned later under the name are refused as long as the handle that is refused longest.
    const graves = this.cache.graves;
    const lasts = this.until == 0 || graves.buryName(this.session, this.until, this.monotonicUntil, this.cause);
    if (!lasts) this.failed = true;
    return true;
  }

  protected reaches(entry: Entry): bool {
    return !entry.isTombstone && entry.session == this.session;
  }

  protected take(page: Page, entry: Entry): void {
    const graves = this.cache.graves;
    this.until = max(this.until, graves.remove(page, entry, this.cause, 0, 0));
    this.monotonicUntil = max(this.monotonicUntil, graves.monotonicUntil);
  }
}
