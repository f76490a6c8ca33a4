/**
 * Steers each resumption to the server that issued the session: a choice when the ClientHello is in, and what can be learned when the
 * ServerHello is.
 *
 * What tells the issuer, in this order: the session ID in the cache; the ticket key's name (`key_choice.ts`), which leads every
 * ticket of a server home, also those never seen; the ticket in the cache; and if none of them is known, the upstream that the
 * source has talked to last. What would be refused if it resumed is steered away from its issuer, to one that does a full
 * handshake. What resumes nothing is spread as Envoy's balancer would.
 *
 * What is believed comes from servers' own bytes, and from what Envoy says of who has answered (`holders.ts`). What a client says
 * changes its own way alone.
 *
 * Cost: for a resumption of what is known by itself, two looks into the shared store; if its source has to be asked for, one
 * to three more; for a new connection, one. Allocates nothing.
 */
import { Chance } from "../bytes/chance";
import { PeerAddress } from "../ports/peer_address";
import { Clock } from "../ports/clock";
import { SharedStore } from "../ports/shared_store";
import { AcceptedHandle } from "../resumption/accepted_handle";
import { Offer } from "../resumption/offer";
import { Cache, Lookup } from "../session/cache";
import { causeOf, Refusals, Verdict } from "../resumption/refusal";
import { Kind, Known, Origin, Session } from "../session/record/session";
import { KeyState } from "../session/revocation/ticket_keys";
import { Handshake } from "../tls/handshake";
import { Client } from "./clients/client";
import { Declines } from "./keys/declines";
import { Holders } from "./keys/holders";
import { BALANCED, KeyChoice, NOBODY } from "./keys/key_choice";
import { Levelling } from "./load/levelling";
import { BySource } from "./setup/modes";
import { Reach } from "./hosts/reach";
import { Shares } from "./load/shares";
import { AVOIDED_SECONDS } from "./hosts/silences";
import { Sources } from "./clients/sources";
import { Tokens } from "./hosts/tokens";
import { MAX_UPSTREAMS } from "./hosts/upstream";

