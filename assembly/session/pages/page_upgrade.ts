/**
 * Reads pages of the earlier layout: shared data lives as long as its process, so longer than a module that is replaced at
 * run time. All sessions and tombstones stay as they were.
 *
 * Layout 0x53 differs in four things. A version counts 8 ns, above 5 bits of flags, so there is no FLAG_OWN: all entries are
 * of this proxy. Nothing has a stamp: it is made here of the entry's time. A tombstone has no details, and its cause where a
 * session has its protocol. A tombstone and a session by hand grow by the stamp, and by nothing else.
 *
 * Cost: for a page of the current layout, a look at one byte. Room for one page is allocated when the first page of the
 * earlier layout comes, and kept. Nothing traps, whatever the bytes are.
 */
import { INLINE_NAME } from "../../shared/names";
import { MAX_ID_LENGTH, TICKET_KEY_LENGTH } from "../record/session";
import { STAMPS_PER_SECOND } from "../record/stamp";
import {
  CAUSE_SHIFT,
  Entry,
  FLAG_BITS,
  FLAG_INLINE,
  FLAG_OWN,
  KIND_BITS,
  LENGTH_HIDDEN,
  MORE_SESSION,
  SESSION_FIXED_SIZE,
  SESSION_NAME_SIZE,
} from "./entry";
import { Page, HEADER_SIZE, PAGE_CAPACITY } from "./page";

/**
 * Converts `length` bytes of the earlier layout to a page in a buffer of its own, in which it may exceed a page's capacity,
 * up to UPGRADED_CAPACITY bytes. Null if the bytes are not such a page. Valid until the next call.
 */
export function upgraded(page: Page, length: i32): Page | null {
  if (!page.isWholeOf(EARLIER_LAYOUT, length)) return null;
  if (room == 0) room = heap.alloc(UPGRADED_CAPACITY);
  const result = changetype<Page>(room);
  result.resetLike(page, page.level);
  result.pending = page.pending;
  result.lastVersion = 0;
  const end = changetype<usize>(page) + <usize>page.used;
  let from = changetype<usize>(page) + <usize>HEADER_SIZE;
  while (from + <usize>EARLIER_TOMBSTONE_SIZE <= end) {
    const entry = changetype<EarlierEntry>(from);
    const size = entry.sizeBefore(end);
    // Only damage makes a length that no entry has.
    if (entry.idLength > MAX_ID_LENGTH || from + <usize>size > end) break;
    entry.appendTo(result, size);
    from += <usize>size;
  }
  const last = scaled(page.lastVersion);
  if (last > result.lastVersion) result.lastVersion = last;
  return result;
}

/** Removes the sessions that expire first from an upgraded page, until it fits its place or holds none. */
export function evictExcess(page: Page): void {
  for (let displaced = page.excess; displaced; displaced = page.excess) page.remove(displaced);
}

/**
 * Makes an upgraded page that holds only tombstones fit its place. It gives up tombstones, and is saturated for as long as
 * they would have lasted, so their IDs stay refused.
 */
export function saturateExcess(page: Page): void {
  while (<i32>page.used > PAGE_CAPACITY) {
    const entry = page.first();
    if (!entry) return;
    page.saturate(entry.until, entry.monotonicUntil);
    page.remove(entry);
  }
}

/** The fixed part of a session of the earlier layout; a tombstone has as much of it as EARLIER_TOMBSTONE_SIZE. */
@unmanaged
class EarlierEntry {
  private head: u64;
  private lengthByte: u8;
  private more: u8;
  private upstreamName: u16;
  private seconds: u32;
  private timeoutOrUntil: u32;
  private lastUsedOrMonotonic: u32;
  private hits: u32;
  private generation: u32;
  private cipher: u16;
  private sniName: u16;
  private ticketKeyName: u16;

  get idLength(): i32 {
    return this.isTombstone ? this.lengthByte & ~LENGTH_HIDDEN : this.lengthByte;
  }

  /** Returns the bytes of this entry; reads nothing behind the end of its page. */
  sizeBefore(end: usize): i32 {
    let size = this.fixedSize + this.idLength;
    if (!(this.head & (<u64>FLAG_INLINE))) return size;
    const start = changetype<usize>(this);
    if (this.more & MORE_SESSION) size += <i32>SESSION_NAME_SIZE;
    if (!this.isTombstone && this.ticketKeyName == INLINE_NAME) size += TICKET_KEY_LENGTH;
    if (!this.isTombstone && this.sniName == INLINE_NAME) size += 1 + lengthAt(start + <usize>size, end);
    if (this.upstreamName == INLINE_NAME) size += 1 + lengthAt(start + <usize>size, end);
    return size;
  }

  /** Appends this entry of so many bytes to a page of the current layout. Its version becomes the page's last. */
  appendTo(page: Page, size: i32): void {
    const start = changetype<usize>(page) + <usize>page.used;
    const entry = changetype<Entry>(start);
    const fixed = this.fixedSize;
    memory.copy(start, changetype<usize>(this), fixed);
    let flags = (<u8>this.head) & EARLIER_FLAGS;
    if (this.isTombstone) {
      flags = (flags & FLAG_INLINE) | FLAG_OWN;
      changetype<EarlierEntry>(start).more = ((this.more & EARLIER_CAUSE) << CAUSE_SHIFT) | (this.more & MORE_SESSION);
      page.tombstones += 1;
    } else {
      flags |= FLAG_OWN;
      changetype<EarlierEntry>(start).more = this.more & EARLIER_MORE;
      page.sessions += 1;
    }
    const version = scaled(this.head >> EARLIER_FLAG_BITS);
    page.lastVersion = version > page.lastVersion ? version : page.lastVersion + 1;
    changetype<EarlierEntry>(start).head = (page.lastVersion << FLAG_BITS) | (<u64>flags);
    entry.stamp = <u64>this.seconds * STAMPS_PER_SECOND;
    memory.copy(entry.id, changetype<usize>(this) + <usize>fixed, size - fixed);
    page.used += <u32>(<i32>(entry.id - start) + size - fixed);
  }

  private get isTombstone(): bool {
    return ((<u8>this.head) & KIND_BITS) == 0;
  }

  private get fixedSize(): i32 {
    return this.isTombstone ? EARLIER_TOMBSTONE_SIZE : SESSION_FIXED_SIZE;
  }
}

function lengthAt(address: usize, end: usize): i32 {
  return address < end ? <i32>load<u8>(address) : 0;
}

/** A version of the earlier layout, in units of this one. */
function scaled(version: u64): u64 {
  return version >> 1;
}

const EARLIER_LAYOUT: u8 = 0x53;
const EARLIER_TOMBSTONE_SIZE: i32 = 24;
const EARLIER_FLAG_BITS: u64 = 5;
const EARLIER_FLAGS: u8 = 31;
/** Of the byte behind the length: the cause of a tombstone; all that a session has in it. */
const EARLIER_CAUSE: u8 = 3;
const EARLIER_MORE: u8 = 127;
/** A tombstone of 25 bytes grows by 8: a page of 4095 bytes to less than 5500. */
const UPGRADED_CAPACITY: usize = 8192;
/** A buffer of UPGRADED_CAPACITY bytes, 0 until it is needed. */
let room: usize = 0;
