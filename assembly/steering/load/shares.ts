/**
 * Counts the resumptions sent to each upstream: the load that steering itself makes. One for each virtual machine. All
 * counts are halved when there are many, so that old ones weigh little.
 */
import { MAX_UPSTREAMS } from "../hosts/upstream";

export class Shares {
  private readonly counts: StaticArray<u32> = new StaticArray<u32>(MAX_UPSTREAMS);
  total: u32 = 0;

  note(upstream: i32, upstreams: i32): void {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return;
    if (this.total >= WINDOW_OF_ONE * <u32>max(upstreams, 2)) this.halve();
    unchecked((this.counts[upstream] += 1));
    this.total++;
  }

  of(upstream: i32): u32 {
    return upstream >= 0 && upstream < MAX_UPSTREAMS ? unchecked(this.counts[upstream]) : 0;
  }

  /** Whether one more would give an upstream more than `percent` per cent of the mean of so many upstreams. */
  exceeds(upstream: i32, upstreams: i32, percent: u32): bool {
    if (upstreams < 2 || this.total < MIN_OF_ONE * <u32>upstreams) return false;
    return (<u64>this.of(upstream) + 1) * <u64>upstreams * 100 > (<u64>this.total + 1) * <u64>percent;
  }

  reset(): void {
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.counts[upstream] = 0));
    this.total = 0;
  }

  private halve(): void {
    let total: u32 = 0;
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) {
      const half = unchecked(this.counts[upstream]) >> 1;
      unchecked((this.counts[upstream] = half));
      total += half;
    }
    this.total = total;
  }
}

const WINDOW_OF_ONE: u32 = 64;
const MIN_OF_ONE: u32 = 4;
