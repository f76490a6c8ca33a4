/**
 * The upstreams that the current connection can be sent to: by a token that leads there, or, if hosts are named, unless they
 * are avoided.
 */
import { Chance } from "../../bytes/chance";
import { Clock } from "../../ports/clock";
import { Client } from "../clients/client";
import { Departures } from "./departures";
import { Silences } from "./silences";
import { FOREVER, MAX_UPSTREAMS } from "./upstream";
import { HostTokens } from "./tokens";

export class Reach {
  readonly departures: Departures = new Departures();
  readonly silences: Silences = new Silences();
  /** Upstreams that the configuration names; they never count as gone. */
  private readonly configured: StaticArray<bool> = new StaticArray<bool>(MAX_UPSTREAMS);
  private now: u64 = 0;

  constructor(
    private readonly tokens: HostTokens,
    /** Whether hosts are named to Envoy rather than hashed to. */
    private readonly exact: bool,
    private readonly client: Client,
    private readonly clock: Clock,
    private readonly chance: Chance,
  ) {}

  free(): void {
    this.silences.free();
  }

  /** Makes another connection the current one. */
  begin(): void {
    if (this.exact) this.now = this.clock.nowSeconds();
  }

  configure(upstream: i32): void {
    if (upstream >= 0) unchecked((this.configured[upstream] = true));
  }

  /** Whether the current connection can be sent to an upstream. */
  has(upstream: i32): bool {
    if (upstream < 0) return false;
    if (!this.exact) return this.tokens.reaches(upstream);
    if (this.tokens.isAvoided(upstream, this.now)) return false;
    const silences = this.silences;
    return !silences.areAt(this.now) || !silences.keepsAway(upstream, this.client.network, this.now);
  }

  /** Whether a way to an upstream is known, even if it is avoided for now. */
  isKnown(upstream: i32): bool {
    return this.exact ? !this.tokens.isAvoided(upstream, <u64>FOREVER) : this.tokens.reaches(upstream);
  }

  /** As `has`, but for connections that may go elsewhere, too: not to an upstream that is away. */
  isGood(upstream: i32): bool {
    return this.has(upstream) && !this.tokens.isAway(upstream);
  }

  /** Number of upstreams that a way is known to. */
  get count(): i32 {
    const upstreams = this.tokens.upstreams;
    let count = 0;
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (this.isKnown(upstream)) count++;
    }
    return count;
  }

  /** Whether Envoy balances evenly: then the filter may share out evenly, too. */
  get isEven(): bool {
    return this.exact ? this.departures.isEven(this.tokens.upstreams) : this.tokens.isEven;
  }

  /** Chooses an upstream by chance that can be reached, neither in `bits` nor `exception`; -1 if there is none. */
  anyBut(bits: u64, exception: i32): i32 {
    const upstreams = this.tokens.upstreams;
    if (upstreams <= 0) return -1;
    const start = this.chance.below(upstreams);
    for (let i = 0; i < upstreams; i++) {
      const upstream = (start + i) % upstreams;
      if (upstream != exception && !isSet(bits, upstream) && this.has(upstream)) return upstream;
    }
    return -1;
  }

  /** The balancer has chosen an upstream. At the end of a round, avoids those that have left. */
  balanced(upstream: i32): void {
    const departures = this.departures;
    departures.note(upstream);
    const upstreams = this.tokens.upstreams;
    if (!departures.isRoundOver(upstreams)) return;
    for (let other = 0; other < upstreams; other++) {
      if (departures.hasLeft(other) && !unchecked(this.configured[other])) this.tokens.avoid(other, FOREVER);
    }
    departures.beginRound(upstreams);
  }
}

/** Reports whether an upstream is in a set of the first 64. */
export function isSet(bits: u64, upstream: i32): bool {
  return upstream < 64 && ((bits >> (<u64>upstream)) & 1) != 0;
}
