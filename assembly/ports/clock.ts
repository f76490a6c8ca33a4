/** What the domain needs to know of time. */
export abstract class Clock {
  /** Nanoseconds since the Unix epoch. May step backwards when the machine's clock is set. */
  abstract nowNanoseconds(): u64;

  /**
   * Whole seconds of the machine's own clock, which nobody sets: it only goes on, from a beginning of its own. Never 0, but
   * where there is no such clock.
   */
  abstract monotonicSeconds(): u64;

  /** Whole seconds since the Unix epoch. */
  nowSeconds(): u64 {
    return this.nowNanoseconds() / NANOSECONDS_PER_SECOND;
  }
}

export const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
