/**
 * One page of the cache: the codec of the value of one shared-data key, edited in place in linear memory.
 *
 * The store knows no deletion and no listing, so sessions live in a fixed set of pages (see `keys.ts`), several to a
 * page, and a page is read, edited and replaced whole. A page never exceeds `PAGE_CAPACITY` bytes whatever it is asked
 * to hold. All searches are O(records in the page), a handful; nothing here allocates or traps, and a page that is not
 * well-formed reads as empty.
 *
 * Layout, little-endian:
 *   0   u32  bytes used, this header included
 *   4   u16  sessions held                         6   u16  tombstones held
 *   8   u64  version of the last change            16  u64  saturated until (Unix seconds), 0 = not saturated
 *   24  entries, in ascending order of version:
 *       0   u16  size of the entry                 2   u8   kind; 0 = tombstone      3   u8  length of the ID
 *       4   u8   flags                             5   u8   length of the SNI        6   u8  length of the upstream
 *       7   u8   cause of a tombstone              8   u16  protocol                 10  u16 cipher suite
 *       12  u32  timeout in seconds                16  u64  version                  24  u64 time (Unix seconds)
 *       session:    32 u64 last used   40 u32 hits   44 u32 generation   48 ID, ticket key (0 or 16), SNI, upstream
 *       tombstone:  32 u64 until                                         40 ID, upstream
 *
 * A version is a number of nanoseconds since 1970, or one more than the page's last version where the clock has not
 * moved or has stepped back: it orders all changes of one page.
 */
import {
  Known,
  MAX_ID_LENGTH,
  MAX_SNI_LENGTH,
  MAX_UPSTREAM_LENGTH,
  Origin,
  Session,
  TICKET_KEY_LENGTH,
  Tombstone,
} from "./session";

/**
 * The most bytes that a page may have. It bounds the memory of the cache (pages x capacity) and the time of one
 * operation. One less than a power of two because the host allocates a byte more than the value's length.
 */
export const PAGE_CAPACITY: i32 = 16383;


@unmanaged
export class Page {
  used: u32;
  sessions: u16;
  tombstones: u16;
  lastVersion: u64;
  saturatedUntil: u64;

  /** Makes this an empty page. */
  reset(): void {
    memory.fill(changetype<usize>(this), 0, HEADER_SIZE);
    this.used = HEADER_SIZE;
  }

  /** Makes this an empty page if the `length` bytes that were read into it are no page. */
  validate(length: i32): void {
    if (length < HEADER_SIZE || this.used < <u32>HEADER_SIZE || this.used > <u32>length) this.reset();
  }

  /** Whether IDs that are not in this page count as removed. */
  @inline
  saturatedAt(nowSeconds: u64): bool {
    return this.saturatedUntil != 0 && nowSeconds <= this.saturatedUntil;
  }

  /** The version that the next change is to carry. */
  nextVersion(nowNanoseconds: u64): u64 {
    const next = this.lastVersion + 1;
    return nowNanoseconds > next ? nowNanoseconds : next;
  }

  /** The entry of an ID, session or tombstone, or null. */
  find(id: usize, idLength: i32): Entry | null {
    let entry = this.first();
    while (entry) {
      if (entry.idLength == <u8>idLength && memory.compare(entry.id, id, idLength) == 0) return entry;
      entry = this.after(entry);
    }
    return null;
  }

  first(): Entry | null {
    return this.at(changetype<usize>(this) + HEADER_SIZE);
  }

  after(entry: Entry): Entry | null {
    return this.at(changetype<usize>(entry) + <usize>entry.size);
  }

  /** The first entry whose version is greater than `version`. */
  firstAfter(version: u64): Entry | null {
    let entry = this.first();
    while (entry && entry.version <= version) entry = this.after(entry);
    return entry;
  }

  remove(entry: Entry): void {
    const start = changetype<usize>(entry);
    const size = <usize>entry.size;
    const end = changetype<usize>(this) + <usize>this.used;
    if (entry.isTombstone) this.tombstones -= 1;
    else this.sessions -= 1;
    memory.copy(start, start + size, end - start - size);
    this.used -= <u32>size;
  }


  @inline
  hasRoom(size: i32): bool {
    return <i32>this.used + size <= PAGE_CAPACITY;
  }

  /** Appends a session; null where the page has no room for it. Its version becomes the page's last. */
  appendSession(session: Session, generation: u32): Entry | null {
    const size = sessionSize(session);
    if (!this.hasRoom(size)) return null;
    const entry = changetype<Entry>(changetype<usize>(this) + <usize>this.used);
    entry.writeSession(session, generation, size);
    this.used += <u32>size;
    this.sessions += 1;
    this.lastVersion = session.version;
    return entry;
  }

