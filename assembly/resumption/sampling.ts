/**
 * Samples connections for questions whose answer rarely changes: the first 16 of each tick, then one in eight. So a change
 * shows at once if there is little traffic, and within a tick or two if there is much.
 */
export class Sampling {
  private seen: u32 = 0;

  /** Counts a connection, and reports whether to ask it. */
  countNext(): bool {
    const number = this.seen++;
    return number < SAMPLED_FIRST || number % ONE_IN == 0;
  }

  /** Begins the next tick; to be called ten times a second. */
  tick(): void {
    this.seen = 0;
  }
}

const SAMPLED_FIRST: u32 = 16;
const ONE_IN: u32 = 8;
