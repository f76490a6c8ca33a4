/**
 * One page of the cache: the codec of the value of one shared-data key, edited in place in linear memory.
 *
 * The store knows no deletion and no listing, so sessions live in pages (see `pages.ts`), several to a page, and a page is
 * read, edited and replaced whole. A page never exceeds `PAGE_CAPACITY` bytes whatever it is asked to hold. All
 * searches are O(records in the page), some dozens; nothing here allocates or traps.
 *
 * Layout, little-endian:
 *   0   u32  bytes used, this header included      4   u32  check over the bytes from 8 on
 *   8   u16  sessions held                         10  u16  tombstones held
 *   12  u8   LAYOUT                                13  u8   level, see `pages.ts`
 *   14  u8   1 = pending, see `pages.ts`           15  u8   zero
 *   16  u64  version of the last change
 *   24  u32  saturated until (Unix seconds), 0 = not saturated     28  u32  the same by the machine's clock, 0 = unknown
 *   32  entries, in ascending order of version:
 *       0   u64  version << 5 | kind (0 = tombstone, 2 bits) | FLAG_...
 *       8   u8   length of the ID, | HIDDEN        9   u8   protocol's lower byte + 1, 0 = unknown; or cause; | MORE_...
 *       10  u16  upstream                          12  u32  time (Unix seconds)
 *       tombstone:  16 u32 until                   20  u32 the same by the machine's clock, 0 = unknown
 *                   24 ID, session, upstream
 *       session:    16 u32 timeout in seconds      20  u32 last used, 0 = never      24 u32 hits     28 u32 generation
 *                   32 u16 cipher suite            34  u16 SNI                       36 u16 ticket key
 *                   38 ID, session, ticket key, SNI, upstream
 *   The session's name is there where it has one, 8 bytes. SNI, upstream and ticket key are numbers of `names.ts`, 0 where
 *   unknown, or INLINE_NAME: then they stand behind the ID, the ticket key as 16 bytes, the others as u8 length and bytes.
 *   A hidden tombstone has a session's name in the place of the ID. Seconds end in the year 2106.
 *
 * Pages of the layout before this one are read too: see `page_upgrade.ts`.
 *
 * A version is a number of 8 ns since 1970, or one more than the page's last version where the clock has not
 * moved or has stepped back: it orders all changes of one page.
 */
import { Moment, narrow } from "../record/moment";
import { INLINE_NAME, Names, NO_NAME } from "../../shared/names";
import { Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, MAX_UPSTREAM_LENGTH, Origin } from "../record/session";
import { Session, TICKET_KEY_LENGTH, Tombstone } from "../record/session";

/**
 * The most bytes that a page may have. It bounds the memory of the cache (pages x capacity) and the time of one
 * operation. One less than a power of two because the host allocates a byte more than the value's length.
 */
export const PAGE_CAPACITY: i32 = 4095;


@unmanaged
export class Page {
  used: u32;
  private check: u32;
  sessions: u16;
  tombstones: u16;
  private layout: u8;
  level: u8;
  pending: u8;
  private zero: u8;
  lastVersion: u64;
  saturatedUntil: u32;
  private saturatedMonotonic: u32;

  /** Makes this an empty page. */
  reset(): void {
    memory.fill(changetype<usize>(this), 0, HEADER_SIZE);
    this.used = HEADER_SIZE;
    this.layout = LAYOUT;
  }

  /** Makes this an empty page with the versions and the saturation of another. */
  resetLike(other: Page, level: u32): void {
    this.reset();
    this.level = <u8>level;
    this.lastVersion = other.lastVersion;
    this.saturatedUntil = other.saturatedUntil;
    this.saturatedMonotonic = other.saturatedMonotonic;
  }

  /** Whether the `length` bytes that were read into this are a page, unchanged since `seal`. O(bytes). */
  isWhole(length: i32): bool {
    return this.isWholeOf(LAYOUT, length);
  }

  /** The same of a page of another layout whose header is as this one's. */
  isWholeOf(layout: u8, length: i32): bool {
    if (length < HEADER_SIZE || this.used < <u32>HEADER_SIZE || this.used > <u32>length) return false;
    return this.layout == layout && this.check == this.sum();
  }

