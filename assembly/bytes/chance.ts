/** Random numbers that nobody gains by foreseeing: xorshift64 (Marsaglia 2003). Costs some nanoseconds. */
export class Chance {
  private state: u64;

  constructor(seed: u64) {
    this.state = seed | 1;
  }

  next(): u64 {
    let x = this.state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    this.state = x;
    return x;
  }

  /** Returns a number from 0 to `bound` - 1; `bound` is above 0. */
  below(bound: i32): i32 {
    return <i32>(<u32>this.next() % <u32>bound);
  }
}
