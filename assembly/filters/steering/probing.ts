/**
 * How often something is still tried that was found to be in vain: the FIRST-th of those that come, then ever fewer, down to one in
 * LAST. So what was put right is found out, and costs little as long as it was not.
 */
export class Probing {
  private gap: u32 = FIRST;
  private passed: u32 = 0;

  /** Whether this one is to try. */
  takesNext(): bool {
    this.passed++;
    if (this.passed < this.gap) return false;
    this.passed = 0;
    this.gap = min(this.gap * 2, LAST);
    return true;
  }
}

const FIRST: u32 = 8;
const LAST: u32 = 64;
