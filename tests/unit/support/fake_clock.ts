/** A clock that stands still until it is moved. */
import { Clock, NANOSECONDS_PER_SECOND } from "../../../assembly/ports/clock";

export class FakeClock extends Clock {
  constructor(public nanoseconds: u64 = 1_790_000_000 * NANOSECONDS_PER_SECOND) {
    super();
  }

  nowNanoseconds(): u64 {
    return this.nanoseconds;
  }

  advance(seconds: i64): void {
    this.nanoseconds += <u64>(seconds * <i64>NANOSECONDS_PER_SECOND);
  }
}
