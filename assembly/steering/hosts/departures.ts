/**
 * Which upstreams have left the cluster, and how evenly Envoy's balancer chooses. Only this shows it if the filter names the
 * hosts itself (`exact`). The balancer still chooses for new connections, among all upstreams that are there and healthy. An
 * upstream that it does not choose in a round of CHOICES choices for each upstream has left.
 *
 * Each virtual machine counts for itself. By chance, an upstream with its full share is passed over in one round of 10^27.
 * One with a hundredth of its share, by its weight, is passed over in half of them, and is back as soon as it is chosen.
 */
import { isEven } from "./evenness";
import { MAX_UPSTREAMS } from "./upstream";

export class Departures {
  private readonly chosen: StaticArray<u32> = new StaticArray<u32>(MAX_UPSTREAMS);
  private choices: u32 = 0;
  /** The result of the round before. */
  private wasEven: bool = true;

  /** Counts an upstream that the balancer has chosen. */
  note(upstream: i32): void {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return;
    unchecked((this.chosen[upstream] += 1));
    this.choices++;
  }

  /** Whether there were enough choices among so many upstreams to tell who has left. */
  isRoundOver(upstreams: i32): bool {
    return this.choices >= CHOICES * <u32>upstreams;
  }

  hasLeft(upstream: i32): bool {
    return upstream >= 0 && upstream < MAX_UPSTREAMS && unchecked(this.chosen[upstream]) == 0;
  }

  /**
   * Whether the balancer gives so many upstreams equal shares, by this round, or by the one before while this one is young.
   */
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
/** From so many choices for each upstream on, a round shows how even they are. */
const TELLING: u32 = 16;