  /** Appends a tombstone; false where the page has no room for it. Its version becomes the page's last. */
  appendTombstone(tombstone: Tombstone): bool {
    const size = tombstoneSize(tombstone);
    if (!this.hasRoom(size)) return false;
    const entry = changetype<Entry>(changetype<usize>(this) + <usize>this.used);
    entry.writeTombstone(tombstone, size);
    this.used += <u32>size;
    this.tombstones += 1;
    this.lastVersion = tombstone.version;
    return true;
  }

  /** The session that expires first, the older one of two that expire together, or null. */
  earliestToExpire(): Entry | null {
    let earliest: Entry | null = null;
    let entry = this.first();
    while (entry) {
      if (!entry.isTombstone && (!earliest || entry.expiry < earliest.expiry)) earliest = entry;
      entry = this.after(entry);
    }
    return earliest;
  }

  /** The first tombstone that no longer refuses anything, or null. */
  lapsedTombstone(nowSeconds: u64): Entry | null {
    let entry = this.first();
    while (entry) {
      if (entry.isTombstone && nowSeconds > entry.until) return entry;
      entry = this.after(entry);
    }
    return null;
  }

  /** The entry at an address, or null where the page ends or the bytes are no entry. */
  private at(address: usize): Entry | null {
    const end = changetype<usize>(this) + <usize>this.used;
    if (address + TOMBSTONE_FIXED_SIZE > end) return null;
    const entry = changetype<Entry>(address);
    if (!entry.wellFormed || address + <usize>entry.size > end) return null;
    return entry;
  }
}


@unmanaged
export class Entry {
  size: u16;
  kind: u8;
  idLength: u8;
  flags: u8;
  sniLength: u8;
  upstreamLength: u8;
  cause: u8;
  protocol: u16;
  cipher: u16;
  timeoutSeconds: u32;
  version: u64;
  time: u64;
  lastUsedOrUntil: u64;
  hits: u32;
  generation: u32;


  @inline
  get isTombstone(): bool {
    return this.kind == TOMBSTONE;
  }

  /** Of a session: the last second in which it may be resumed. */
  @inline
  get expiry(): u64 {
    return this.time + <u64>this.timeoutSeconds;
  }

  /** Of a tombstone: the last second in which its ID is refused. */
  @inline
  get until(): u64 {
    return this.lastUsedOrUntil;
  }


  @inline
  get id(): usize {
    return changetype<usize>(this) + (this.isTombstone ? TOMBSTONE_FIXED_SIZE : SESSION_FIXED_SIZE);
  }

  /** The address of the upstream, `upstreamLength` bytes. */
  get upstream(): usize {
    return changetype<usize>(this) + <usize>this.size - <usize>this.upstreamLength;
  }

  get wellFormed(): bool {
    const size = <i32>this.size;
    if (this.isTombstone) return size == TOMBSTONE_FIXED_SIZE + <i32>this.idLength + <i32>this.upstreamLength;
    return (
      size ==
      SESSION_FIXED_SIZE +
        <i32>this.idLength +
        (this.flags & FLAG_TICKET_KEY ? TICKET_KEY_LENGTH : 0) +
        <i32>this.sniLength +
        <i32>this.upstreamLength
    );
  }

  /** Fills `session` with what this entry says; its pointers lead into the page. */
  readSession(session: Session): void {
    const flags = this.flags;
    let position = this.id;
    session.id = position;
    session.idLength = this.idLength;
    position += <usize>this.idLength;
    session.kind = this.kind;
    session.ticketKey = 0;
    let known = Known.KIND | Known.TIMEOUT;
    if (flags & FLAG_TICKET_KEY) {
      known |= Known.TICKET_KEY;
      session.ticketKey = position;
      position += TICKET_KEY_LENGTH;
    }
    if (this.protocol != 0) known |= Known.PROTOCOL;
    if (flags & FLAG_CIPHER) known |= Known.CIPHER;
    if (flags & FLAG_SNI) known |= Known.SNI;
    if (flags & FLAG_UPSTREAM) known |= Known.UPSTREAM;
    if (this.lastUsedOrUntil != 0) known |= Known.LAST_USED;
    session.known = known;
    session.cleared = 0;
    session.protocol = this.protocol;
    session.cipher = this.cipher;
    session.sni = position;
    session.sniLength = this.sniLength;
    position += <usize>this.sniLength;
    session.upstream = position;
    session.upstreamLength = this.upstreamLength;
    session.time = this.time;
    session.timeoutSeconds = this.timeoutSeconds;
    session.lastUsed = this.lastUsedOrUntil;
    session.hits = this.hits;
    session.origin = flags & FLAG_API ? Origin.API : Origin.OBSERVED;
    session.version = this.version;
  }

  readTombstone(tombstone: Tombstone): void {
    tombstone.id = this.id;
    tombstone.idLength = this.idLength;
    tombstone.upstream = this.upstream;
    tombstone.upstreamLength = this.upstreamLength;
    tombstone.time = this.time;
    tombstone.until = this.until;
    tombstone.cause = this.cause;
    tombstone.version = this.version;
  }