export class Steering {
  readonly tokens: Tokens;
  /** Of the last choice: number of the upstream to go to, -1 for none. */
  upstream: i32 = -1;
  /** Of the last choice: the token that leads there, or one to explore, or -1. */
  token: i32 = -1;
  /** Of the last choice: the text to hash; that of its token, or one of its own. */
  text: u64 = 0;
  /** The most that one upstream gets of what is led, in per cent of the mean; 0 for no bound. */
  balanceFactor: u32 = 0;
  /** Of the last choice: it goes by what is known of the session, and not by where its client comes from. */
  private isKnown: bool = false;
  /** Of the last choice: an `EventCause` if it leads away from an issuer at which what is offered would be refused; else 0. */
  diversion: u8 = 0;
  /** Of a choice that leads away: the number of that issuer. */
  avoided: i32 = -1;
  /** Of the last choice: its issuer is known, and no way there. */
  private seeksIssuer: bool = false;
  private readonly sources: Sources;
  private readonly declines: Declines;
  private readonly holders: Holders;
  private readonly refusals: Refusals;
  private readonly first: Offer = new Offer();
  private readonly accepted: Offer = new Offer();
  private readonly client: Client;
  private readonly reach: Reach;
  private readonly shares: Shares;
  private readonly levelling: Levelling;
  private readonly keys: KeyChoice;
  private readonly chance: Chance;
  private readonly clock: Clock;
  /** For each upstream, how many connections in a row others have answered that were hashed to it. */
  private readonly misses: StaticArray<u8> = new StaticArray<u8>(MAX_UPSTREAMS);

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    /** The cluster that these upstreams are of: what is learned is learned for it alone. */
    cluster: string,
    private readonly bySource: BySource,
    /** Whether hosts are named to Envoy rather than hashed to. */
    private readonly exact: bool,
    clientAddress: PeerAddress,
  ) {
    const name = cache.settings.cacheName;
    const family = cluster.length > 0 ? "steering/" + cluster : "steering";
    const clock = cache.clock;
    const tokens = new Tokens(name, family, sharedStore);
    const declines = new Declines(name, family, sharedStore);
    const holders = new Holders(name, family, sharedStore, cache.hash, tokens);
    const client = new Client(clientAddress, cache.hash);
    const chance = new Chance(clock.nowNanoseconds());
    const shares = new Shares();
    const reach = new Reach(tokens, exact, client, clock, chance);
    this.tokens = tokens;
    this.sources = new Sources(name, family, sharedStore);
    this.declines = declines;
    this.holders = holders;
    this.refusals = new Refusals(cache);
    this.client = client;
    this.chance = chance;
    this.reach = reach;
    this.shares = shares;
    this.levelling = new Levelling(tokens, reach, shares, client, clock);
    this.keys = new KeyChoice(tokens, holders, declines, reach, shares, client, cache.hash, clock, chance);
    this.clock = clock;
  }

  free(): void {
    this.tokens.free();
    this.sources.free();
    this.declines.free();
    this.holders.free();
    this.reach.free();
  }

  /** Takes an upstream that the configuration names. */
  configure(address: usize, length: i32): void {
    this.reach.configure(this.tokens.learn(-1, address, length));
  }

  /**
   * Chooses for a connection whose ClientHello is in: `upstream`, `token` and `text`. `offered` describes what the client
   * offers first, its ID 0 long if that is nothing.
   */
  choose(handshake: Handshake, offered: Session): void {
    this.cache.readSettings();
    this.tokens.follow();
    this.client.begin();
    this.reach.begin();
    this.levelling.follow();
    this.keys.asksOthers = this.levelling.isCalm;
    this.isKnown = false;
    this.seeksIssuer = false;
    this.diversion = 0;
    const upstream = this.upstreamFor(handshake, offered);
    this.upstream = this.bounded(this.reach.has(upstream) ? upstream : -1, offered);
    if (this.upstream < 0) {
      this.diversion = 0;
      this.upstream = this.levelling.spreadTo();
    }
    this.token = -1;
    if (!this.exact) this.token = this.upstream >= 0 ? this.tokens.leadingTo(this.upstream) : this.exploring();
    if (this.token >= 0) this.text = <u64>this.token;
    else if (this.bySource == BySource.Always) this.text = SOURCE_TEXTS | (<u64>this.client.source(handshake));
    else this.text = this.chance.next();
    if (this.upstream >= 0) this.shares.note(this.upstream, this.tokens.upstreams);
  }

  /** Whether the last choice names a host to connect to. */
  get namesHost(): bool {
    return this.exact && this.upstream >= 0;
  }

  /** Whether the last choice is to be hashed: if hosts are named, only for what goes by its source. */
  get hashes(): bool {
    return !this.exact || this.bySource == BySource.Always;
  }

  /**
   * Learns from a ServerHello which upstream has answered a connection that `token` (-1 for none) was taken for, or that
   * was sent to the upstream numbered `wanted` (-1 for none), and what it has done with the offer: `handle` is what its acceptance
   * is put down to. Answers with the upstream's number, -1 if it has none.
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
    else this.learnHolder(this.acceptedKey(handshake, handle), number);
    if (this.bySource == BySource.Guess && !this.isLedByName(handshake)) {
      this.sources.learn(this.client.source(handshake), number);
    }
    return number;
  }

  /**
   * Whether it can be told without asking who has answered that `answered` would hardly learn anything: what was accepted
   * went by its name, and a token led it.
   */
  expectsNoNews(handshake: Handshake, handle: AcceptedHandle, token: i32): bool {
    if (this.exact || token < 0 || handshake.acceptedKind == 0) return false;
    const home = this.tokens.leads(token);
    if (home < 0 || this.isMissed(home) || this.wouldLearnHolder(this.acceptedKey(handshake, handle), home))
      return false;
    return this.bySource != BySource.Guess || this.isLedByName(handshake);
  }

  /** Whether `answered` would learn anything of the upstream numbered `number`, -1 if it has no number yet. Costs less. */
  hasNews(handshake: Handshake, handle: AcceptedHandle, token: i32, number: i32): bool {
    // Hosts that are named are watched at each answer.
    if (this.exact || !this.tokens.knows(token, number)) return true;
    if (handshake.acceptedKind == 0 && this.keyOf(handshake) != 0) return true;
    if (this.isMissed(number) || this.wouldLearnHolder(this.acceptedKey(handshake, handle), number)) return true;
    if (this.bySource != BySource.Guess || this.isLedByName(handshake)) return false;
    this.client.begin();
    return this.sources.lastOf(this.client.source(handshake)) != number;
  }

  /** A completed handshake has shown a new ticket under a key, in clear, of the upstream numbered `upstream`. */
  issued(key: usize, upstream: i32): void {
    this.learnHolder(key, upstream);
  }

  /** An upstream that was named has not answered the connection at hand, though it has all that it needs. */
  silent(wanted: i32): void {
    this.client.begin();
    const now = this.clock.nowSeconds();
    if (!this.reach.silences.note(wanted, this.client.network, now)) return;
    this.tokens.avoid(wanted, <u32>(now + AVOIDED_SECONDS));
  }

  /** Follows who is away: `home` (-1 for none) was to answer, `number` has. */
  private followHealth(number: i32, home: i32): void {
    if (this.tokens.isAway(number) || this.tokens.isAvoided(number, 1)) this.tokens.comeBack(number);
    unchecked((this.misses[number] = 0));
    if (home < 0 || home == number) return;
    const misses = unchecked(this.misses[home]);
    if (misses < MISSES_AWAY) unchecked((this.misses[home] = misses + 1));
    // A host that was named has failed; a text that leads elsewhere may only have moved, as some do when hosts are added.
    if (this.exact || misses + 1 == MISSES_AWAY) this.tokens.leave(home, this.clock.nowSeconds());
  }

  private isMissed(upstream: i32): bool {
    return this.tokens.isAway(upstream) || unchecked(this.misses[upstream]) != 0;
  }

  /** The upstream to go to, -1 if there is none to prefer. */
  private upstreamFor(handshake: Handshake, offered: Session): i32 {
    if (offered.idLength == 0) return -1;
    const lookup = this.cache.read(offered.id, offered.idLength);
    const holder = this.holderOf(lookup);
    const verdict = this.refusals.judgeFound(offered, lookup);
    const first = this.first.firstOf(handshake);
    const key = first.key;
    const state = key != 0 ? this.stateOf(key) : 0;
    const named = state != 0 ? this.upstreamOfKey() : -1;
    if (verdict != Verdict.Resume) {
      const issuer = holder >= 0 ? holder : state != 0 ? this.keys.onlyHolder(key, named) : -1;
      this.diversion = causeOf(verdict);
      this.avoided = issuer;
      return this.otherThan(issuer);
    }
    if (first.kind == Kind.ID) return this.known(holder);
    if (state == KeyState.CONFIGURED && named >= 0) return this.known(named);
    if (wasSeen(state)) {
      const chosen = this.keys.choose(key, named, state == KeyState.SHARED);
      if (chosen == BALANCED) return -1;
      if (chosen != NOBODY) return this.known(chosen);
    }
    if (holder >= 0) return this.known(holder);
    if (this.bySource == BySource.Always || this.seeksIssuer) return -1;
    const last = this.lastOf(handshake);
    return key != 0 ? this.keys.explore(key, last) : last;
  }

  private known(upstream: i32): i32 {
    this.isKnown = upstream >= 0;
    return upstream;
  }

  /** The upstream that the cache has with the session that was looked up, -1 if it has none. */
  private holderOf(lookup: Lookup): i32 {
    if (lookup != Lookup.Found && lookup != Lookup.Expired && lookup != Lookup.Removed) return -1;
    const found = this.cache.found;
    if (!found.knows(Known.UPSTREAM)) return -1;
    const holder = this.tokens.numberOf(found.upstream, found.upstreamLength);
    // If everything goes by its source, what was observed is where its source leads.
    const mayBeElsewhere = this.bySource != BySource.Always || found.origin == Origin.API;
    if (mayBeElsewhere && (holder < 0 || !this.reach.has(holder))) this.seeksIssuer = true;
    return holder;
  }

  /** The upstream of the ticket key that was looked up last. */
  private upstreamOfKey(): i32 {
    const row = this.cache.ticketKeys.row;
    if (!row || row.upstreamLength == 0) return -1;
    const upstream = this.tokens.numberOf(row.upstream, row.upstreamLength);
    if (upstream < 0) this.seeksIssuer = true;
    return upstream;
  }

  /** Any other upstream than the issuer of what must not resume, -1 if that is not known or there is no other. */
  private otherThan(issuer: i32): i32 {
    return issuer >= 0 ? this.reach.anyBut((<u64>1) << (<u64>issuer), issuer) : -1;
  }

  /** Brings the load of what is led within its bounds. */
  private bounded(upstream: i32, offered: Session): i32 {
    if (upstream < 0) return upstream;
    const settled = this.isKnown
      ? this.levelling.settle(upstream, this.cache.hash.of(offered.id, offered.idLength))
      : upstream;
    if (this.balanceFactor == 0) return settled;
    const upstreams = this.reach.count;
    // With one upstream known, there may be others that nobody has gone to yet.
    if (upstreams < 2) return this.shares.total % EXPLORED_OF == 0 ? -1 : settled;
    return this.shares.exceeds(settled, upstreams, this.balanceFactor) ? -1 : settled;
  }

  /** A token that may lead to an upstream that is not known yet, or to a session's issuer; -1 if there is none to try. */
  private exploring(): i32 {
    if (this.bySource == BySource.Always && !this.seeksIssuer) return -1;
    return this.tokens.unexplored(<u32>this.chance.next());
  }

  /** The upstream that the source of the connection at hand has talked to last, -1 if that is not known or not wanted. */
  private lastOf(handshake: Handshake): i32 {
    return this.bySource == BySource.Guess ? this.sources.lastOf(this.client.source(handshake)) : -1;
  }

  /** Whether what was accepted finds its way by itself, the next time as well: then its source is not asked for. */
  private isLedByName(handshake: Handshake): bool {
    if (handshake.acceptedKind == 0) return false;
    const first = this.first.firstOf(handshake);
    return first.kind == Kind.ID || (first.key != 0 && this.stateOf(first.key) != 0);
  }

  private learnHolder(key: usize, upstream: i32): void {
    if (key == 0 || upstream < 0 || !wasSeen(this.stateOf(key))) return;
    this.holders.accepted(key, upstream, this.upstreamOfKey(), this.clock.nowSeconds());
  }

  /** Only of names that are known as such: what never repeats is no name. The name's row is then in `ticketKeys.row`. */
  private wouldLearnHolder(key: usize, upstream: i32): bool {
    return key != 0 && wasSeen(this.stateOf(key)) && !this.holders.knows(key, upstream);
  }

  private learnDecline(handshake: Handshake, upstream: i32): void {
    this.levelling.noteMiss();
    const key = this.keyOf(handshake);
    if (key == 0) return;
    const state = this.stateOf(key);
    if (state == 0) this.keys.noteDecline(key, upstream);
    else if (wasSeen(state)) this.holders.declined(key, upstream, this.client.network, this.clock.nowSeconds());
  }

  /** State of a key's name, 0 if it is not known; its row is then in `ticketKeys.row`. */
  private stateOf(key: usize): u8 {
    const row = this.cache.ticketKeys.look(key);
    return row ? row.state : 0;
  }

  /** The key name of the first ticket or identity, 0 if it has none. */
  private keyOf(handshake: Handshake): usize {
    return this.first.firstOf(handshake).key;
  }

  /** The key name of what was accepted for certain; else 0. */
  private acceptedKey(handshake: Handshake, handle: AcceptedHandle): usize {
    const isCertain = handle == AcceptedHandle.Psk || handle == AcceptedHandle.TicketForSure;
    return isCertain ? this.accepted.acceptedOf(handshake, handle).key : 0;
  }
}

/** Whether a key's state says that a server was seen to hold it: not the operator, and not that it is removed. */
function wasSeen(state: u8): bool {
  return state == KeyState.LEARNED || state == KeyState.SHARED;
}

/** So many connections in a row that led to an upstream and were answered by others say that it is away. */
const MISSES_AWAY: u8 = 3;
/** As long as one upstream is known, one in so many resumptions looks for others, if there is a bound to keep. */
const EXPLORED_OF: u32 = 8;
/** Tells texts that are made of sources from those of tokens. */
const SOURCE_TEXTS: u64 = 0x8000000000000000;
