/** How long slices of work have taken: a histogram in steps of 10 us up to 50 ms, and the longest. */
export class Slices {
  private readonly counts: StaticArray<u32> = new StaticArray<u32>(STEPS);
  private count: u32 = 0;
  private sum: u64 = 0;
  private longest: u64 = 0;

  clear(): void {
    this.count = 0;
    this.sum = 0;
    this.longest = 0;
    for (let i = 0; i < STEPS; i++) this.counts[i] = 0;
  }

  add(nanoseconds: u64): void {
    const step = <i32>min(nanoseconds / STEP_NANOSECONDS, STEPS - 1);
    this.counts[step] = this.counts[step] + 1;
    this.count++;
    this.sum += nanoseconds;
    if (nanoseconds > this.longest) this.longest = nanoseconds;
  }

  /** Count, sum, median, 99th and 99.9th percentile (each up to 10 us too long), longest; and how many were above a millisecond. */
  text(): string {
    const numbers: u64[] = [
      <u64>this.count,
      this.sum,
      this.quantile(500),
      this.quantile(990),
      this.quantile(999),
      this.longest,
      this.above(1_000_000),
    ];
    return numbers.join(" ");
  }

  private above(nanoseconds: u64): u64 {
    let sum: u64 = 0;
    for (let step = <i32>(nanoseconds / STEP_NANOSECONDS); step < STEPS; step++) sum += this.counts[step];
    return sum;
  }

  private quantile(permille: u64): u64 {
    const wanted = (<u64>this.count * permille + 999) / 1000;
    let seen: u64 = 0;
    for (let step = 0; step < STEPS; step++) {
      seen += this.counts[step];
      if (seen >= wanted) return (<u64>step + 1) * STEP_NANOSECONDS;
    }
    return this.longest;
  }
}

const STEPS: i32 = 5000;
const STEP_NANOSECONDS: u64 = 10_000;
