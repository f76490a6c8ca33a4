/**
 * Steers each resumption to the server that issued the session, where servers do not share sessions: a choice when the
 * ClientHello is in, and what can be learned when the ServerHello is.
 *
 * What tells the issuer, in this order: the session in the cache; the ticket key's name (RFC 5077 4), which leads every
 * ticket of a server home, also those never seen; where the name is not known, the upstream that the source has talked to
 * last, then upstreams that have not declined a ticket under that name. A name that comes from several upstreams is shared
 * by them: it does not steer. What would be refused if it resumed is steered away from its issuer, to one that does a full
 * handshake. What resumes nothing is spread as Envoy's balancer would.
 *
 * Cost: for a resumption of what is known by itself, two looks into the shared store; where its source has to be asked for, one
 * or two more; for a new connection, one. Allocates nothing.
 */
import { PeerAddress } from "../ports/peer_address";
import { Clock } from "../ports/clock";
import { SharedStore } from "../ports/shared_store";
import { Cache, Lookup } from "../session/cache";
import { hashId } from "../session/keys";
import { Refusals, Verdict } from "../session/refusal";
import { Known, Session, TICKET_KEY_LENGTH } from "../session/session";
import { KeyState } from "../session/ticket_keys";
import { Handshake } from "../tls/handshake";
import { Declines } from "./declines";
import { Departures } from "./departures";
import { BySource } from "./modes";
import { Sources } from "./sources";
import { FOREVER, MAX_UPSTREAMS, Tokens } from "./tokens";

