/**
 * Which upstreams have left the cluster, and how evenly the balancer chooses, if the filter itself names the host to connect to
 * (`exact`): nothing else would tell. Envoy's balancer, which goes on choosing for connections that resume nothing, goes to every
 * upstream that is there and healthy; one that it has not chosen in CHOICES choices for each upstream has left.
 *
 * Each virtual machine counts for itself. By chance alone, an upstream that has its share is not chosen in one of 10^27
 * rounds; one that has a hundredth of its share, by its weight, in half of them, and is back as soon as it is chosen.
 */
import { isEven } from "./evenness";
import { MAX_UPSTREAMS } from "./upstream";

export class Departures {
  private readonly chosen: StaticArray<u32> = new StaticArray<u32>(MAX_UPSTREAMS);
  private choices: u32 = 0;
  /** What the round before said of the balance. */
  private wasEven: bool = true;

  /** Notes an upstream that the balancer has chosen. */
  note(upstream: i32): void {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return;
    unchecked((this.chosen[upstream] += 1));
    this.choices++;
  }

  /** Whether enough was seen to tell who has left, of so many upstreams. */
  isRoundOver(upstreams: i32): bool {
    return this.choices >= CHOICES * <u32>upstreams;
  }

  hasLeft(upstream: i32): bool {
    return upstream >= 0 && upstream < MAX_UPSTREAMS && unchecked(this.chosen[upstream]) == 0;
  }

  /** Whether the balancer gives all of so many upstreams the same share, as far as this round tells, or the one before. */
  isEven(upstreams: i32): bool {
    if (this.choices < TELLING * <u32>upstreams) return this.wasEven;
    let parts = 0;
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (unchecked(this.chosen[upstream]) > 0) parts++;
    }
    return isEven(this.chosen, upstreams, parts, this.choices);
  }

  beginRound(upstreams: i32): void {
    this.wasEven = this.isEven(upstreams);
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.chosen[upstream] = 0));
    this.choices = 0;
  }
}

const CHOICES: u32 = 64;
/** From so many choices for each upstream on, a round tells how even they are. */
const TELLING: u32 = 16;
