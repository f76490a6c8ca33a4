/**
 * Steers each resumption to the server that issued the session: chooses an upstream when the ClientHello is in.
 * `learning.ts` learns when the ServerHello is.
 *
 * The issuer is found in this order: by the session ID in the cache; by the name of the ticket key (`keys/key_choice.ts`),
 * which leads every ticket of a server home, even unseen ones; by the ticket in the cache; else the guess is the upstream
 * that the source has talked to last. An offer that would be refused is steered away from its issuer, to an upstream that
 * does a full handshake. New connections are spread as Envoy's balancer would.
 *
 * A client's own claims change its own way alone.
 *
 * Cost: two looks into the shared store for a session or key that is known; one to three more if the source is asked for;
 * one for a new connection. Allocates nothing.
 */
import { Chance } from "../bytes/chance";
import { PeerAddress } from "../ports/peer_address";
import { SharedStore } from "../ports/shared_store";
import { Offer } from "../resumption/offer";
import { causeOf, Refusals, Verdict } from "../resumption/refusal";
import { Cache, Lookup } from "../session/cache";
import { Kind, Known, Origin, Session } from "../session/record/session";
import { KeyState } from "../session/revocation/ticket_keys";
import { Handshake } from "../tls/handshake";
import { Client } from "./clients/client";
import { Sources } from "./clients/sources";
import { Reach } from "./hosts/reach";
import { HostTokens } from "./hosts/tokens";
import { Declines } from "./keys/declines";
import { Holders } from "./keys/holders";
import { BALANCED, KeyChoice, NOBODY } from "./keys/key_choice";
import { Learning } from "./learning";
import { Levelling } from "./load/levelling";
import { Shares } from "./load/shares";
import { Sparing } from "./load/sparing";
import { BySource } from "./setup/modes";
import { ShownKeys, wasSeen } from "./shown_keys";