  /** Gives a tombstone a copy of the upstream, which stays valid when this entry is removed, until the next copy. */
  copyUpstream(tombstone: Tombstone): void {
    memory.copy(UPSTREAM_COPY, this.upstream, this.upstreamLength);
    tombstone.upstream = UPSTREAM_COPY;
    tombstone.upstreamLength = this.upstreamLength;
  }

  /** Writes all bytes of a session's entry; the caller has made sure of `size` bytes of room. */
  writeSession(session: Session, generation: u32, size: i32): void {
    const known = session.known;
    let flags: u8 = session.origin == Origin.API ? FLAG_API : 0;
    if (known & Known.TICKET_KEY) flags |= FLAG_TICKET_KEY;
    if (known & Known.CIPHER) flags |= FLAG_CIPHER;
    if (known & Known.SNI) flags |= FLAG_SNI;
    if (known & Known.UPSTREAM) flags |= FLAG_UPSTREAM;
    this.size = <u16>size;
    this.kind = session.kind;
    this.idLength = <u8>session.idLength;
    this.flags = flags;
    this.sniLength = <u8>(known & Known.SNI ? session.sniLength : 0);
    this.upstreamLength = <u8>(known & Known.UPSTREAM ? session.upstreamLength : 0);
    this.cause = 0;
    this.protocol = known & Known.PROTOCOL ? session.protocol : 0;
    this.cipher = known & Known.CIPHER ? session.cipher : 0;
    this.timeoutSeconds = session.timeoutSeconds;
    this.version = session.version;
    this.time = session.time;
    this.lastUsedOrUntil = known & Known.LAST_USED ? session.lastUsed : 0;
    this.hits = session.hits;
    this.generation = generation;
    let position = changetype<usize>(this) + SESSION_FIXED_SIZE;
    position = put(position, session.id, session.idLength);
    if (known & Known.TICKET_KEY) position = put(position, session.ticketKey, TICKET_KEY_LENGTH);
    position = put(position, session.sni, this.sniLength);
    put(position, session.upstream, this.upstreamLength);
  }

  writeTombstone(tombstone: Tombstone, size: i32): void {
    memory.fill(changetype<usize>(this), 0, TOMBSTONE_FIXED_SIZE);
    this.size = <u16>size;
    this.kind = TOMBSTONE;
    this.idLength = <u8>tombstone.idLength;
    this.upstreamLength = <u8>tombstone.upstreamLength;
    this.cause = tombstone.cause;
    this.version = tombstone.version;
    this.time = tombstone.time;
    this.lastUsedOrUntil = tombstone.until;
    const position = put(changetype<usize>(this) + TOMBSTONE_FIXED_SIZE, tombstone.id, tombstone.idLength);
    put(position, tombstone.upstream, tombstone.upstreamLength);
  }
}

/** The bytes that a session takes in a page. */
export function sessionSize(session: Session): i32 {
  const known = session.known;
  return (
    SESSION_FIXED_SIZE +
    session.idLength +
    (known & Known.TICKET_KEY ? TICKET_KEY_LENGTH : 0) +
    (known & Known.SNI ? session.sniLength : 0) +
    (known & Known.UPSTREAM ? session.upstreamLength : 0)
  );
}

/** The bytes that a tombstone takes in a page. */
export function tombstoneSize(tombstone: Tombstone): i32 {
  return TOMBSTONE_FIXED_SIZE + tombstone.idLength + tombstone.upstreamLength;
}

/**
 * The length to store a page of `used` bytes with: the next of five sizes. A page takes its final size in a few steps
 * because values that grow by small steps strand memory in the host's allocator.
 */
export function storedLength(used: u32): i32 {
  let length = SMALLEST_STORED_LENGTH;
  while (length < <i32>used && length < PAGE_CAPACITY) length = length * 2 + 1;
  return length;
}

function put(position: usize, bytes: usize, length: i32): usize {
  memory.copy(position, bytes, length);
  return position + <usize>length;
}

const HEADER_SIZE: i32 = 24;
const TOMBSTONE: u8 = 0;
const SESSION_FIXED_SIZE: i32 = 48;
// Smaller than a session's, and a tombstone has no more of an upstream than its session had: a removal always finds room
// in place.
const TOMBSTONE_FIXED_SIZE: i32 = 40;
const FLAG_TICKET_KEY: u8 = 1;
const FLAG_CIPHER: u8 = 2;
const FLAG_SNI: u8 = 4;
const FLAG_UPSTREAM: u8 = 8;
const FLAG_API: u8 = 16;
const UPSTREAM_COPY: usize = memory.data(255);
const SMALLEST_STORED_LENGTH: i32 = 1023;
/** The most bytes that one entry may take. */
export const MAX_ENTRY_SIZE: i32 =
  SESSION_FIXED_SIZE + MAX_ID_LENGTH + TICKET_KEY_LENGTH + MAX_SNI_LENGTH + MAX_UPSTREAM_LENGTH;