  /** Makes this ready to be stored. O(bytes). */
  seal(): void {
    this.check = this.sum();
  }

  /** Of a page that is not whole: how many sessions it held, as far as that can be told; 0 where not. */
  get likelySessions(): i32 {
    return this.isLikely ? <i32>this.sessions : 0;
  }

  /** The same of tombstones. */
  get likelyTombstones(): i32 {
    return this.isLikely ? <i32>this.tombstones : 0;
  }

  private get isLikely(): bool {
    const least = <u32>this.sessions * <u32>SESSION_FIXED_SIZE + <u32>this.tombstones * <u32>TOMBSTONE_FIXED_SIZE;
    return this.layout == LAYOUT && this.used <= <u32>PAGE_CAPACITY && <u32>HEADER_SIZE + least <= this.used;
  }

  /** Whether IDs that are not in this page count as removed. */
  @inline
  saturatedAt(moment: Moment): bool {
    return this.saturatedUntil != 0 && !this.saturationIsOver(moment);
  }

  /** Whether it was saturated, and is no longer. */
  saturationIsOver(moment: Moment): bool {
    return this.saturatedUntil != 0 && moment.isOver(this.saturatedUntil, this.saturatedMonotonic);
  }

  /** From now on whatever this page does not hold counts as removed, until both clocks say that it is over. */
  saturate(until: u64, monotonicUntil: u64): void {
    if (until > <u64>this.saturatedUntil) this.saturatedUntil = narrow(until);
    if (monotonicUntil > <u64>this.saturatedMonotonic) this.saturatedMonotonic = narrow(monotonicUntil);
  }

  endSaturation(): void {
    this.saturatedUntil = 0;
    this.saturatedMonotonic = 0;
  }

  /** The version that the next change is to carry. */
  nextVersion(nowNanoseconds: u64): u64 {
    const next = this.lastVersion + 1;
    const now = versionAt(nowNanoseconds);
    return now > next ? now : next;
  }

  /** The entry of an ID, session or tombstone, or null. */
  find(id: usize, idLength: i32): Entry | null {
    // Every ID has one byte at least: most entries are passed by at a look at that one.
    const first = load<u8>(id);
    let entry = this.first();
    while (entry) {
      if (
        load<u8>(entry.id) == first &&
        entry.lengthByte == <u8>idLength &&
        memory.compare(entry.id, id, idLength) == 0
      ) {
        return entry;
      }
      entry = this.after(entry);
    }
    return null;
  }

