/**
 * One page of the cache: the codec of one value of the shared store, edited in place in linear memory.
 *
 * The store has no deletion and no listing. So sessions live in pages (see `pages.ts`), several to a page, and a page is
 * read, edited and replaced whole. A page never exceeds `PAGE_CAPACITY` bytes, whatever it is asked to hold. All searches
 * are O(entries in the page), some dozens. Nothing here allocates or traps.
 *
 * Layout, little-endian:
 *   0   u32  bytes used, this header included      4   u32  check over the bytes from 8 on
 *   8   u16  sessions held                         10  u16  tombstones held
 *   12  u8   LAYOUT                                13  u8   level, see `pages.ts`
 *   14  u8   1 = pending, see `pages.ts`           15  u8   zero
 *   16  u64  version of the last change
 *   24  u32  saturated until (Unix seconds), 0 = not saturated     28  u32  the same by the machine's clock, 0 = unknown
 *   32  entries, in ascending order of version: see `entry.ts`
 *
 * `page_upgrade.ts` reads pages of the earlier layout.
 */
import { Moment, narrow } from "../record/moment";
import { Session, Tombstone } from "../record/session";
import { Entry, SESSION_FIXED_SIZE, sessionSize, TOMBSTONE_FIXED_SIZE, tombstoneSize, versionAt } from "./entry";

/** A page in a buffer of PAGE_CAPACITY bytes. */
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

  /** The same for a page of another layout that has the same header. */
  isWholeOf(layout: u8, length: i32): bool {
    if (length < HEADER_SIZE || this.used < <u32>HEADER_SIZE || this.used > <u32>length) return false;
    return this.layout == layout && this.check == this.sum();
  }

  /**
   * Whether the `length` bytes are a page that a module of a later layout has stored. Its header begins as this one, and its
   * check is the same: no damage makes such a page. O(bytes).
   */
  isLater(length: i32): bool {
    return this.layout > LAYOUT && this.layout <= LAST_LAYOUT && this.isWholeOf(this.layout, length);
  }

  /** Makes this ready to store. O(bytes). */
  seal(): void {
    this.check = this.sum();
  }

  /** Of a page that is not whole: how many sessions it probably held; 0 if its header is impossible. */
  get likelySessions(): i32 {
    return this.isLikely ? <i32>this.sessions : 0;
  }

  /** The same for tombstones. */
  get likelyTombstones(): i32 {
    return this.isLikely ? <i32>this.tombstones : 0;
  }

  private get isLikely(): bool {
    const least = <u32>this.sessions * <u32>SESSION_FIXED_SIZE + <u32>this.tombstones * <u32>TOMBSTONE_FIXED_SIZE;
    return this.layout == LAYOUT && this.used <= <u32>PAGE_CAPACITY && <u32>HEADER_SIZE + least <= this.used;
  }

  /** Whether IDs that this page does not hold count as removed. */
  @inline
  saturatedAt(moment: Moment): bool {
    return this.saturatedUntil != 0 && !this.saturationIsOver(moment);
  }

  /** Whether this was saturated, and both clocks say that it is over. */
  saturationIsOver(moment: Moment): bool {
    return this.saturatedUntil != 0 && moment.isOver(this.saturatedUntil, this.saturatedMonotonic);
  }

  /** From now on all IDs that this page does not hold count as removed, until both clocks say that it is over. */
  saturate(until: u64, monotonicUntil: u64): void {
    if (until > <u64>this.saturatedUntil) this.saturatedUntil = narrow(until);
    if (monotonicUntil > <u64>this.saturatedMonotonic) this.saturatedMonotonic = narrow(monotonicUntil);
  }

  endSaturation(): void {
    this.saturatedUntil = 0;
    this.saturatedMonotonic = 0;
  }

  /** Returns the version that the next change is to carry. */
  nextVersion(nowNanoseconds: u64): u64 {
    const next = this.lastVersion + 1;
    const now = versionAt(nowNanoseconds);
    return now > next ? now : next;
  }

  /** The entry of an ID, session or tombstone, or null. */
  find(id: usize, idLength: i32): Entry | null {
    // Every ID has at least one byte, and that byte rules out most entries.
    const first = load<u8>(id);
    let entry = this.first();
    while (entry) {
      if (entry.isOf(id, idLength, first)) return entry;
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

  /** The entry behind one that was just removed: it has moved to the address of that one. */
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

  /** Whether so many more bytes fit. */
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

  /** Appends a session; null if the page has no room for it. Its version becomes the page's last. */
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

  /** Appends a tombstone; false if the page has no room for it. Its version becomes the page's last. */
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

  /** The session that expires first, the older one if two expire together, or null. */
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

  /** The first tombstone that has expired, or null. */
  lapsedTombstone(moment: Moment): Entry | null {
    let entry = this.first();
    while (entry) {
      if (entry.isTombstone && !entry.refusesAt(moment)) return entry;
      entry = this.after(entry);
    }
    return null;
  }

  /** The entry at an address, or null if the page ends there. */
  @inline
  private at(address: usize): Entry | null {
    const end = changetype<usize>(this) + <usize>this.used;
    return address + TOMBSTONE_FIXED_SIZE > end ? null : changetype<Entry>(address);
  }

  /**
   * Returns the check over all bytes in use from 8 on. Four chains run side by side, as a multiplication takes several
   * cycles. Every step can be undone, so no single word can change unnoticed.
   */
  private sum(): u32 {
    const start = changetype<usize>(this) + CHECKED_OFFSET;
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

/**
 * Returns the length to store a page of `used` bytes with, in steps: the host's allocator then keeps few sizes, and one page
 * takes the place that another has left.
 */
export function storedLength(used: u32): i32 {
  return <i32>((used + LENGTH_STEP) & ~(LENGTH_STEP - 1)) - 1;
}

/** Tells a page of this layout from others. */
const LAYOUT: u8 = 0x54;
/** The last layout that may be one of a later module. */
const LAST_LAYOUT: u8 = 0x5f;
/**
 * The most bytes that a page may have. It bounds the memory of the cache (pages x capacity) and the time of one operation.
 * One less than a power of two, as the host allocates a byte more than the value's length.
 */
export const PAGE_CAPACITY: i32 = 4095;
export const HEADER_SIZE: i32 = 32;
const CHECKED_OFFSET: usize = 8;
const FACTOR: u64 = 0x9e3779b97f4a7c15;
const LENGTH_STEP: u32 = 256;