export class Steering {
  readonly tokens: Tokens;
  /** Of the last choice: number of the upstream to go to, -1 for none. */
  upstream: i32 = -1;
  /** Of the last choice: the token that leads there, or one to explore, or -1. */
  token: i32 = -1;
  /** Of the last choice: the text to hash; that of its token, or one of its own. */
  text: u64 = 0;
  private readonly sources: Sources;
  private readonly declines: Declines;
  private readonly refusals: Refusals;
  private readonly departures: Departures = new Departures();
  /** Upstreams that the configuration names: they never count as gone. */
  private readonly configured: StaticArray<bool> = new StaticArray<bool>(MAX_UPSTREAMS);
  private readonly clock: Clock;
  private random: u64;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    /** The cluster that these upstreams are of: what is learned is learned for it alone. */
    cluster: string,
    private readonly bySource: BySource,
    /** Whether hosts are named to Envoy rather than hashed to. */
    private readonly exact: bool,
    private readonly clientAddress: PeerAddress,
  ) {
    const name = cache.settings.cacheName;
    const family = cluster.length > 0 ? "steering/" + cluster : "steering";
    this.tokens = new Tokens(name, family, sharedStore);
    this.sources = new Sources(name, family, sharedStore);
    this.declines = new Declines(name, family, sharedStore);
    this.refusals = new Refusals(cache, cache.ticketKeys, cache.revocations);
    this.clock = cache.clock;
    this.random = cache.clock.nowNanoseconds() | 1;
  }

  free(): void {
    this.tokens.free();
    this.sources.free();
    this.declines.free();
  }

  /** Takes an upstream that the configuration names. */
  configure(address: usize, length: i32): void {
    const number = this.tokens.learn(-1, address, length);
    if (number >= 0) unchecked((this.configured[number] = true));
  }

  /**
   * Chooses for a connection whose ClientHello is in: `upstream`, `token` and `text`. `offered` describes what the client
   * offers first, its ID 0 long where that is nothing.
   */
  choose(handshake: Handshake, offered: Session): void {
    this.cache.readSettings();
    this.tokens.follow();
    this.upstream = this.present(this.upstreamFor(handshake, offered));
    this.token = -1;
    if (!this.exact) {
      if (this.upstream >= 0) this.token = this.tokens.leadingTo(this.upstream);
      if (this.token < 0 && this.bySource != BySource.Always)
        this.token = this.tokens.unexplored(<u32>this.nextRandom());
    }
    if (this.token >= 0) this.text = <u64>this.token;
    else
      this.text = this.bySource == BySource.Always ? SOURCE_TEXTS | (<u64>this.sourceOf(handshake)) : this.nextRandom();
  }

  /** Whether the last choice names a host to connect to. */
  get namesHost(): bool {
    return this.exact && this.upstream >= 0;
  }

  /** Whether the last choice is to be hashed: where hosts are named, only for what goes by its source. */
  get hashes(): bool {
    return !this.exact || this.bySource == BySource.Always;
  }

  /**
   * Learns from a ServerHello which upstream has answered a connection that `token` (-1 for none) was taken for, or that
   * was sent to the upstream numbered `wanted` (-1 for none), and what it has done with the offer.
   */
  answered(handshake: Handshake, token: i32, wanted: i32, upstream: usize, upstreamLength: i32): void {
    const number = this.tokens.learn(token, upstream, upstreamLength);
    if (number < 0) return;
    if (this.exact) this.followHosts(number, wanted);
    if (handshake.acceptedKind == 0) {
      const key = keyOf(handshake);
      if (key != 0 && this.stateOf(key) == 0) this.noteDecline(key, number);
    }
    if (this.bySource == BySource.Guess && !this.isLedByName(handshake)) {
      this.sources.learn(this.sourceOf(handshake), number);
    }
  }

  /**
   * Whether it can be told without asking who has answered that `answered` would hardly learn anything: what was accepted
   * went by its name where a token led it.
   */
  expectsNoNews(handshake: Handshake, token: i32): bool {
    if (this.exact || token < 0 || handshake.acceptedKind == 0) return false;
    return this.bySource != BySource.Guess || this.isLedByName(handshake);
  }

  /** Whether `answered` would learn anything. Costs less. */
  hasNews(handshake: Handshake, token: i32, upstream: usize, upstreamLength: i32): bool {
    // Hosts that are named are watched at each answer.
    if (this.exact || !this.tokens.knows(token, upstream, upstreamLength)) return true;
    if (handshake.acceptedKind == 0 && keyOf(handshake) != 0) return true;
    if (this.bySource != BySource.Guess || this.isLedByName(handshake)) return false;
    return this.sources.lastOf(this.sourceOf(handshake)) != this.tokens.numberOf(upstream, upstreamLength);
  }

  /** An upstream that was named has not answered: for a while, nothing is sent there. */
  silent(wanted: i32): void {
    this.tokens.avoid(wanted, <u32>this.clock.nowSeconds() + AVOIDED_SECONDS);
  }

  private followHosts(number: i32, wanted: i32): void {
    if (wanted >= 0) {
      if (wanted != number) this.silent(wanted);
      return;
    }
    if (this.tokens.isAvoided(number, <u64>FOREVER)) this.tokens.avoid(number, 0);
    this.departures.note(number);
    const upstreams = this.tokens.upstreams;
    if (!this.departures.isRoundOver(upstreams)) return;
    for (let other = 0; other < upstreams; other++) {
      if (this.departures.hasLeft(other) && !unchecked(this.configured[other])) this.tokens.avoid(other, FOREVER);
    }
    this.departures.beginRound();
  }

  /** The upstream to go to, -1 where there is none to prefer. */
  private upstreamFor(handshake: Handshake, offered: Session): i32 {
    if (offered.idLength == 0) return -1;
    const lookup = this.cache.look(offered.id, offered.idLength);
    const holder = this.holderOf(lookup);
    const refused = this.refusals.judgeLooked(offered, lookup) != Verdict.Resume;
    const key = keyOf(handshake);
    const state = key != 0 ? this.stateOf(key) : 0;
    const named = state != 0 && state != KeyState.SHARED ? this.upstreamOfKey() : -1;
    if (refused) return this.otherThan(holder >= 0 ? holder : named);
    if (handshake.offeredPskCount == 0 && !handshake.offeredTicket) return holder;
    if (state == KeyState.SHARED) return -1;
    if (named >= 0) return named;
    if (holder >= 0) return holder;
    if (this.bySource == BySource.Always) return -1;
    return key != 0 ? this.guess(handshake, key) : this.lastOf(handshake);
  }

  /** The upstream that the cache has with the session that was looked up, -1 where it has none. */
  private holderOf(lookup: Lookup): i32 {
    if (lookup != Lookup.Found && lookup != Lookup.Expired && lookup != Lookup.Removed) return -1;
    const found = this.cache.found;
    return found.knows(Known.UPSTREAM) ? this.tokens.numberOf(found.upstream, found.upstreamLength) : -1;
  }

  /** The upstream of the ticket key that was looked up last. */
  private upstreamOfKey(): i32 {
    const row = this.cache.ticketKeys.row;
    return row ? this.tokens.numberOf(row.upstream, row.upstreamLength) : -1;
  }

  /** Any other upstream than the issuer of what must not resume, -1 where that is not known or there is no other. */
  private otherThan(issuer: i32): i32 {
    return issuer >= 0 ? this.anyBut((<u64>1) << (<u64>issuer), issuer) : -1;
  }

  /** For a key name that nobody is known to hold: an upstream that has not declined it yet. */
  private guess(handshake: Handshake, key: usize): i32 {
    const declined = this.declines.of(hashId(key, TICKET_KEY_LENGTH), this.clock.nowSeconds());
    const last = this.lastOf(handshake);
    if (last >= 0 && !isSet(declined, last)) return last;
    const other = this.anyBut(declined, -1);
    return other >= 0 ? other : last;
  }

  /** An upstream that can be reached, by chance, neither one of `bits` nor `exception`; -1 where there is none. */
  private anyBut(bits: u64, exception: i32): i32 {
    const upstreams = this.tokens.upstreams;
    if (upstreams <= 0) return -1;
    const start = <i32>(<u32>this.nextRandom() % <u32>upstreams);
    for (let i = 0; i < upstreams; i++) {
      const upstream = (start + i) % upstreams;
      if (upstream != exception && !isSet(bits, upstream) && this.isPresent(upstream)) return upstream;
    }
    return -1;
  }

  private present(upstream: i32): i32 {
    return upstream >= 0 && this.isPresent(upstream) ? upstream : -1;
  }

  private isPresent(upstream: i32): bool {
    return this.exact ? !this.tokens.isAvoided(upstream, this.clock.nowSeconds()) : this.tokens.reaches(upstream);
  }

  /** The upstream that the source of the connection at hand has talked to last, -1 where that is not known or not wanted. */
  private lastOf(handshake: Handshake): i32 {
    return this.bySource == BySource.Guess ? this.sources.lastOf(this.sourceOf(handshake)) : -1;
  }

  /** Whether what was accepted finds its way by itself, the next time as well: then its source is not asked for. */
  private isLedByName(handshake: Handshake): bool {
    if (handshake.acceptedKind == 0) return false;
    if (handshake.offeredPskCount == 0 && !handshake.offeredTicket) return true;
    const key = keyOf(handshake);
    return key != 0 && this.stateOf(key) != 0;
  }

  /** The source of the connection at hand, for the tables: its address without the port, and the server name. */
  private sourceOf(handshake: Handshake): u32 {
    const length = this.clientAddress.read(ADDRESS, ADDRESS_CAPACITY);
    return length > 0 ? sourceOf(ADDRESS, length, handshake) : 0;
  }

  private noteDecline(key: usize, upstream: i32): void {
    const name = hashId(key, TICKET_KEY_LENGTH);
    const now = this.clock.nowSeconds();
    const declined = this.declines.of(name, now);
    this.declines.add(name, upstream, this.anyBut(declined, upstream) < 0, now);
  }

  /** State of a key's name, 0 where it is not known; its row is then in `ticketKeys.row`. */
  private stateOf(key: usize): u8 {
    const row = this.cache.ticketKeys.look(key);
    return row ? row.state : 0;
  }

  private nextRandom(): u64 {
    let x = this.random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    this.random = x;
    return x;
  }
}

/** A source for the tables: its address without the port, and the server name. */
export function sourceOf(address: usize, length: i32, handshake: Handshake): u32 {
  let end = length;
  while (end > 0 && load<u8>(address + end - 1) != 0x3a) end--;
  const source = hashId(address, end > 0 ? end : length);
  return handshake.sniLength > 0 ? source ^ (hashId(handshake.sni, handshake.sniLength) * 0x9e3779b1) : source;
}

/** The key name of the first ticket or identity, 0 where it has none. */
function keyOf(handshake: Handshake): usize {
  if (handshake.offeredPskCount > 0) return handshake.pskKey(0);
  return handshake.offeredTicket ? handshake.offeredTicketKey : 0;
}

function isSet(bits: u64, index: i32): bool {
  return index < 64 && ((bits >> (<u64>index)) & 1) != 0;
}

/** How long nothing is sent to an upstream that has not answered. */
const AVOIDED_SECONDS: u32 = 10;
/** An IPv6 address with its port in brackets has 47 characters at most. */
const ADDRESS_CAPACITY: i32 = 64;
const ADDRESS: usize = memory.data(64);
/** Tells texts that are made of sources from those of tokens. */
const SOURCE_TEXTS: u64 = 0x8000000000000000;
