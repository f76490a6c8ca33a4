/**
 * Which upstreams have left the cluster, for where the filter itself names the host to connect to (`exact`): nothing else
 * would tell. Envoy's balancer, which goes on choosing for connections that resume nothing, goes to every upstream that is
 * there and healthy; one that it has not chosen in CHOICES choices for each upstream has left.
 *
 * Each virtual machine counts for itself. By chance alone, an upstream that has its share is not chosen in one of 10^27
 * rounds; one that has a hundredth of its share, by its weight, in half of them, and is back as soon as it is chosen.
 */
import { MAX_UPSTREAMS } from "./tokens";

export class Departures {
  private readonly chosen: StaticArray<u8> = new StaticArray<u8>(MAX_UPSTREAMS);
  private choices: i32 = 0;

  /** Notes an upstream that the balancer has chosen. */
  note(upstream: i32): void {
    if (upstream < 0 || upstream >= MAX_UPSTREAMS) return;
    unchecked((this.chosen[upstream] = 1));
    this.choices++;
  }

  /** Whether enough was seen to tell who has left, of so many upstreams. */
  isRoundOver(upstreams: i32): bool {
    return this.choices >= CHOICES * upstreams;
  }

  hasLeft(upstream: i32): bool {
    return upstream >= 0 && upstream < MAX_UPSTREAMS && unchecked(this.chosen[upstream]) == 0;
  }

  beginRound(): void {
    for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.chosen[upstream] = 0));
    this.choices = 0;
  }
}

const CHOICES: i32 = 64;
