/**
 * One record of a page (`page.ts`): a session, or the tombstone of one that was removed. Edited in place, like its page.
 *
 * Layout, little-endian:
 *   0   u64  version << 5 | kind (0 = tombstone, 2 bits) | FLAG_...
 *   8   u8   length of the ID, | HIDDEN        9   u8   protocol's lower byte + 1, 0 = unknown; or cause; | MORE_...
 *   10  u16  upstream                          12  u32  time (Unix seconds)
 *   tombstone:  16 u32 until                   20  u32 the same by the machine's clock, 0 = unknown
 *               24 ID, session, upstream
 *   session:    16 u32 timeout in seconds      20  u32 last used, 0 = never      24 u32 hits     28 u32 generation
 *               32 u16 cipher suite            34  u16 SNI                       36 u16 ticket key
 *               38 ID, session, ticket key, SNI, upstream
 * The session's name, 8 bytes, is there only if it has one. SNI, upstream and ticket key are numbers of `names.ts`: 0 if
 * unknown, or INLINE_NAME if the name stands behind the ID, the ticket key as 16 bytes, the others as u8 length and bytes. A
 * hidden tombstone has a session's name in the place of the ID. Seconds end in the year 2106.
 *
 * A version is a number of 8 ns since 1970, or one more than the page's last version if the clock has not moved or has
 * stepped back: it orders all changes of one page.
 */
import { INLINE_NAME, Names, NO_NAME } from "../../shared/names";
import { Moment, narrow } from "../record/moment";
import { Known, Origin, Session, TICKET_KEY_LENGTH, Tombstone } from "../record/session";

/** A session or a tombstone, by `isTombstone`. */
@unmanaged
export class Entry {
  private head: u64;
  lengthByte: u8;
  private more: u8;
  private upstreamName: u16;
  private seconds: u32;
  private timeoutOrUntil: u32;
  private lastUsedOrMonotonic: u32;
  private hits: u32;
  generation: u32;
  private cipher: u16;
  private sniName: u16;
  private ticketKeyName: u16;

  /** Of the change that made or changed this. */
  @inline
  get version(): u64 {
    return this.head >> FLAG_BITS;
  }

  /** Whether this is a tombstone; else it is a session. */
  @inline
  get isTombstone(): bool {
    return ((<u8>this.head) & KIND_BITS) == TOMBSTONE;
  }

  /** Of a tombstone: whether it stands for a session's name, not for an ID. */
  @inline
  get isHidden(): bool {
    return (this.lengthByte & HIDDEN) != 0;
  }

  /** Bytes of the ID. */
  @inline
  get idLength(): i32 {
    return this.lengthByte & ~HIDDEN;
  }

  /** The name that all handles of its session share, 0 if it has but one. */
  get session(): u64 {
    return this.more & MORE_SESSION ? load<u64>(this.id + <usize>this.idLength) : 0;
  }

  /** Unix seconds of the issue, or of the removal. */
  @inline
  get time(): u64 {
    return this.seconds;
  }

  set time(seconds: u64) {
    this.seconds = narrow(seconds);
  }

  /** Of a session: the last second in which it may be resumed. */
  @inline
  get expiry(): u64 {
    return <u64>this.seconds + <u64>this.timeoutOrUntil;
  }

  /** Of a tombstone: the last second in which its ID is refused. */
  @inline
  get until(): u64 {
    return this.timeoutOrUntil;
  }

  /** The same by the machine's clock, 0 if that is unknown. */
  @inline
  get monotonicUntil(): u64 {
    return this.lastUsedOrMonotonic;
  }

  /** Of a tombstone: whether it still refuses. */
  @inline
  refusesAt(moment: Moment): bool {
    return !moment.isOver(this.timeoutOrUntil, this.lastUsedOrMonotonic);
  }

  /** The address of the ID. */
  @inline
  get id(): usize {
    return changetype<usize>(this) + (this.isTombstone ? TOMBSTONE_FIXED_SIZE : SESSION_FIXED_SIZE);
  }

  /** Bytes that this takes in its page. */
  @inline
  get size(): i32 {
    const fixed = (this.isTombstone ? TOMBSTONE_FIXED_SIZE : SESSION_FIXED_SIZE) + this.idLength;
    return (<u8>this.head) & FLAG_INLINE ? fixed + this.inlineSize(INLINE_ALL) : fixed;
  }

  /** Of a session: counts a resumption. */
  countHit(nowSeconds: u64): void {
    if (this.hits != u32.MAX_VALUE) this.hits += 1;
    this.lastUsedOrMonotonic = narrow(nowSeconds);
  }

