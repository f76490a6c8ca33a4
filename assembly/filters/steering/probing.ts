/**
 * How often to try again what was found to be in vain: the FIRST-th connection, then ever fewer, down to one in LAST. So a
 * repair is noticed, and until then the tries cost little.
 */
export class Probing {
  private gap: u32 = FIRST;
  private passed: u32 = 0;

  /** Counts one more connection, and reports whether it is to try. */
  takeTurn(): bool {
    this.passed++;
    if (this.passed < this.gap) return false;
    this.passed = 0;
    this.gap = min(this.gap * 2, LAST);
    return true;
  }
}

const FIRST: u32 = 8;
const LAST: u32 = 64;
