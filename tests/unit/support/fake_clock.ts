/** Two clocks that stand still until they are moved: the clock of the day, and the machine's own. */
import { Clock, NANOSECONDS_PER_SECOND } from "../../../assembly/ports/clock";

export class FakeClock extends Clock {
  /** Seconds of the machine's clock; 0: the machine has none. */
  machine: u64 = 5_000;

  constructor(public nanoseconds: u64 = 1_790_000_000 * NANOSECONDS_PER_SECOND) {
    super();
  }

  nowNanoseconds(): u64 {
    return this.nanoseconds;
  }

  monotonicSeconds(): u64 {
    return this.machine;
  }

  /** Time passes; backwards, somebody sets the clock of the day. */
  advance(seconds: i64): void {
    this.set(seconds);
    if (seconds > 0 && this.machine != 0) this.machine += <u64>seconds;
  }

  /** Somebody sets the clock of the day, ahead or back; no time passes. */
  set(seconds: i64): void {
    this.nanoseconds += <u64>(seconds * <i64>NANOSECONDS_PER_SECOND);
  }
}