  /** Returns how many of its names have numbers of the half of the table that takes no names. */
  oldNames(names: Names): u32 {
    const old = <u32>names.isOld(this.upstreamName);
    return this.isTombstone ? old : old + <u32>names.isOld(this.sniName) + <u32>names.isOld(this.ticketKeyName);
  }

  /** Gives these names numbers of the other half. Returns how many of them got none. */
  renumber(names: Names): u32 {
    if (names.isOld(this.upstreamName)) {
      const moved = names.moved(this.upstreamName);
      if (moved != NO_NAME) this.upstreamName = moved;
    }
    if (this.isTombstone) return this.oldNames(names);
    if (names.isOld(this.sniName)) {
      const moved = names.moved(this.sniName);
      if (moved != NO_NAME) this.sniName = moved;
    }
    if (names.isOld(this.ticketKeyName)) {
      const moved = names.moved(this.ticketKeyName);
      if (moved != NO_NAME) this.ticketKeyName = moved;
    }
    return this.oldNames(names);
  }

  /** Fills `session` with this entry; its pointers lead into the page and into `names`. */
  readSession(session: Session, names: Names): void {
    const flags = <u8>this.head;
    let known = Known.KIND | Known.TIMEOUT;
    session.id = this.id;
    session.idLength = this.idLength;
    session.kind = flags & KIND_BITS;
    session.cleared = 0;
    session.protocol = 0;
    const protocol = this.more & PROTOCOL_OR_CAUSE;
    if (protocol != 0) {
      known |= Known.PROTOCOL;
      session.protocol = PROTOCOL_MAJOR | (<u16>protocol - 1);
    }
    session.session = this.session;
    if (session.session != 0) known |= Known.SESSION;
    session.unissued = (this.more & MORE_UNISSUED) != 0;
    session.alone = (this.more & MORE_ALONE) != 0;
    session.cipher = this.cipher;
    if (flags & FLAG_CIPHER) known |= Known.CIPHER;
    session.ticketKey = 0;
    session.ticketKeyName = this.ticketKeyName;
    if (this.ticketKeyName == INLINE_NAME) {
      session.ticketKey = this.inlinePlace(INLINE_SESSION);
    } else if (this.ticketKeyName != NO_NAME && names.lengthOf(this.ticketKeyName) == TICKET_KEY_LENGTH) {
      session.ticketKey = names.start(this.ticketKeyName);
    }
    if (session.ticketKey != 0) known |= Known.TICKET_KEY;
    session.sni = 0;
    session.sniLength = 0;
    session.sniName = this.sniName;
    if (this.sniName == INLINE_NAME) {
      const place = this.inlinePlace(INLINE_SESSION | INLINE_TICKET_KEY);
      session.sni = place + 1;
      session.sniLength = load<u8>(place);
    } else if (this.sniName != NO_NAME) {
      session.sni = names.start(this.sniName);
      session.sniLength = names.lengthOf(this.sniName);
    }
    if (session.sni != 0) known |= Known.SNI;
    session.known = known;
    this.readUpstream(session, names);
    session.time = this.seconds;
    session.timeoutSeconds = this.timeoutOrUntil;
    session.lastUsed = this.lastUsedOrMonotonic;
    if (this.lastUsedOrMonotonic != 0) session.known |= Known.LAST_USED;
    session.hits = this.hits;
    session.origin = flags & FLAG_API ? Origin.API : Origin.OBSERVED;
    session.version = this.version;
  }

  /** Fills the upstream of `session` with that of this entry, session or tombstone. */
  readUpstream(session: Session, names: Names): void {
    session.upstream = 0;
    session.upstreamLength = 0;
    session.upstreamName = this.upstreamName;
    if (this.upstreamName == INLINE_NAME) {
      const place = this.inlinePlace(INLINE_SESSION | INLINE_TICKET_KEY | INLINE_SNI);
      session.upstream = place + 1;
      session.upstreamLength = load<u8>(place);
    } else if (this.upstreamName != NO_NAME) {
      session.upstream = names.start(this.upstreamName);
      session.upstreamLength = names.lengthOf(this.upstreamName);
    }
    if (session.upstream != 0) session.known |= Known.UPSTREAM;
  }

  /** Fills `tombstone` with this entry, except for its upstream. */
  readTombstone(tombstone: Tombstone): void {
    tombstone.id = this.id;
    tombstone.idLength = this.idLength;
    tombstone.session = this.session;
    tombstone.hidden = this.isHidden;
    tombstone.time = this.seconds;
    tombstone.until = this.timeoutOrUntil;
    tombstone.monotonicUntil = this.lastUsedOrMonotonic;
    tombstone.cause = this.more & PROTOCOL_OR_CAUSE;
    tombstone.version = this.version;
  }

