/**
 * A TLS session as the cache knows it: its kind and fields, who issued it, how long it lives, how often it was resumed.
 *
 * `Session` is a view: its pointers lead into a page buffer or into the caller's memory and are valid until the next
 * operation on the cache. It serves both directions: the cache fills one with a session that it found, callers fill one with
 * a session to store. The pointed-to bytes are never changed through it.
 */
import { PeerAddress } from "../../ports/peer_address";
import { MAX_SESSION_ID_LENGTH } from "../../tls/wire/limits";
export { MAX_SNI_LENGTH, TICKET_KEY_LENGTH } from "../../tls/wire/limits";

export namespace Kind {
  /** A session ID of TLS <= 1.2: 1 to 32 bytes that the server chose (RFC 5246 7.4.1.3). */
  export const ID: u8 = 1;
  /** A TLS 1.2 session ticket (RFC 5077), known by the SHA-256 of the ticket. */
  export const TICKET: u8 = 2;
  /** A TLS 1.3 PSK identity (RFC 8446 4.2.11), known by the SHA-256 of the identity. */
  export const PSK: u8 = 3;
}

/** Which fields of a `Session` are known; of a change: which are given. */
export namespace Known {
  export const KIND: u32 = 1;
  export const PROTOCOL: u32 = 2;
  export const CIPHER: u32 = 4;
  export const SNI: u32 = 8;
  export const UPSTREAM: u32 = 16;
  export const TIMEOUT: u32 = 32;
  export const TICKET_KEY: u32 = 64;
  export const LAST_USED: u32 = 128;
  export const SESSION: u32 = 256;
}

export namespace Origin {
  export const OBSERVED: u8 = 0;
  export const API: u8 = 1;
}

/** Why a session was removed; kept with its tombstone. */
export namespace Cause {
  export const API: u8 = 1;
  export const FLUSH: u8 = 2;
  /** A configuration; no tombstone has it. */
  export const CONFIG: u8 = 3;
}

/** A session ID of TLS <= 1.2, or the SHA-256 of a ticket or identity: both have 32 bytes at most. */
export const MAX_ID_LENGTH: i32 = MAX_SESSION_ID_LENGTH;
/** The longest address is "[" + 45 characters of IPv6 + "]:" + 5 digits. */
export const MAX_UPSTREAM_LENGTH: i32 = 64;

export class Session {
  id: usize = 0;
  idLength: i32 = 0;
  kind: u8 = Kind.ID;
  /** Bits of `Known`. A field without its bit is unknown (null) in a found session, and untouched by a change. */
  known: u32 = 0;
  /**
   * In a change only: bits of `Known` for fields that are given as null, to be made unknown. Only PROTOCOL, CIPHER, SNI and
   * UPSTREAM can be.
   */
  cleared: u32 = 0;
  /** As on the wire: 0x0303 is TLS 1.2. */
  protocol: u16 = 0;
  /** Cipher suite as on the wire. */
  cipher: u16 = 0;
  sni: usize = 0;
  sniLength: i32 = 0;
  upstream: usize = 0;
  upstreamLength: i32 = 0;
  /** The first 16 bytes of the ticket or identity. */
  ticketKey: usize = 0;
  /** Numbers of these three in the cache's table of names, 0 if they were not looked up; see `names.ts`. */
  sniName: u16 = 0;
  upstreamName: u16 = 0;
  ticketKeyName: u16 = 0;
  /**
   * The name that all handles of one session share: its ID and its ticket, and a renewed ticket with the one that it renews.
   * 0 if it has only this handle. See `Cache.sessionName`.
   */
  session: u64 = 0;
  /** It was learned by its acceptance: the time of its issue is unknown, and `time` is when it was seen first. */
  unissued: bool = false;
  /** A ticket beside which its server was seen to issue no session ID. */
  alone: bool = false;
  /** Unix seconds of the issue, if it was seen, or of the last change by hand. */
  time: u64 = 0;
  timeoutSeconds: u32 = 0;
  lastUsed: u64 = 0;
  hits: u32 = 0;
  origin: u8 = Origin.OBSERVED;
  /** This proxy tells the others of it: it was learned or put in here. */
  isOwn: bool = false;
  /** Of a session by hand: see `stamp.ts`. */
  stamp: u64 = 0;
  /** Orders changes of one page more finely than seconds; see `page.ts`. */
  version: u64 = 0;

  /** Empties the view, for the next use. */
  clear(): void {
    this.id = 0;
    this.idLength = 0;
    this.kind = Kind.ID;
    this.known = 0;
    this.cleared = 0;
    this.protocol = 0;
    this.cipher = 0;
    this.sni = 0;
    this.sniLength = 0;
    this.upstream = 0;
    this.upstreamLength = 0;
    this.ticketKey = 0;
    this.sniName = 0;
    this.upstreamName = 0;
    this.ticketKeyName = 0;
    this.session = 0;
    this.unissued = false;
    this.alone = false;
    this.time = 0;
    this.timeoutSeconds = 0;
    this.lastUsed = 0;
    this.hits = 0;
    this.origin = Origin.OBSERVED;
    this.isOwn = false;
    this.stamp = 0;
    this.version = 0;
  }

  /** Reads which server has answered, unless that is known; valid until the next session reads it. */
  readUpstream(server: PeerAddress): void {
    if (this.knows(Known.UPSTREAM)) return;
    const length = server.read(UPSTREAM, MAX_UPSTREAM_LENGTH);
    if (length <= 0) return;
    this.upstream = UPSTREAM;
    this.upstreamLength = length;
    this.known |= Known.UPSTREAM;
  }

  /** Whether its issuer is known and has this address. */
  isOfUpstream(address: usize, length: i32): bool {
    return this.knows(Known.UPSTREAM) && sameBytes(this.upstream, this.upstreamLength, address, length);
  }


  @inline
  knows(field: u32): bool {
    return (this.known & field) != 0;
  }

  /** The last second in which the session may be resumed. */
  @inline
  get expiry(): u64 {
    return this.time + <u64>this.timeoutSeconds;
  }

  /** OpenSSL's rule: expired once now > time + timeout. */
  @inline
  expiredAt(nowSeconds: u64): bool {
    return nowSeconds > this.expiry;
  }
}

/** A removed session that stays refused, as `GET /v1/removed` shows it. */
export class Tombstone {
  id: usize = 0;
  idLength: i32 = 0;
  /** The description of the removed session, as far as it is known: kind, protocol, cipher, SNI, ticket key, upstream. */
  readonly about: Session = new Session();
  /** The name that all handles of its session share, 0 if it had only one. */
  session: u64 = 0;
  /** It stands for that name instead of an ID: all handles of the session are refused. No listing shows it. */
  hidden: bool = false;
  /** Unix seconds of the removal. */
  time: u64 = 0;
  /** The last second in which it is refused, by the clock of the day. */
  until: u64 = 0;
  /** The same by the machine's own clock (`moment.ts`), 0 if there is none. */
  monotonicUntil: u64 = 0;
  cause: u8 = 0;
  /** This proxy tells the others of it: it was made here, or has flushed a session of this proxy. */
  isOwn: bool = false;
  /** See `stamp.ts`. */
  stamp: u64 = 0;
  version: u64 = 0;
}

export function sameBytes(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength == bLength && memory.compare(a, b, aLength) == 0;
}

const UPSTREAM: usize = memory.data(MAX_UPSTREAM_LENGTH);
