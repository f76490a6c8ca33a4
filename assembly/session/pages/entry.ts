/**
 * One record of a page (`page.ts`): a session, or the tombstone of one that was removed. Edited in place, like its page.
 *
 * Layout, little-endian:
 *   0   u64  version << 6 | kind (0 = tombstone, 2 bits) | FLAG_...
 *   8   u8   length of the ID, | LENGTH_...    9   u8   protocol's lower byte + 1, 0 = unknown; | MORE_...
 *   10  u16  upstream                          12  u32  time (Unix seconds)
 *   session:    16 u32 timeout in seconds      20  u32  last used, 0 = never      24 u32 hits     28 u32 generation
 *               32 u16 cipher suite            34  u16  SNI                       36 u16 ticket key
 *               if put in by hand: 38 u64 stamp
 *   tombstone:  16 u32 until                   20  u32  the same by the machine's clock, 0 = unknown
 *               24 u64 stamp
 *               if FLAG_DETAILED: 32, 34, 36 as in a session
 *   then: ID, session, ticket key, SNI, upstream
 * The session's name, 8 bytes, is there only if it has one. SNI, upstream and ticket key are numbers of `names.ts`: 0 if
 * unknown, or INLINE_NAME if the name stands behind the ID, the ticket key as 16 bytes, the others as u8 length and bytes. A
 * tombstone without details knows of its session the upstream and the name at most. A hidden one has a session's name in the
 * place of the ID. Seconds end in the year 2106.
 *
 * A version is a number of 16 ns since 1970, or one more than the page's last version if the clock has not moved or has
 * stepped back: it orders all changes of one page. A stamp orders records of one ID over several proxies (`stamp.ts`).
 */
import { INLINE_NAME, Names, NO_NAME } from "../../shared/names";
import { Moment, narrow } from "../record/moment";
import { Known, Origin, Session, TICKET_KEY_LENGTH, Tombstone } from "../record/session";
import { Decision, stampAt, stampOn } from "../record/stamp";

