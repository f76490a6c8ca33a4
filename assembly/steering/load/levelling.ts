/**
 * Brings load back to upstreams that were away. While an upstream is away, its clients get sessions of others, which lead
 * them there from then on. After all servers have restarted one by one, the last would have no clients left. So when an
 * upstream is back, counting starts again, and some sessions of upstreams that have more go to it. Each session moves once,
 * which costs its client one full handshake. Levelling ends when LEVEL_AFTER resumptions for each upstream have been led. If
 * Envoy's balance is uneven on purpose, nothing is levelled.
 *
 * Nobody reports a return. New connections find out, as Envoy sends them there, and so do clients with its sessions. Now and
 * then a new connection is sent there on purpose, or, if new ones are few, a resumption of another upstream
 * (`HostTokens.claimTry`).
 *
 * One for each virtual machine. Costs nothing while no upstream is away and none has come back.
 */
import { Clock } from "../../ports/clock";
import { Moved } from "./moved";
import { Reach } from "../hosts/reach";
import { Shares } from "./shares";
import { Cause, Sparing } from "./sparing";
import { HostTokens } from "../hosts/tokens";
import { MAX_UPSTREAMS } from "../hosts/upstream";

export class Levelling {
  private readonly moved: Moved = new Moved();
  /** Upstreams that have come back since the levelling began. */
  private readonly returned: StaticArray<bool> = new StaticArray<bool>(MAX_UPSTREAMS);
  private returns: u32 = 0;
  /** Number of upstreams that were away when the last connection came. */
  private away: i32 = 0;
  private isFollowing: bool = false;
  private isActive: bool = false;
  /** See `leastOfReturned`. */
  private parts: u32 = 0;
  private sum: u32 = 0;
  /** While an upstream is away: numbers of connections that were led, and that Envoy has balanced. */
  private led: u32 = 0;
  private spread: u32 = 0;

  constructor(
    private readonly tokens: HostTokens,
    private readonly reach: Reach,
    private readonly shares: Shares,
    private readonly sparing: Sparing,
    private readonly clock: Clock,
  ) {}

  /** Follows the table: levels the load for upstreams that have come back. */
  follow(): void {
    const away = this.tokens.away;
    if (away > this.away) this.sparing.begin();
    this.away = away;
    const returns = this.tokens.returns;
    if (returns == this.returns && this.isFollowing) return;
    // Returns from before this virtual machine began are over.
    if (this.isFollowing) this.begin(this.returns);
    this.returns = returns;
    this.isFollowing = true;
  }

  /** Whether no upstream is away, and none is being levelled. */
  get isCalm(): bool {
    return !this.isActive && this.tokens.away == 0;
  }

  /**
   * Chooses for a connection that leads nowhere: an upstream that is away, to see whether it is back; -1 for Envoy to
   * balance.
   */
  spreadTo(): i32 {
    if (this.tokens.away == 0) return -1;
    this.spread++;
    return this.claim(-1);
  }

  /** Chooses for a session that leads to `home`; `hash` identifies the session. */
  settle(home: i32, hash: u32): i32 {
    const tried = this.takeTry(home);
    if (tried >= 0) return tried;
    if (!this.isActive || !this.reach.isEven) return home;
    const upstreams = <u32>max(this.reach.count, 2);
    if (this.shares.total >= LEVEL_AFTER * upstreams) {
      this.isActive = false;
      return home;
    }
    const target = this.leastOfReturned(home);
    if (target < 0 || target == home || this.moved.has(hash) || !this.hasTooMany(home, target)) return home;
    if (this.sparing.passOver(Cause.Move)) return home;
    this.moved.add(hash);
    return target;
  }

  /**
   * Whether `home` has more than `target`, which has the least of the returned, and more than the mean of itself and these.
   * So an upstream that was given sessions gives none away.
   */
  private hasTooMany(home: i32, target: i32): bool {
    const slack = SLACK + this.shares.total / SLACK_PART;
    const own = this.shares.of(home);
    return own >= this.shares.of(target) + slack && (2 * own - slack) * this.parts > 2 * this.sum;
  }

  /** Begins to level the load, or adds upstreams: those that have come back after return number `seen`. */
  private begin(seen: u32): void {
    if (!this.isActive) {
      for (let upstream = 0; upstream < MAX_UPSTREAMS; upstream++) unchecked((this.returned[upstream] = false));
    }
    this.isActive = true;
    this.shares.reset();
    const upstreams = this.tokens.upstreams;
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (this.tokens.lastReturnOf(upstream) > seen) unchecked((this.returned[upstream] = true));
    }
  }

  /** Finds the returned upstream that was sent least, -1 if there is none. Sets `parts` and `sum` to theirs and `home`'s. */
  private leastOfReturned(home: i32): i32 {
    const upstreams = this.tokens.upstreams;
    let least = -1;
    this.parts = 1;
    this.sum = this.shares.of(home);
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (!unchecked(this.returned[upstream]) || !this.reach.isGood(upstream)) continue;
      const share = this.shares.of(upstream);
      if (least < 0 || share < this.shares.of(least)) least = upstream;
      if (upstream == home) continue;
      this.parts++;
      this.sum += share;
    }
    return least;
  }

  /** Takes an upstream that is away, for a resumption of `home` to try; -1 for none. */
  private takeTry(home: i32): i32 {
    if (this.tokens.away == 0) {
      this.led = 0;
      this.spread = 0;
      return -1;
    }
    if (++this.led < LED_BEFORE_A_TRY * <u32>this.tokens.upstreams) return -1;
    const areEnough = this.spread * LED_FOR_A_SPREAD >= this.led;
    if (!areEnough && this.sparing.passOver(Cause.Try)) return -1;
    this.led = 0;
    this.spread = 0;
    return areEnough ? -1 : this.claim(home);
  }

  /** Claims an upstream that is away, other than `home`, for this connection to try; -1 if there is none. */
  private claim(home: i32): i32 {
    const upstreams = this.tokens.upstreams;
    const now = this.clock.nowSeconds();
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (upstream == home || !this.tokens.isAway(upstream) || !this.reach.isKnown(upstream)) continue;
      if (this.tokens.claimTry(upstream, now)) return upstream;
    }
    return -1;
  }
}

const LEVEL_AFTER: u32 = 48;
/** Smaller differences than this, plus a part of all, are left alone. */
const SLACK: u32 = 2;
const SLACK_PART: u32 = 16;
const LED_BEFORE_A_TRY: u32 = 8;
/** If new connections are rarer than one for so many resumptions, they would find out too late. */
const LED_FOR_A_SPREAD: u32 = 8;