  /** The hidden tombstone of a session's name, or null. */
  findSession(session: u64): Entry | null {
    let entry = this.first();
    while (entry) {
      if (entry.isHidden && load<u64>(entry.id) == session) return entry;
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

  /** What stands behind an entry that was just removed: it is now at the address of that one. */
  following(removed: Entry): Entry | null {
    return this.at(changetype<usize>(removed));
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

  /** Appends a copy of an entry of a page that is no larger than this one may be. */
  append(entry: Entry): void {
    const size = entry.size;
    memory.copy(changetype<usize>(this) + <usize>this.used, changetype<usize>(entry), size);
    this.used += <u32>size;
    if (entry.isTombstone) this.tombstones += 1;
    else this.sessions += 1;
  }

  /** Appends a session; null where the page has no room for it. Its version becomes the page's last. */
  appendSession(session: Session, generation: u32): Entry | null {
    const size = sessionSize(session);
    if (!this.hasRoom(size)) return null;
    const entry = changetype<Entry>(changetype<usize>(this) + <usize>this.used);
    entry.writeSession(session, generation);
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
    entry.writeTombstone(tombstone);
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

  /** The session that has to give way first, if this holds more than its place has room for; else null. */
  get excess(): Entry | null {
    return this.hasRoom(0) ? null : this.earliestToExpire();
  }

  /** The first tombstone that no longer refuses anything, or null. */
  lapsedTombstone(moment: Moment): Entry | null {
    let entry = this.first();
    while (entry) {
      if (entry.isTombstone && !entry.refusesAt(moment)) return entry;
      entry = this.after(entry);
    }
    return null;
  }

  /** The entry at an address, or null where the page ends. */
  @inline
  private at(address: usize): Entry | null {
    const end = changetype<usize>(this) + <usize>this.used;
    return address + TOMBSTONE_FIXED_SIZE > end ? null : changetype<Entry>(address);
  }

  /**
   * The check over all bytes in use from 8 on: four chains side by side, as multiplying takes its time. Every step can be
   * undone, so no single word can change unnoticed.
   */
  private sum(): u32 {
    const start = changetype<usize>(this) + CHECKED_FROM;
    const end = changetype<usize>(this) + <usize>this.used;
    let a: u64 = 0x9e3779b97f4a7c15;
    let b: u64 = 0xbf58476d1ce4e5b9;
    let c: u64 = 0x94d049bb133111eb;
    let d: u64 = <u64>this.used;
    let position = start;
    for (; position + 32 <= end; position += 32) {
      a = (a ^ load<u64>(position)) * FACTOR;
      b = (b ^ load<u64>(position, 8)) * FACTOR;
      c = (c ^ load<u64>(position, 16)) * FACTOR;
      d = (d ^ load<u64>(position, 24)) * FACTOR;
    }
    for (; position + 8 <= end; position += 8) a = (a ^ load<u64>(position)) * FACTOR;
    for (; position < end; position++) b = (b ^ (<u64>load<u8>(position))) * FACTOR;
    const sum = (a ^ rotl(b, 17) ^ rotl(c, 31) ^ rotl(d, 47)) * FACTOR;
    return <u32>(sum ^ (sum >> 32));
  }
}


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


  @inline
  get version(): u64 {
    return this.head >> FLAG_BITS;
  }


  @inline
  get isTombstone(): bool {
    return ((<u8>this.head) & KIND_BITS) == TOMBSTONE;
  }

  /** Of a tombstone: it stands for a session's name, not for an ID. */
  @inline
  get isHidden(): bool {
    return (this.lengthByte & HIDDEN) != 0;
  }


  @inline
  get idLength(): i32 {
    return this.lengthByte & ~HIDDEN;
  }

  /** The name that all handles of its session share, 0 where it has but one. */
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

  /** The same by the machine's clock, 0 where that is not known. */
  @inline
  get monotonicUntil(): u64 {
    return this.lastUsedOrMonotonic;
  }

  /** Of a tombstone: whether it still refuses. */
  @inline
  refusesAt(moment: Moment): bool {
    return !moment.isOver(this.timeoutOrUntil, this.lastUsedOrMonotonic);
  }


  @inline
  get id(): usize {
    return changetype<usize>(this) + (this.isTombstone ? TOMBSTONE_FIXED_SIZE : SESSION_FIXED_SIZE);
  }

  /** Bytes that it takes in its page. */
  @inline
  get size(): i32 {
    const fixed = (this.isTombstone ? TOMBSTONE_FIXED_SIZE : SESSION_FIXED_SIZE) + this.idLength;
    return (<u8>this.head) & FLAG_INLINE ? fixed + this.inlineSize(INLINE_ALL) : fixed;
  }

  /** Of a session: it was resumed. */
  countHit(nowSeconds: u64): void {
    if (this.hits != u32.MAX_VALUE) this.hits += 1;
    this.lastUsedOrMonotonic = narrow(nowSeconds);
  }

  /** How many of its names have numbers of the half of the table that takes none any more. */
  oldNames(names: Names): u32 {
    const old = <u32>names.isOld(this.upstreamName);
    return this.isTombstone ? old : old + <u32>names.isOld(this.sniName) + <u32>names.isOld(this.ticketKeyName);
  }

  /** Gives them numbers of the other half; answers how many could not be given one. */
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

  /** Fills `session` with what this entry says; its pointers lead into the page and into `names`. */
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

  /** Fills `session.upstream` with that of this entry, session or tombstone. */
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

  /** Fills `tombstone` with what this entry says, but for its upstream. */
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
   * Gives a tombstone the session's name and a copy of the upstream, which stays valid when this entry is removed, until the
   * next copy.
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

  /** Writes all bytes of a session's entry; the caller has made sure of room for them. */
  writeSession(session: Session, generation: u32): void {
    const known = session.known;
    let flags = session.kind & KIND_BITS;
    if (session.origin == Origin.API) flags |= FLAG_API;
    if (known & Known.CIPHER) flags |= FLAG_CIPHER;
    this.lengthByte = <u8>session.idLength;
    const isKnown = (known & Known.PROTOCOL) != 0 && (session.protocol & ~MOST_PROTOCOL) == PROTOCOL_MAJOR;
    let more: u8 = isKnown ? ((<u8>session.protocol) & (<u8>MOST_PROTOCOL)) + 1 : 0;
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

  /** The address behind the ID and those of the inline names that are asked for. */
  private inlinePlace(before: i32): usize {
    return this.id + <usize>(this.idLength + this.inlineSize(before));
  }

  /** Bytes of the inline names that are asked for and there, each with its length. */
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

/** The version of a change at a time, where none came before it. */
@inline
export function versionAt(nanoseconds: u64): u64 {
  return nanoseconds / NANOSECONDS_PER_VERSION;
}

/** The bytes that a session takes in a page. */
export function sessionSize(session: Session): i32 {
  const known = session.known;
  let size = SESSION_FIXED_SIZE + session.idLength;
  if (known & Known.SESSION) size += <i32>SESSION_NAME_SIZE;
  if (nameIn(known & Known.TICKET_KEY, session.ticketKeyName) == INLINE_NAME) size += TICKET_KEY_LENGTH;
  if (nameIn(known & Known.SNI, session.sniName) == INLINE_NAME) size += 1 + session.sniLength;
  if (nameIn(known & Known.UPSTREAM, session.upstreamName) == INLINE_NAME) size += 1 + session.upstreamLength;
  return size;
}

/** The bytes that a tombstone takes in a page. */
export function tombstoneSize(tombstone: Tombstone): i32 {
  const named = tombstone.session != 0 ? <i32>SESSION_NAME_SIZE : 0;
  const size = TOMBSTONE_FIXED_SIZE + tombstone.idLength + named;
  return tombstone.upstreamName == INLINE_NAME ? size + 1 + tombstone.upstreamLength : size;
}

/**
 * The length to store a page of `used` bytes with, in steps: the host's allocator then has few sizes to keep, and one page
 * takes the place that another has left.
 */
export function storedLength(used: u32): i32 {
  return <i32>((used + STEP) & ~(STEP - 1)) - 1;
}

/** What stands for a name in an entry. One that is known and was not looked up stands in the page itself. */
@inline
function nameIn(known: u32, name: u16): u16 {
  return known == 0 ? NO_NAME : name == NO_NAME ? INLINE_NAME : name;
}

function put(position: usize, bytes: usize, length: i32): usize {
  store<u8>(position, <u8>length);
  memory.copy(position + 1, bytes, length);
  return position + 1 + <usize>length;
}

/** The first byte says that it is no page of another layout. */
const LAYOUT: u8 = 0x53;
export const HEADER_SIZE: i32 = 32;
const CHECKED_FROM: usize = 8;
const FACTOR: u64 = 0x9e3779b97f4a7c15;
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
/** Of the byte behind the length: a protocol or a cause, and what else is to be said. */
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
const MOST_PROTOCOL: u16 = 15;
export const SESSION_FIXED_SIZE: i32 = 38;
// Smaller than a session's, and a tombstone has no more of an upstream than its session had: a removal always finds room
// in place.
export const TOMBSTONE_FIXED_SIZE: i32 = 24;
const STEP: u32 = 256;
const UPSTREAM_COPY: usize = memory.data(255);
/** The most bytes that one entry may take. */
export const MAX_ENTRY_SIZE: i32 =
  SESSION_FIXED_SIZE + MAX_ID_LENGTH + 8 + TICKET_KEY_LENGTH + 2 + MAX_SNI_LENGTH + MAX_UPSTREAM_LENGTH;
