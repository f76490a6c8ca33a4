/** The clock of so slow a machine that a slice has time for a few records only. */
import { NANOSECONDS_PER_SECOND } from "../../../assembly/ports/clock";
import { FakeClock } from "./fake_clock";

export class SlowClock extends FakeClock {
  constructor() {
    super(1_790_000_000 * NANOSECONDS_PER_SECOND);
  }

  nowNanoseconds(): u64 {
    this.nanoseconds += 100_000;
    return this.nanoseconds;
  }
}
