/**
 * Steers each resumption to the server that issued the session, where servers do not share sessions: a choice when the
 * ClientHello is in, and what can be learned when the ServerHello is.
 *
 * What tells the issuer, in this order: the session in the cache; the ticket key's name (RFC 5077 4), which leads every
 * ticket of a server home, also those never seen; where the name is not known, the upstream that the source has talked to
 * last, then upstreams that have not declined a ticket under that name. A name that comes from several upstreams is shared
 * by them: it does not steer. What resumes nothing is spread as Envoy's balancer would, by a new text each time, but for
 * some whose text is a token of which nobody knows yet where it leads.
 *
 * Cost: for a resumption, one or two looks into the shared store; for a new connection, none. Allocates nothing.
 */
import { Clock } from "../ports/clock";
import { SharedStore } from "../ports/shared_store";
import { Cache, Lookup } from "../session/cache";
import { hashId } from "../session/keys";
import { Known, TICKET_KEY_LENGTH } from "../session/session";
import { KeyState } from "../session/ticket_keys";
import { Handshake } from "../tls/handshake";
import { Declines } from "./declines";
import { Sources } from "./sources";
import { Tokens } from "./tokens";

export class Steering {
  readonly tokens: Tokens;
  private readonly sources: Sources;
  private readonly declines: Declines;
  private readonly clock: Clock;
  private random: u64;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    /** Whether the source of a connection is a guess where nothing else is known. */
    private readonly bySource: bool,
  ) {
    const name = cache.settings.cacheName;
    this.tokens = new Tokens(name, sharedStore);
    this.sources = new Sources(name, sharedStore);
    this.declines = new Declines(name, sharedStore);
    this.clock = cache.clock;
    this.random = cache.clock.nowNanoseconds() | 1;
  }

  free(): void {
    this.tokens.free();
    this.sources.free();
    this.declines.free();
  }

  tick(): void {
    this.tokens.refresh();
  }

  /** The token for a connection whose ClientHello is in, or -1 for a text of its own. `source` as of `sourceOf`. */
  choose(handshake: Handshake, source: u32): i32 {
    this.cache.readSettings();
    const upstream = this.issuerOf(handshake, source);
    if (upstream >= 0) {
      const token = this.leadingTo(upstream);
      if (token >= 0) return token;
    }
    return this.tokens.unknown(<u32>this.nextRandom());
  }

  /** A text that no other connection has, for connections without a token. */
  nextRandom(): u64 {
    let x = this.random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    this.random = x;
    return x;
  }

  /** Learns from a ServerHello which upstream a token led to, and what that upstream has done with the offer. */
  answered(handshake: Handshake, token: i32, source: u32, upstream: usize, upstreamLength: i32): void {
    const number = this.tokens.learn(token, upstream, upstreamLength);
    if (number < 0) return;
    if (handshake.acceptedKind == 0) {
      const key = keyOf(handshake);
      if (key != 0 && this.stateOf(key) == 0) this.noteDecline(key, number);
    }
    if (this.bySource) this.sources.learn(source, number);
  }

  /**
   * The token by which an upstream is reached: always the same one, so that when it leads elsewhere, the first client
   * finds out for all. Another machine may have learned of the upstream since the last tick.
   */
  private leadingTo(upstream: i32): i32 {
    const token = this.tokens.leadingTo(upstream, 0);
    if (token >= 0 || !this.tokens.refresh()) return token;
    return this.tokens.leadingTo(upstream, 0);
  }

  /** The upstream to steer to, -1 where there is none to prefer. */
  private issuerOf(handshake: Handshake, source: u32): i32 {
    const key = keyOf(handshake);
    if (handshake.offeredPskCount > 0 || handshake.offeredTicket) {
      const id = handshake.offeredPskCount > 0 ? handshake.pskHash(0) : handshake.offeredTicketHash;
      const known = this.holderOf(id, HASH_LENGTH);
      if (key == 0) return known >= 0 ? known : this.lastOf(source);
      const state = this.stateOf(key);
      if (state == KeyState.SHARED) return -1;
      if (state == KeyState.LEARNED || state == KeyState.TOLD) {
        const row = this.cache.ticketKeys.row;
        const named = row ? this.tokens.numberOf(row.upstream, row.upstreamLength) : -1;
        if (named >= 0) return named;
      }
      return known >= 0 ? known : this.guess(key, source);
    }
    return handshake.offeredIdLength > 0 ? this.holderOf(handshake.offeredId, handshake.offeredIdLength) : -1;
  }

  /** The upstream that the cache has with a session, -1 where it has none. */
  private holderOf(id: usize, idLength: i32): i32 {
    if (id == 0) return -1;
    const lookup = this.cache.look(id, idLength);
    if (lookup != Lookup.Found && lookup != Lookup.Expired) return -1;
    const found = this.cache.found;
    return found.knows(Known.UPSTREAM) ? this.tokens.numberOf(found.upstream, found.upstreamLength) : -1;
  }

  /** For a key name that nobody is known to hold: an upstream that has not declined it yet. */
  private guess(key: usize, source: u32): i32 {
    const declined = this.declines.of(hashId(key, TICKET_KEY_LENGTH), this.clock.nowSeconds());
    const last = this.lastOf(source);
    if (last >= 0 && !isSet(declined, last)) return last;
    const upstreams = this.tokens.upstreams;
    const start = <i32>(this.nextRandom() & 0xff);
    for (let i = 0; i < upstreams; i++) {
      const upstream = (start + i) % upstreams;
      if (!isSet(declined, upstream) && this.tokens.reaches(upstream)) return upstream;
    }
    return last;
  }

  private lastOf(source: u32): i32 {
    return this.bySource ? this.sources.lastOf(source) : -1;
  }

  private noteDecline(key: usize, upstream: i32): void {
    const name = hashId(key, TICKET_KEY_LENGTH);
    const now = this.clock.nowSeconds();
    const declined = this.declines.of(name, now);
    this.declines.add(name, upstream, this.allOthersDeclined(declined, upstream), now);
  }

  private allOthersDeclined(declined: u64, upstream: i32): bool {
    const upstreams = this.tokens.upstreams;
    for (let other = 0; other < upstreams; other++) {
      if (other != upstream && !isSet(declined, other) && this.tokens.reaches(other)) return false;
    }
    return true;
  }

  /** State of a key's name, 0 where it is not known; its row is then in `ticketKeys.row`. */
  private stateOf(key: usize): u8 {
    const row = this.cache.ticketKeys.look(key);
    return row ? row.state : 0;
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

const HASH_LENGTH: i32 = 32;