/** A session or a tombstone, by `isTombstone`. */
@unmanaged
export class Entry {
  private head: u64;
  private lengthByte: u8;
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
    return (this.lengthByte & LENGTH_HIDDEN) != 0;
  }

  /** Bytes of the ID. */
  @inline
  get idLength(): i32 {
    return this.lengthByte & ID_LENGTH;
  }

  /** Whether this is of an ID that begins with the byte `first`; a hidden tombstone is of none. */
  @inline
  isOf(id: usize, idLength: i32, first: u8): bool {
    const own = this.id;
    if (load<u8>(own) != first || (this.lengthByte & ~LENGTH_KIND) != <u8>idLength) return false;
    return memory.compare(own, id, idLength) == 0;
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

  /** The decision that this is a record of; an observed session is of none. */
  get decision(): Decision {
    if (this.isTombstone) return Decision.Removal;
    return (<u8>this.head) & FLAG_API ? Decision.Addition : Decision.None;
  }

  /** Of a record of a decision: see `stamp.ts`; else 0. */
  get stamp(): u64 {
    return this.decision == Decision.None ? 0 : load<u64>(this.stampPlace);
  }

  set stamp(stamp: u64) {
    if (this.decision != Decision.None) store<u64>(this.stampPlace, stamp);
  }


  @inline
  private get stampPlace(): usize {
    return changetype<usize>(this) + <usize>(this.isTombstone ? TOMBSTONE_STAMP_OFFSET : SESSION_FIXED_SIZE);
  }

  /** Whether this proxy tells the others of it: `Session.isOwn`, `Tombstone.isOwn`. */
  get isOwn(): bool {
    return ((<u8>this.head) & FLAG_OWN) != 0;
  }

  /** The address of the ID. */
  @inline
  get id(): usize {
    return changetype<usize>(this) + <usize>this.fixedSize;
  }

  /** Bytes that this takes in its page. */
  @inline
  get size(): i32 {
    const fixed = this.fixedSize + this.idLength;
    return (<u8>this.head) & FLAG_INLINE ? fixed + this.inlineSize(INLINE_ALL) : fixed;
  }


  @inline
  private get fixedSize(): i32 {
    return load<u8>(FIXED_SIZES + <usize>((<u8>this.head) & FORM_BITS));
  }

  /** Whether there are a cipher suite, an SNI and a ticket key, known or not. */
  @inline
  private get isDetailed(): bool {
    return ((<u8>this.head) & FORM_BITS) != 0;
  }

  /** Of a session: counts resumptions. */
  countHits(count: u32, nowSeconds: u64): void {
    this.hits = count > u32.MAX_VALUE - this.hits ? u32.MAX_VALUE : this.hits + count;
    this.lastUsedOrMonotonic = narrow(nowSeconds);
  }

  /** Returns how many of its names have numbers of the half of the table that takes no names. */
  oldNames(names: Names): u32 {
    const old = <u32>names.isOld(this.upstreamName);
    return this.isDetailed ? old + <u32>names.isOld(this.sniName) + <u32>names.isOld(this.ticketKeyName) : old;
  }

  /** Gives these names numbers of the other half. Returns how many of them got none. */
  renumber(names: Names): u32 {
    if (names.isOld(this.upstreamName)) {
      const moved = names.moved(this.upstreamName);
      if (moved != NO_NAME) this.upstreamName = moved;
    }
    if (!this.isDetailed) return this.oldNames(names);
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
    session.id = this.id;
    session.idLength = this.idLength;
    session.cleared = 0;
    session.unissued = (this.more & MORE_UNISSUED) != 0;
    session.alone = (this.more & MORE_ALONE) != 0;
    session.known = Known.TIMEOUT;
    this.readDescription(session, names);
    session.session = this.session;
    if (session.session != 0) session.known |= Known.SESSION;
    session.time = this.seconds;
    session.timeoutSeconds = this.timeoutOrUntil;
    session.lastUsed = this.lastUsedOrMonotonic;
    if (this.lastUsedOrMonotonic != 0) session.known |= Known.LAST_USED;
    session.hits = this.hits;
    session.origin = (<u8>this.head) & FLAG_API ? Origin.API : Origin.OBSERVED;
    session.isOwn = this.isOwn;
    session.stamp = this.stamp;
    session.version = this.version;
  }

  /**
   * Fills kind, protocol, cipher suite, server name, ticket key and upstream of `session` with those of this entry, session
   * or tombstone, as far as they are known. An unknown kind is 0.
   */
  readDescription(session: Session, names: Names): void {
    session.kind = this.kind;
    if (session.kind != 0) session.known |= Known.KIND;
    session.protocol = 0;
    const protocol = this.more & PROTOCOL;
    if (protocol != 0) {
      session.known |= Known.PROTOCOL;
      session.protocol = PROTOCOL_MAJOR | (<u16>protocol - 1);
    }
    session.cipher = 0;
    session.ticketKey = 0;
    session.ticketKeyName = NO_NAME;
    session.sni = 0;
    session.sniLength = 0;
    session.sniName = NO_NAME;
    if (this.isDetailed) this.readDetails(session, names);
    this.readUpstream(session, names);
  }

  private readDetails(session: Session, names: Names): void {
    session.cipher = this.cipher;
    if ((<u8>this.head) & FLAG_CIPHER) session.known |= Known.CIPHER;
    session.ticketKeyName = this.ticketKeyName;
    if (this.ticketKeyName == INLINE_NAME) {
      session.ticketKey = this.inlinePlace(INLINE_SESSION);
    } else if (this.ticketKeyName != NO_NAME && names.lengthOf(this.ticketKeyName) == TICKET_KEY_LENGTH) {
      session.ticketKey = names.start(this.ticketKeyName);
    }
    if (session.ticketKey != 0) session.known |= Known.TICKET_KEY;
    session.sniName = this.sniName;
    if (this.sniName == INLINE_NAME) {
      const place = this.inlinePlace(INLINE_SESSION | INLINE_TICKET_KEY);
      session.sni = place + 1;
      session.sniLength = load<u8>(place);
    } else if (this.sniName != NO_NAME) {
      session.sni = names.start(this.sniName);
      session.sniLength = names.lengthOf(this.sniName);
    }
    if (session.sni != 0) session.known |= Known.SNI;
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

  /** Fills `tombstone` with this entry, except for the description of its session. */
  readTombstone(tombstone: Tombstone): void {
    tombstone.id = this.id;
    tombstone.idLength = this.idLength;
    tombstone.session = this.session;
    tombstone.hidden = this.isHidden;
    tombstone.time = this.seconds;
    tombstone.until = this.timeoutOrUntil;
    tombstone.monotonicUntil = this.lastUsedOrMonotonic;
    tombstone.cause = (this.more & MORE_CAUSE) >> CAUSE_SHIFT;
    tombstone.isOwn = this.isOwn;
    tombstone.stamp = this.stamp;
    tombstone.version = this.version;
  }

  /**
   * Gives a tombstone the name of this entry's session, and a copy of as much of its description as the tombstone has not
   * got. The copy stays valid after this entry is removed, until the next copy.
   */
  describe(tombstone: Tombstone): void {
    const about = tombstone.about;
    const given = about.known;
    tombstone.session = this.session;
    tombstone.isOwn = this.isOwn;
    memory.copy(DESCRIPTION, this.id + <usize>this.idLength, this.inlineSize(INLINE_ALL));
    let place = DESCRIPTION + (this.more & MORE_SESSION ? SESSION_NAME_SIZE : 0);
    if (!(given & Known.KIND) && this.kind != 0) {
      about.kind = this.kind;
      about.known |= Known.KIND;
    }
    const protocol = this.more & PROTOCOL;
    if (!(given & Known.PROTOCOL) && protocol != 0) {
      about.protocol = PROTOCOL_MAJOR | (<u16>protocol - 1);
      about.known |= Known.PROTOCOL;
    }
    if (this.isDetailed) {
      if (!(given & Known.CIPHER) && (<u8>this.head) & FLAG_CIPHER) {
        about.cipher = this.cipher;
        about.known |= Known.CIPHER;
      }
      if (!(given & Known.TICKET_KEY) && this.ticketKeyName != NO_NAME) {
        about.ticketKeyName = this.ticketKeyName;
        about.ticketKey = place;
        about.known |= Known.TICKET_KEY;
      }
      if (this.ticketKeyName == INLINE_NAME) place += TICKET_KEY_LENGTH;
      if (!(given & Known.SNI) && this.sniName != NO_NAME) {
        about.sniName = this.sniName;
        about.sni = place + 1;
        about.sniLength = load<u8>(place);
        about.known |= Known.SNI;
      }
      if (this.sniName == INLINE_NAME) place += 1 + <usize>load<u8>(place);
    }
    if (given & Known.UPSTREAM || this.upstreamName == NO_NAME) return;
    about.upstreamName = this.upstreamName;
    about.upstream = place + 1;
    about.upstreamLength = load<u8>(place);
    about.known |= Known.UPSTREAM;
  }

  /** The kind of the session, `Kind`; 0 if a tombstone does not know it. */
  @inline
  private get kind(): u8 {
    if (!this.isTombstone) return (<u8>this.head) & KIND_BITS;
    const low = this.lengthByte & LENGTH_KIND ? 1 : 0;
    return this.more & MORE_KIND ? <u8>(low | 2) : <u8>low;
  }

  /** Writes all bytes of a session's entry; the caller has made room for them. */
  writeSession(session: Session, generation: u32): void {
    const known = session.known;
    const isByHand = session.origin == Origin.API;
    let flags = session.kind & KIND_BITS;
    if (isByHand) flags |= FLAG_API;
    if (session.isOwn) flags |= FLAG_OWN;
    this.lengthByte = <u8>session.idLength;
    this.more = protocolByte(session);
    if (session.unissued) this.more |= MORE_UNISSUED;
    if (session.alone) this.more |= MORE_ALONE;
    this.seconds = narrow(session.time);
    this.timeoutOrUntil = session.timeoutSeconds;
    this.lastUsedOrMonotonic = known & Known.LAST_USED ? narrow(session.lastUsed) : 0;
    this.hits = session.hits;
    this.generation = generation;
    flags |= this.writeDetails(session);
    this.head = (session.version << FLAG_BITS) | (<u64>flags);
    this.stamp = session.stamp;
    memory.copy(this.id, session.id, session.idLength);
    this.writeInline(known & Known.SESSION ? session.session : 0, session);
  }

  /** Writes all bytes of a tombstone's entry; the caller has made room for them. */
  writeTombstone(tombstone: Tombstone): void {
    const about = tombstone.about;
    let flags: u8 = TOMBSTONE;
    if (tombstone.isOwn) flags |= FLAG_OWN;
    this.lengthByte = (<u8>tombstone.idLength) | (tombstone.hidden ? LENGTH_HIDDEN : 0);
    this.more = protocolByte(about) | ((tombstone.cause << CAUSE_SHIFT) & MORE_CAUSE);
    if (about.known & Known.KIND) {
      if (about.kind & 1) this.lengthByte |= LENGTH_KIND;
      if (about.kind & 2) this.more |= MORE_KIND;
    }
    this.seconds = narrow(tombstone.time);
    this.timeoutOrUntil = narrow(tombstone.until);
    this.lastUsedOrMonotonic = narrow(tombstone.monotonicUntil);
    if (about.known & DETAILS) flags |= FLAG_DETAILED | this.writeDetails(about);
    this.head = (tombstone.version << FLAG_BITS) | (<u64>flags);
    this.stamp = tombstone.stamp;
    memory.copy(this.id, tombstone.id, tombstone.idLength);
    this.writeInline(tombstone.session, about);
  }

  /** Writes cipher suite, SNI and ticket key. Returns the flag of the cipher suite. */
  private writeDetails(session: Session): u8 {
    const known = session.known;
    this.cipher = known & Known.CIPHER ? session.cipher : 0;
    this.ticketKeyName = nameIn(known & Known.TICKET_KEY, session.ticketKeyName);
    this.sniName = nameIn(known & Known.SNI, session.sniName);
    return known & Known.CIPHER ? FLAG_CIPHER : 0;
  }

  /** Writes the upstream, and all names that stand behind the ID. `name` is that of the session, 0 if it has none. */
  private writeInline(name: u64, session: Session): void {
    const start = this.id + <usize>this.idLength;
    let position = start;
    this.upstreamName = nameIn(session.known & Known.UPSTREAM, session.upstreamName);
    if (name != 0) {
      this.more |= MORE_SESSION;
      store<u64>(position, name);
      position += SESSION_NAME_SIZE;
    }
    if (this.isDetailed) {
      if (this.ticketKeyName == INLINE_NAME) {
        memory.copy(position, session.ticketKey, TICKET_KEY_LENGTH);
        position += TICKET_KEY_LENGTH;
      }
      if (this.sniName == INLINE_NAME) position = put(position, session.sni, session.sniLength);
    }
    if (this.upstreamName == INLINE_NAME) position = put(position, session.upstream, session.upstreamLength);
    if (position != start) this.head |= <u64>FLAG_INLINE;
  }

  /** The address behind the ID and the inline names of a set of INLINE_.... */
  private inlinePlace(before: i32): usize {
    return this.id + <usize>(this.idLength + this.inlineSize(before));
  }

  /** Bytes of the inline names of a set of INLINE_..., each with its length. */
  private inlineSize(which: i32): i32 {
    let size = which & INLINE_SESSION && this.more & MORE_SESSION ? <i32>SESSION_NAME_SIZE : 0;
    const start = this.id + <usize>this.idLength;
    if (this.isDetailed) {
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

/** Returns the stamp of a decision that is made at a time, on top of the entry of its ID, if the page has one. */
export function stampOver(entry: Entry | null, decision: Decision, nanoseconds: u64): u64 {
  const now = stampAt(nanoseconds);
  return entry ? stampOn(now, decision, entry.decision, entry.stamp) : now;
}

/** Whether a page can hold a protocol. */
export function isStorableProtocol(protocol: u16): bool {
  return (protocol & ~MAX_PROTOCOL_MINOR) == PROTOCOL_MAJOR && ((<u8>protocol) & (<u8>MAX_PROTOCOL_MINOR)) < PROTOCOL;
}

/** Returns the bytes that a session takes in a page. */
export function sessionSize(session: Session): i32 {
  const fixed = session.origin == Origin.API ? SESSION_FIXED_SIZE + STAMP_SIZE : SESSION_FIXED_SIZE;
  const name = session.known & Known.SESSION ? session.session : 0;
  return fixed + session.idLength + inlineSizeOf(name, session);
}

/** Returns the bytes that a tombstone takes in a page. */
export function tombstoneSize(tombstone: Tombstone): i32 {
  const fixed = tombstone.about.known & DETAILS ? SESSION_FIXED_SIZE : TOMBSTONE_FIXED_SIZE;
  return fixed + tombstone.idLength + inlineSizeOf(tombstone.session, tombstone.about);
}

/** Bytes behind the ID. */
function inlineSizeOf(name: u64, session: Session): i32 {
  const known = session.known;
  let size = name != 0 ? <i32>SESSION_NAME_SIZE : 0;
  if (nameIn(known & Known.TICKET_KEY, session.ticketKeyName) == INLINE_NAME) size += TICKET_KEY_LENGTH;
  if (nameIn(known & Known.SNI, session.sniName) == INLINE_NAME) size += 1 + session.sniLength;
  if (nameIn(known & Known.UPSTREAM, session.upstreamName) == INLINE_NAME) size += 1 + session.upstreamLength;
  return size;
}

/** The protocol as it stands in an entry. */
function protocolByte(session: Session): u8 {
  if (!session.knows(Known.PROTOCOL) || !isStorableProtocol(session.protocol)) return 0;
  return ((<u8>session.protocol) & (<u8>MAX_PROTOCOL_MINOR)) + 1;
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

/** Fine enough that several changes in one tick of the clock stay below the next; 58 bits last until 2116. */
const NANOSECONDS_PER_VERSION: u64 = 16;
export const FLAG_BITS: u64 = 6;
const TOMBSTONE: u8 = 0;
export const KIND_BITS: u8 = 3;
/** Of a session: it was put in by hand, and has a stamp. */
export const FLAG_API: u8 = 4;
/** Of a tombstone: it has the place of a cipher suite, an SNI and a ticket key. */
const FLAG_DETAILED: u8 = 4;
const FLAG_CIPHER: u8 = 8;
/** Names stand behind the ID. */
export const FLAG_INLINE: u8 = 16;
/** This proxy tells the others of it; it was not taken over from one of them. */
export const FLAG_OWN: u8 = 32;
/** Kind, and FLAG_API or FLAG_DETAILED: they decide the fixed size, FIXED_SIZES. */
const FORM_BITS: u8 = 7;
/** Of the byte of the length. */
export const LENGTH_HIDDEN: u8 = 0x80;
/** Of a tombstone: the lower bit of the session's kind; MORE_KIND is the upper one. */
const LENGTH_KIND: u8 = 0x40;
const ID_LENGTH: u8 = 0x3f;
/** Of the byte behind it: a protocol, then flags. */
const PROTOCOL: u8 = 15;
const MORE_UNISSUED: u8 = 16;
const MORE_ALONE: u8 = 32;
export const MORE_SESSION: u8 = 64;
/** Of a tombstone: its cause, in the place of two flags of a session. */
const MORE_CAUSE: u8 = 48;
export const CAUSE_SHIFT: u8 = 4;
const MORE_KIND: u8 = 128;
/** The fields that only a detailed tombstone has. */
const DETAILS: u32 = Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.TICKET_KEY;
export const SESSION_NAME_SIZE: usize = 8;
const INLINE_TICKET_KEY: i32 = 1;
const INLINE_SNI: i32 = 2;
const INLINE_UPSTREAM: i32 = 4;
const INLINE_SESSION: i32 = 8;
const INLINE_ALL: i32 = 15;
const PROTOCOL_MAJOR: u16 = 0x0300;
const MAX_PROTOCOL_MINOR: u16 = 15;
export const STAMP_SIZE: i32 = 8;
const TOMBSTONE_STAMP_OFFSET: i32 = 24;
/** Of an observed session; one by hand has a stamp more. */
export const SESSION_FIXED_SIZE: i32 = 38;
/**
 * Of a tombstone without details; a detailed one has a session's size. None is larger than the session in whose place it
 * comes, and has no longer names: a removal always finds room in place.
 */
export const TOMBSTONE_FIXED_SIZE: i32 = 32;
/** By FORM_BITS. */
const FIXED_SIZES: usize = memory.data<u8>([32, 38, 38, 38, 38, 46, 46, 46]);
/** Room for the largest names, 8 + 16 + 256 + 256 bytes, and a byte to read behind them. */
const DESCRIPTION: usize = memory.data(544);
