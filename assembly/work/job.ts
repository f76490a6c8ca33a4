/** Work on the whole cache, done in slices that never hold a worker for long. */
import { Clock } from "../ports/clock";

export abstract class Job {
  /** Set if the job gave up; the work done before stays done. */
  failed: bool = false;

  /** Works until the job has finished (true) or the deadline has passed (false). */
  abstract step(deadline: Deadline): bool;
}

/** The end of a slice of work. */
export class Deadline {
  private end: u64 = 0;

  constructor(private readonly clock: Clock) {}

  /** Starts a slice of that length. */
  start(nanoseconds: u64): void {
    this.end = this.clock.nowNanoseconds() + nanoseconds;
  }

  get passed(): bool {
    return this.clock.nowNanoseconds() >= this.end;
  }

  /** Whether so much time is left. */
  leaves(nanoseconds: u64): bool {
    return this.clock.nowNanoseconds() + nanoseconds <= this.end;
  }
}

/** A slice holds a worker for a millisecond at most: the last page may overrun this by some microseconds. */
export const SLICE_NANOSECONDS: u64 = 800_000;
