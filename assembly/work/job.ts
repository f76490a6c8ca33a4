/** Work on the whole cache that is carried out in slices, so that it never holds a worker for long. */
import { Clock } from "../ports/clock";

export abstract class Job {
  /** Set when the work had to be given up; what was done until then stays done. */
  failed: bool = false;

  /** Works until it is finished, which it says by true, or until the deadline has passed. */
  abstract step(deadline: Deadline): bool;
}

/** The end of a slice of work. */
export class Deadline {
  private end: u64 = 0;

  constructor(private readonly clock: Clock) {}

  /** Starts a slice of the given length. */
  start(nanoseconds: u64): void {
    this.end = this.clock.nowNanoseconds() + nanoseconds;
  }

  get passed(): bool {
    return this.clock.nowNanoseconds() >= this.end;
  }
}

/** No slice of a job holds a worker for longer than a millisecond; the last page may overrun by a few microseconds. */
export const SLICE_NANOSECONDS: u64 = 900_000;
