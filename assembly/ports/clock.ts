/** Time, as the domain needs it. */
export abstract class Clock {
  /** Nanoseconds since the Unix epoch. May step backwards when the machine's clock is set. */
  abstract nowNanoseconds(): u64;

  /**
   * Whole seconds of the machine's own clock, which nobody sets: it only advances, from any start. 0 if there is no such
   * clock.
   */
  abstract monotonicSeconds(): u64;

  /** Whole seconds since the Unix epoch. */
  nowSeconds(): u64 {
    return this.nowNanoseconds() / NANOSECONDS_PER_SECOND;
  }
}

export const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;
