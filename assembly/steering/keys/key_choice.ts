/**
 * Which upstream a ticket or a PSK goes to, by the name of its key (RFC 5077 4).
 *
 * A key with one holder leads there. Before that is believed for good, others are asked, once in a while, by sending one of its
 * tickets there: servers of one cluster often share their key, and then all resumptions would go to the one that was seen first. A
 * server that shows a key of its own is not asked at first. Two servers that decline are enough for then; that costs two full handshakes
 * for each key at the most, and one after a minute, after 4 minutes, and so on.
 *
 * A key with several holders is shared: whoever has not declined it may be meant, and the load is shared out evenly; by
 * Envoy if its balance is uneven on purpose, by weights.
 *
 * A key with no holder that is known is tried where its client has been last, then where nobody has declined it; but in a part of the
 * tries, whatever others have been told, as declines can be brought about (`holders.ts`).
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
import { HostTokens } from "../hosts/tokens";

/** Not by the key: Envoy is to balance. */
export const BALANCED: i32 = -1;
/** No upstream that is known to hold the key can be reached. */
export const NOBODY: i32 = -2;

export class KeyChoice {
  /** Whether another upstream than a key's only holder may be asked: not while upstreams come and go, which costs misses enough. */
  asksOthers: bool = true;

  constructor(
    private readonly tokens: HostTokens,
    readonly holders: Holders,
    private readonly declines: Declines,
    private readonly reach: Reach,
    private readonly shares: Shares,
    private readonly client: Client,
    private readonly hash: KeyedHash,
    private readonly clock: Clock,
    private readonly chance: Chance,
  ) {}

  /**
   * For a key that a server was seen to hold: an upstream, BALANCED, or NOBODY. `seen` is the upstream that the key's row has, -1
   * for none; `isShared` says whether several have used it.
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

  /** The upstream that alone is known to hold a key, or `seen`. */
  onlyHolder(name: usize, seen: i32): i32 {
    const copy = this.holders.look(name);
    return copy && copy.holding.holders == 1 ? copy.holding.firstHolder : seen;
  }

  /** For a key that nobody is known to hold. `last` is the upstream that the client has talked to last, -1 for none. */
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
    this.declines.add(hash ^ this.client.network, upstream, false, now);
  }

  /** Of those that may hold a key, the one that was sent least; BALANCED if Envoy is to choose. */
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

  /** Another upstream than the only holder, if it is time to ask one; else -1. */
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
    if (best >= 0) copy.sent = 0;
    return best;
  }

  private isDue(holding: Holding): bool {
    return this.clock.nowSeconds() >= <u64>holding.nextProbe;
  }

  private orNobody(upstream: i32): i32 {
    return upstream >= 0 && this.reach.has(upstream) ? upstream : NOBODY;
  }

  /** One by chance that has no key of its own yet, not of `bits` nor `exception`; -1 if there is none. */
  private unnamedBut(bits: u64, exception: i32): i32 {
    let named = bits;
    const upstreams = min(this.tokens.upstreams, 64);
    for (let upstream = 0; upstream < upstreams; upstream++) {
      if (this.tokens.ownKeyOf(upstream) != 0) named |= (<u64>1) << (<u64>upstream);
    }
    return named == bits ? -1 : this.reach.anyBut(named, exception);
  }
}

/** So many resumptions under a key go to its first holder before another upstream is asked, and twice as many before the next. */
const SENT_BEFORE_A_PROBE: u32 = 8;
/** Of the resumptions under a shared key, one in so many may go to one that has declined it. */
const ASKED_AGAIN: u32 = 32;