export class Steering {
  readonly tokens: HostTokens;
  readonly learning: Learning;
  /** The most that one upstream gets of all led connections, in per cent of the mean; 0 for no bound. */
  balanceFactor: u32 = 0;
  /** Of the last choice: number of the upstream to go to, -1 for none. */
  upstream: i32 = -1;
  /** Of the last choice: the token that leads there, or one to explore, or -1. */
  token: i32 = -1;
  /** Of the last choice, if it is to be hashed: the text, of its token or its source. */
  text: u64 = 0;
  /** Of the last choice: an `EventCause` if it leads away from an issuer whose resumption would be refused; else 0. */
  diversion: u8 = 0;
  /** Of a choice that leads away: the number of that issuer. */
  avoided: i32 = -1;
  /** Of the last choice: it follows the session or its key, not the source. */
  private isKnown: bool = false;
  /** Of the last choice: its issuer is known, but no way leads there. */
  private seeksIssuer: bool = false;
  private readonly sources: Sources;
  private readonly declines: Declines;
  private readonly holders: Holders;
  private readonly refusals: Refusals;
  private readonly first: Offer = new Offer();
  private readonly client: Client;
  private readonly reach: Reach;
  private readonly shares: Shares;
  private readonly levelling: Levelling;
  private readonly keys: KeyChoice;
  private readonly shownKeys: ShownKeys;
  private readonly chance: Chance;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    /** The cluster of these upstreams: everything is learned for it alone. */
    cluster: string,
    private readonly bySource: BySource,
    /** Whether hosts are named to Envoy rather than hashed to. */
    private readonly exact: bool,
    clientAddress: PeerAddress,
  ) {
    const name = cache.settings.cacheName;
    const family = cluster.length > 0 ? "steering/" + cluster : "steering";
    const clock = cache.clock;
    const tokens = new HostTokens(name, family, sharedStore);
    const sources = new Sources(name, family, sharedStore);
    const declines = new Declines(name, family, sharedStore);
    const holders = new Holders(name, family, sharedStore, cache.hash, tokens);
    const client = new Client(clientAddress, cache.hash);
    const chance = new Chance(clock.nowNanoseconds());
    const shares = new Shares();
    const reach = new Reach(tokens, exact, client, clock, chance);
    const sparing = new Sparing(client);
    const levelling = new Levelling(tokens, reach, shares, sparing, clock);
    const keys = new KeyChoice(tokens, holders, declines, reach, shares, sparing, client, cache.hash, clock, chance);
    const shown = new ShownKeys(cache.ticketKeys, tokens);
    this.tokens = tokens;
    this.learning = new Learning(
      tokens,
      holders,
      sources,
      keys,
      shown,
      reach,
      levelling,
      sparing,
      client,
      clock,
      bySource,
      exact,
    );
    this.sources = sources;
    this.declines = declines;
    this.holders = holders;
    this.refusals = new Refusals(cache);
    this.client = client;
    this.chance = chance;
    this.reach = reach;
    this.shares = shares;
    this.levelling = levelling;
    this.keys = keys;
    this.shownKeys = shown;
  }

  free(): void {
    this.tokens.free();
    this.sources.free();
    this.declines.free();
    this.holders.free();
    this.reach.free();
  }

  /** Adds an upstream that the configuration names. */
  configure(address: usize, length: i32): void {
    this.reach.configure(this.tokens.learn(-1, address, length));
  }

  /**
   * Chooses for a connection whose ClientHello is in: `upstream`, `token` and `text`. `offered` describes the client's first
   * offer, with an ID of length 0 for none.
   */
  choose(handshake: Handshake, offered: Session): void {
    this.follow();
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
    if (this.upstream >= 0) this.shares.note(this.upstream, this.tokens.upstreams);
  }

  /** Whether the last choice names a host to connect to. */
  get namesHost(): bool {
    return this.exact && this.upstream >= 0;
  }

  /**
   * Whether the last choice is to be hashed: a token, or a source that every connection follows. Without a text, Envoy's hash chooses at
   * random, which is what a new connection wants, and spares the most expensive call of the host.
   */
  get hashes(): bool {
    return this.token >= 0 || this.bySource == BySource.Always;
  }

  /** Takes changes over: in a rush not each time, as the answer is judged by present settings again. */
  private follow(): void {
    const cache = this.cache;
    if (cache.rush.isOn) {
      cache.readSettingsIfStale();
      this.tokens.followIfStale(cache.clock.nowNanoseconds());
    } else {
      cache.readSettings();
      this.tokens.follow();
    }
  }

  /** The upstream to prefer, -1 for none. */
  private upstreamFor(handshake: Handshake, offered: Session): i32 {
    if (offered.idLength == 0) return -1;
    const lookup = this.cache.read(offered.id, offered.idLength);
    const holder = this.holderOf(lookup);
    const verdict = this.refusals.judgeFound(offered, lookup);
    const first = this.first.firstOf(handshake);
    const key = first.key;
    const state = this.shownKeys.stateOf(key);
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

  /** The upstream of the session that was looked up, -1 if the cache has none. */
  private holderOf(lookup: Lookup): i32 {
    if (lookup != Lookup.Found && lookup != Lookup.Expired && lookup != Lookup.Removed) return -1;
    const found = this.cache.found;
    if (!found.knows(Known.UPSTREAM)) return -1;
    const holder = this.tokens.numberOf(found.upstream, found.upstreamLength);
    // If every connection follows its source, an observed session is where its source leads.
    const mayBeElsewhere = this.bySource != BySource.Always || found.origin == Origin.API;
    if (mayBeElsewhere && (holder < 0 || !this.reach.has(holder))) this.seeksIssuer = true;
    return holder;
  }

  /** The upstream of the key that was looked up last. */
  private upstreamOfKey(): i32 {
    const upstream = this.shownKeys.upstream;
    if (upstream < 0 && this.shownKeys.hasUpstream) this.seeksIssuer = true;
    return upstream;
  }

  /** Any upstream but the issuer of a session that must not resume; -1 if the issuer is not known or there is no other. */
  private otherThan(issuer: i32): i32 {
    return issuer >= 0 ? this.reach.anyBut((<u64>1) << (<u64>issuer), issuer) : -1;
  }

  /** Keeps the load of led connections within its bounds. */
  private bounded(upstream: i32, offered: Session): i32 {
    if (upstream < 0) return upstream;
    const settled = this.isKnown
      ? this.levelling.settle(upstream, this.cache.hash.of(offered.id, offered.idLength))
      : upstream;
    if (this.balanceFactor == 0) return settled;
    const upstreams = this.reach.count;
    // While only one upstream is known, there may be others that nobody has gone to yet.
    if (upstreams < 2) return this.shares.total % EXPLORED_OF == 0 ? -1 : settled;
    return this.shares.exceeds(settled, upstreams, this.balanceFactor) ? -1 : settled;
  }

  /** A token that may lead to an unknown upstream, or to a session's issuer; -1 if there is none to try. */
  private exploring(): i32 {
    if (this.bySource == BySource.Always && !this.seeksIssuer) return -1;
    return this.tokens.unexplored(<u32>this.chance.next());
  }

  /** The upstream that the connection's source has talked to last, -1 if it is not known or sources are no guess. */
  private lastOf(handshake: Handshake): i32 {
    return this.bySource == BySource.Guess ? this.sources.lastOf(this.client.source(handshake)) : -1;
  }
}

/** While one upstream is known and there is a bound to keep, one in so many resumptions looks for others. */
const EXPLORED_OF: u32 = 8;
/** Marks texts that are made of sources, apart from those of tokens. */
const SOURCE_TEXTS: u64 = 0x8000000000000000;