  /**
   * Gives a tombstone the session's name and a copy of the upstream. The copy stays valid after this entry is removed, until
   * the next copy.
   */
  copyUpstream(tombstone: Tombstone): void {
    tombstone.session = this.session;
    tombstone.upstreamName = this.upstreamName;
    tombstone.upstreamLength = 0;
    if (this.upstreamName != INLINE_NAME) return;
    const place = this.inlinePlace(INLINE_SESSION | INLINE_TICKET_KEY | INLINE_SNI);
    tombstone.upstream = UPSTREAM_COPY;
    tombstone.upstreamLength = load<u8>(place);
    memory.copy(UPSTREAM_COPY, place + 1, tombstone.upstreamLength);
  }

  /** Writes all bytes of a session's entry; the caller has made room for them. */
  writeSession(session: Session, generation: u32): void {
    const known = session.known;
    let flags = session.kind & KIND_BITS;
    if (session.origin == Origin.API) flags |= FLAG_API;
    if (known & Known.CIPHER) flags |= FLAG_CIPHER;
    this.lengthByte = <u8>session.idLength;
    const isKnown = (known & Known.PROTOCOL) != 0 && (session.protocol & ~MAX_PROTOCOL_MINOR) == PROTOCOL_MAJOR;
    let more: u8 = isKnown ? ((<u8>session.protocol) & (<u8>MAX_PROTOCOL_MINOR)) + 1 : 0;
    if (more > PROTOCOL_OR_CAUSE) more = 0;
    if (session.unissued) more |= MORE_UNISSUED;
    if (session.alone) more |= MORE_ALONE;
    if (known & Known.SESSION) more |= MORE_SESSION;
    this.more = more;
    this.seconds = narrow(session.time);
    this.timeoutOrUntil = session.timeoutSeconds;
    this.lastUsedOrMonotonic = known & Known.LAST_USED ? narrow(session.lastUsed) : 0;
    this.hits = session.hits;
    this.generation = generation;
    this.cipher = known & Known.CIPHER ? session.cipher : 0;
    this.ticketKeyName = nameIn(known & Known.TICKET_KEY, session.ticketKeyName);
    this.sniName = nameIn(known & Known.SNI, session.sniName);
    this.upstreamName = nameIn(known & Known.UPSTREAM, session.upstreamName);
    let position = changetype<usize>(this) + SESSION_FIXED_SIZE;
    memory.copy(position, session.id, session.idLength);
    position += <usize>session.idLength;
    if (known & Known.SESSION) {
      flags |= FLAG_INLINE;
      store<u64>(position, session.session);
      position += SESSION_NAME_SIZE;
    }
    if (this.ticketKeyName == INLINE_NAME) {
      flags |= FLAG_INLINE;
      memory.copy(position, session.ticketKey, TICKET_KEY_LENGTH);
      position += TICKET_KEY_LENGTH;
    }
    if (this.sniName == INLINE_NAME) {
      flags |= FLAG_INLINE;
      position = put(position, session.sni, session.sniLength);
    }
    if (this.upstreamName == INLINE_NAME) {
      flags |= FLAG_INLINE;
      put(position, session.upstream, session.upstreamLength);
    }
    this.head = (session.version << FLAG_BITS) | (<u64>flags);
  }

  /** Writes all bytes of a tombstone's entry; the caller has made room for them. */
  writeTombstone(tombstone: Tombstone): void {
    let flags: u8 = TOMBSTONE;
    this.lengthByte = (<u8>tombstone.idLength) | (tombstone.hidden ? HIDDEN : 0);
    this.more = tombstone.cause & PROTOCOL_OR_CAUSE;
    this.upstreamName = tombstone.upstreamName;
    this.seconds = narrow(tombstone.time);
    this.timeoutOrUntil = narrow(tombstone.until);
    this.lastUsedOrMonotonic = narrow(tombstone.monotonicUntil);
    let position = changetype<usize>(this) + TOMBSTONE_FIXED_SIZE;
    memory.copy(position, tombstone.id, tombstone.idLength);
    position += <usize>tombstone.idLength;
    if (tombstone.session != 0) {
      flags |= FLAG_INLINE;
      this.more |= MORE_SESSION;
      store<u64>(position, tombstone.session);
      position += SESSION_NAME_SIZE;
    }
    if (this.upstreamName == INLINE_NAME) {
      flags |= FLAG_INLINE;
      put(position, tombstone.upstream, tombstone.upstreamLength);
    }
    this.head = (tombstone.version << FLAG_BITS) | (<u64>flags);
  }

