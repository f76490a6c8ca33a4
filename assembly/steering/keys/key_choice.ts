/**
 * Chooses the upstream for a ticket or a PSK by the name of its key (RFC 5077 4).
 *
 * A key with one holder leads there. Now and then one of its tickets goes to another upstream, to see whether that one holds
 * the key, too: servers of one cluster often share their key, and all resumptions would go to the first one seen. Servers
 * that show a key of their own are not asked at first. After two declines the others wait. So each key costs at most two
 * full handshakes, and one more after a minute, after 4 minutes, and so on.
 *
 * A key with several holders is shared: it leads to any upstream that has not declined it. The filter shares out the load
 * evenly; Envoy does if its balance is uneven on purpose, by weights.
 *
 * A key without a known holder is tried at the upstream that its client has talked to last, then at one that has not
 * declined it. A quarter of the tries ignore declines, as a client can cause them (`holders.ts`).
 */
import { Chance } from "../../bytes/chance";
import { Clock } from "../../ports/clock";
import { KeyedHash } from "../../shared/keyed_hash";
import { TICKET_KEY_LENGTH } from "../../session/record/session";
import { Client } from "../clients/client";
import { Declines } from "./declines";
import { Copy, FREE_PROBES, Holders } from "./holders";
import { Holding } from "./holding";
import { isSet, Reach } from "../hosts/reach";
import { Shares } from "../load/shares";
import { Cause, Sparing } from "../load/sparing";
import { HostTokens } from "../hosts/tokens";

/** Envoy is to balance. */
export const BALANCED: i32 = -1;
/** No upstream that is known to hold the key can be reached. */
export const NOBODY: i32 = -2;

export class KeyChoice {
  /**
   * Whether others than a key's only holder may be asked: not while upstreams come and go, as that costs enough full
   * handshakes.
   */
  asksOthers: bool = true;

  constructor(
    private readonly tokens: HostTokens,
    readonly holders: Holders,
    private readonly declines: Declines,
    private readonly reach: Reach,
    private readonly shares: Shares,
    private readonly sparing: Sparing,
    private readonly client: Client,
    private readonly hash: KeyedHash,
    private readonly clock: Clock,
    private readonly chance: Chance,
  ) {}

