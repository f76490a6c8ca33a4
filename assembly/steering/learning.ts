/**
 * What steering learns at a ServerHello: who has answered, who is away or back, who holds or declines a key, and where a
 * source went.
 *
 * It believes servers' own bytes, and Envoy's word on who has answered (`keys/holders.ts`). Cost: nothing if
 * `expectsNoNews`, else up to three looks into the shared store; writes only news. Allocates nothing.
 */
import { Clock } from "../ports/clock";
import { AcceptedHandle } from "../resumption/accepted_handle";
import { Handshake } from "../tls/handshake";
import { Client } from "./clients/client";
import { Sources } from "./clients/sources";
import { Reach } from "./hosts/reach";
import { AVOIDED_SECONDS } from "./hosts/silences";
import { HostTokens } from "./hosts/tokens";
import { MAX_UPSTREAMS } from "./hosts/upstream";
import { Holders } from "./keys/holders";
import { KeyChoice } from "./keys/key_choice";
import { Levelling } from "./load/levelling";
import { Sparing } from "./load/sparing";
import { BySource } from "./setup/modes";
import { ShownKeys, wasSeen } from "./shown_keys";

export class Learning {
  /** For each upstream, how many connections in a row others have answered that were hashed to it. */
  private readonly misses: StaticArray<u8> = new StaticArray<u8>(MAX_UPSTREAMS);

  constructor(
    private readonly tokens: HostTokens,
    private readonly holders: Holders,
    private readonly sources: Sources,
    private readonly keys: KeyChoice,
    private readonly shownKeys: ShownKeys,
    private readonly reach: Reach,
    private readonly levelling: Levelling,
    private readonly sparing: Sparing,
    private readonly client: Client,
    private readonly clock: Clock,
    private readonly bySource: BySource,
    /** Whether hosts are named to Envoy rather than hashed to. */
    private readonly exact: bool,
  ) {}

  /**
   * Learns from a ServerHello which upstream has answered, and what it has done with the offer; `handle` is the offer that
   * explains an acceptance. The connection was hashed to `token`, or sent to the upstream numbered `wanted`; -1 for none.
   * Returns the number of the upstream, -1 if it has none.
   */
  answered(
    handshake: Handshake,
    handle: AcceptedHandle,
    token: i32,
    wanted: i32,
    upstream: usize,
    upstreamLength: i32,
  ): i32 {
    this.client.begin();
    const home = this.exact ? wanted : token >= 0 ? this.tokens.leads(token) : -1;
    const number = this.tokens.learn(token, upstream, upstreamLength);
    if (number < 0) return -1;
    this.followHealth(number, home);
    if (this.exact && wanted < 0) this.reach.balanced(number);
    if (handshake.acceptedKind == 0) this.learnDecline(handshake, number);
    else this.learnHolder(this.shownKeys.acceptedKey(handshake, handle), number);
    if (this.bySource == BySource.Guess && !this.isLedByName(handshake)) {
      this.sources.learn(this.client.source(handshake), number);
    }
    return number;
  }

  /**
   * Reports whether `answered` can be skipped: the offer was accepted, and its key name or token had already led it there.
   */
  expectsNoNews(handshake: Handshake, handle: AcceptedHandle, token: i32): bool {
    if (this.exact || token < 0 || handshake.acceptedKind == 0) return false;
    const home = this.tokens.leads(token);
    if (home < 0 || this.isMissed(home) || this.wouldLearnHolder(this.shownKeys.acceptedKey(handshake, handle), home))
      return false;
    return this.bySource != BySource.Guess || this.isLedByName(handshake);
  }

  /**
   * Reports whether `answered` would learn anything of an upstream; -1 for one without a number. Costs less than `answered`.
   */
  hasNews(handshake: Handshake, handle: AcceptedHandle, token: i32, upstream: i32): bool {
    // Named hosts are watched at each answer.
    if (this.exact || !this.tokens.knows(token, upstream)) return true;
    if (handshake.acceptedKind == 0 && this.shownKeys.offeredKey(handshake) != 0) return true;
    if (this.isMissed(upstream) || this.wouldLearnHolder(this.shownKeys.acceptedKey(handshake, handle), upstream))
      return true;
    if (this.bySource != BySource.Guess || this.isLedByName(handshake)) return false;
    this.client.begin();
    return this.sources.lastOf(this.client.source(handshake)) != upstream;
  }

  /** A completed handshake has shown a new ticket under a key, in clear, of an upstream. */
  issued(key: usize, upstream: i32): void {
    this.learnHolder(key, upstream);
  }

  /** A named upstream has not answered the current connection, though it has all that it needs. */
  silent(upstream: i32): void {
    this.client.begin();
    const now = this.clock.nowSeconds();
    if (!this.reach.silences.note(upstream, this.client.network, now)) return;
    this.tokens.avoid(upstream, <u32>(now + AVOIDED_SECONDS));
  }

  /** Follows who is away: the upstream `home` (-1 for none) was to answer, `upstream` has. */
  private followHealth(upstream: i32, home: i32): void {
    if (this.tokens.isAway(upstream) || this.tokens.isAvoided(upstream, 1)) this.tokens.comeBack(upstream);
    unchecked((this.misses[upstream] = 0));
    if (home < 0 || home == upstream) return;
    const misses = unchecked(this.misses[home]);
    if (misses < MISSES_AWAY) unchecked((this.misses[home] = misses + 1));
    // A named host has failed. A text that leads elsewhere may only have moved, as some do when hosts are added.
    if (this.exact || misses + 1 == MISSES_AWAY) this.tokens.leave(home, this.clock.nowSeconds());
  }

  private isMissed(upstream: i32): bool {
    return this.tokens.isAway(upstream) || unchecked(this.misses[upstream]) != 0;
  }

  /** Whether an accepted offer finds its way without its source, now and the next time. */
  private isLedByName(handshake: Handshake): bool {
    if (handshake.acceptedKind == 0) return false;
    return this.shownKeys.leadsBack(handshake);
  }

  private learnHolder(key: usize, upstream: i32): void {
    if (upstream < 0 || !wasSeen(this.shownKeys.stateOf(key))) return;
    this.holders.accepted(key, upstream, this.shownKeys.upstream, this.clock.nowSeconds());
  }

  /** Only for key names that were seen to come again. */
  private wouldLearnHolder(key: usize, upstream: i32): bool {
    return wasSeen(this.shownKeys.stateOf(key)) && !this.holders.knows(key, upstream);
  }

  private learnDecline(handshake: Handshake, upstream: i32): void {
    const key = this.shownKeys.offeredKey(handshake);
    if (key != 0 || !this.levelling.isCalm) this.sparing.noteMiss();
    if (key == 0) return;
    const state = this.shownKeys.stateOf(key);
    if (state == 0) this.keys.noteDecline(key, upstream);
    else if (wasSeen(state)) this.holders.declined(key, upstream, this.client.network, this.clock.nowSeconds());
  }
}

/** An upstream is away when others have answered so many connections in a row that led to it. */
const MISSES_AWAY: u8 = 3;