  /** The address behind the ID and the inline names of a set of INLINE_.... */
  private inlinePlace(before: i32): usize {
    return this.id + <usize>(this.idLength + this.inlineSize(before));
  }

  /** Bytes of the inline names of a set of INLINE_..., each with its length. */
  private inlineSize(which: i32): i32 {
    let size = which & INLINE_SESSION && this.more & MORE_SESSION ? <i32>SESSION_NAME_SIZE : 0;
    const start = this.id + <usize>this.idLength;
    if (!this.isTombstone) {
      if (which & INLINE_TICKET_KEY && this.ticketKeyName == INLINE_NAME) size += TICKET_KEY_LENGTH;
      if (which & INLINE_SNI && this.sniName == INLINE_NAME) size += 1 + <i32>load<u8>(start + size);
    }
    if (which & INLINE_UPSTREAM && this.upstreamName == INLINE_NAME) size += 1 + <i32>load<u8>(start + size);
    return size;
  }
}

/** Returns the version of a change at a time, if no change came before it. */
@inline
export function versionAt(nanoseconds: u64): u64 {
  return nanoseconds / NANOSECONDS_PER_VERSION;
}

/** Returns the bytes that a session takes in a page. */
export function sessionSize(session: Session): i32 {
  const known = session.known;
  let size = SESSION_FIXED_SIZE + session.idLength;
  if (known & Known.SESSION) size += <i32>SESSION_NAME_SIZE;
  if (nameIn(known & Known.TICKET_KEY, session.ticketKeyName) == INLINE_NAME) size += TICKET_KEY_LENGTH;
  if (nameIn(known & Known.SNI, session.sniName) == INLINE_NAME) size += 1 + session.sniLength;
  if (nameIn(known & Known.UPSTREAM, session.upstreamName) == INLINE_NAME) size += 1 + session.upstreamLength;
  return size;
}

/** Returns the bytes that a tombstone takes in a page. */
export function tombstoneSize(tombstone: Tombstone): i32 {
  const named = tombstone.session != 0 ? <i32>SESSION_NAME_SIZE : 0;
  const size = TOMBSTONE_FIXED_SIZE + tombstone.idLength + named;
  return tombstone.upstreamName == INLINE_NAME ? size + 1 + tombstone.upstreamLength : size;
}

/** The number of a name in an entry. A name that is known and has no number stands in the page itself. */
@inline
function nameIn(known: u32, name: u16): u16 {
  return known == 0 ? NO_NAME : name == NO_NAME ? INLINE_NAME : name;
}

/** Writes a name with its length; returns the address behind it. */
function put(position: usize, bytes: usize, length: i32): usize {
  store<u8>(position, <u8>length);
  memory.copy(position + 1, bytes, length);
  return position + 1 + <usize>length;
}

/** Fine enough that several changes in one tick of the clock stay below the next, and 59 bits last until 2116. */
const NANOSECONDS_PER_VERSION: u64 = 8;
const FLAG_BITS: u64 = 5;
const TOMBSTONE: u8 = 0;
export const KIND_BITS: u8 = 3;
const FLAG_API: u8 = 4;
const FLAG_CIPHER: u8 = 8;
/** Names stand behind the ID. */
const FLAG_INLINE: u8 = 16;
const HIDDEN: u8 = 0x80;
/** Of the byte behind the length: a protocol or a cause, then flags. */
export const PROTOCOL_OR_CAUSE: u8 = 15;
const MORE_UNISSUED: u8 = 16;
const MORE_ALONE: u8 = 32;
const MORE_SESSION: u8 = 64;
const SESSION_NAME_SIZE: usize = 8;
const INLINE_TICKET_KEY: i32 = 1;
const INLINE_SNI: i32 = 2;
const INLINE_UPSTREAM: i32 = 4;
const INLINE_SESSION: i32 = 8;
const INLINE_ALL: i32 = 15;
const PROTOCOL_MAJOR: u16 = 0x0300;
const MAX_PROTOCOL_MINOR: u16 = 15;
export const SESSION_FIXED_SIZE: i32 = 38;
/**
 * Smaller than a session's, and a tombstone has no longer upstream than its session had: a removal always finds room in
 * place.
 */
export const TOMBSTONE_FIXED_SIZE: i32 = 24;
const UPSTREAM_COPY: usize = memory.data(255);