  /**
   * Chooses for a key that a server was seen to hold: an upstream, BALANCED, or NOBODY. `seen` is the upstream in the key's
   * row, -1 for none; `isShared`: several have used the key.
   */
  choose(name: usize, seen: i32, isShared: bool): i32 {
    const copy = this.holders.look(name);
    if (!copy) return isShared ? this.share(null) : this.orNobody(seen);
    const holding = copy.holding;
    let holder = -1;
    let holders = 0;
    const upstreams = this.tokens.upstreams;
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (!holding.isHeldBy(upstream) || !this.reach.has(upstream)) continue;
      holder = upstream;
      holders++;
    }
    if (holders == 0) return NOBODY;
    if (holders > 1) return this.share(copy);
    copy.sent++;
    const other = this.asksOthers ? this.probe(copy, holder) : -1;
    return other >= 0 ? other : holder;
  }

  /** Returns the only upstream that is known to hold a key, or `seen`. */
  onlyHolder(name: usize, seen: i32): i32 {
    const copy = this.holders.look(name);
    return copy && copy.holding.holders == 1 ? copy.holding.firstHolder : seen;
  }

  /**
   * Chooses for a key that nobody is known to hold. `last` is the upstream that the client has talked to last, -1 for none.
   */
  explore(name: usize, last: i32): i32 {
    const hash = this.hash.of(name, TICKET_KEY_LENGTH);
    const now = this.clock.nowSeconds();
    if (last >= 0 && this.reach.has(last) && !isSet(this.declines.of(hash ^ this.client.network, now), last))
      return last;
    if ((this.chance.next() & 3) == 0) {
      const any = this.reach.anyBut(0, last);
      if (any >= 0) return any;
    }
    const declined = this.declines.of(hash, now);
    const unnamed = this.unnamedBut(declined, last);
    if (unnamed >= 0) return unnamed;
    const other = this.reach.anyBut(declined, last);
    return other >= 0 ? other : last;
  }

  /** An upstream has declined a ticket under a key that nobody is known to hold. */
  noteDecline(name: usize, upstream: i32): void {
    const hash = this.hash.of(name, TICKET_KEY_LENGTH);
    const now = this.clock.nowSeconds();
    const declined = this.declines.of(hash, now);
    this.declines.add(hash, upstream, this.reach.anyBut(declined, upstream) < 0, now);
    this.declines.add(hash ^ this.client.network, upstream, KEEPS_OTHERS, now);
  }

  /** Chooses the upstream that was sent least of those that may hold a key; BALANCED if Envoy is to choose. */
  private share(copy: Copy | null): i32 {
    const upstreams = this.tokens.upstreams;
    const asksAgain = copy != null && ++copy.sent % ASKED_AGAIN == 0 && this.isDue(copy.holding);
    const start = upstreams > 0 ? this.chance.below(upstreams) : 0;
    let least = -1;
    let isAll = true;
    for (let i = 0; i < upstreams; i++) {
      const upstream = (start + i) % upstreams;
      if (!this.reach.isGood(upstream)) continue;
      if (copy && !asksAgain && !copy.holding.isHeldBy(upstream) && copy.holding.declinesOf(upstream) > 0)
        isAll = false;
      else if (least < 0 || this.shares.of(upstream) < this.shares.of(least)) least = upstream;
    }
    return isAll && !this.reach.isEven ? BALANCED : least;
  }

  /** Chooses another upstream than the only holder, if it is time to ask one; else -1. */
  private probe(copy: Copy, holder: i32): i32 {
    const holding = copy.holding;
    const failed = holding.failedProbes;
    if (copy.sent < SENT_BEFORE_A_PROBE << (<u32>min(failed, FREE_PROBES))) return -1;
    const isDue = this.isDue(holding);
    if (failed >= FREE_PROBES && !isDue) return -1;
    const upstreams = this.tokens.upstreams;
    const start = this.chance.below(upstreams);
    let best = -1;
    for (let i = 0; i < upstreams; i++) {
      const upstream = (start + i) % upstreams;
      if (upstream == holder || !this.reach.isGood(upstream)) continue;
      const declines = holding.declinesOf(upstream);
      if (!isDue && (declines > 0 || this.tokens.ownKeyOf(upstream) != 0)) continue;
      if (best < 0 || declines < holding.declinesOf(best)) best = upstream;
    }
    if (best < 0 || this.sparing.passOver(Cause.Question)) return -1;
    copy.sent = 0;
    return best;
  }

  private isDue(holding: Holding): bool {
    return this.clock.nowSeconds() >= <u64>holding.nextProbe;
  }

  private orNobody(upstream: i32): i32 {
    return upstream >= 0 && this.reach.has(upstream) ? upstream : NOBODY;
  }

  /** Chooses one by chance that has no key of its own yet, neither in `bits` nor `exception`; -1 if there is none. */
  private unnamedBut(bits: u64, exception: i32): i32 {
    let named = bits;
    const upstreams = min(this.tokens.upstreams, 64);
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (this.tokens.ownKeyOf(upstream) != 0) named |= (<u64>1) << (<u64>upstream);
    }
    return named == bits ? -1 : this.reach.anyBut(named, exception);
  }
}

const KEEPS_OTHERS: bool = false;
/**
 * So many resumptions under a key go to its only holder before another upstream is asked, and twice as many before the next.
 */
const SENT_BEFORE_A_PROBE: u32 = 8;
/** One in so many resumptions under a shared key may go to an upstream that has declined it. */
const ASKED_AGAIN: u32 = 32;
