/**
 * Reads pages of the earlier layout: shared data lives as long as its process, so longer than a module that is replaced at
 * run time. All sessions and tombstones stay as they were.
 *
 * Layout 0x52 differs in three things. A tombstone has no machine's second, so its ID stands at 20. The byte of protocol or
 * cause has no flags. No entry has a session's name. The machine's second of a tombstone is made here: its whole lifetime,
 * counted from now, as nobody knows how much of it has passed on this machine.
 *
 * Cost: for a page of the current layout, a look at one byte. Room for one page is allocated when the first page of the
 * earlier layout comes, and kept. Nothing traps, whatever the bytes are.
 */
import { INLINE_NAME } from "../../shared/names";
import { Moment, narrow } from "../record/moment";
import { TICKET_KEY_LENGTH } from "../record/session";
import { KIND_BITS, PROTOCOL_OR_CAUSE, SESSION_FIXED_SIZE, TOMBSTONE_FIXED_SIZE } from "./entry";
import { Page, HEADER_SIZE, PAGE_CAPACITY } from "./page";

/**
 * Converts `length` bytes of the earlier layout to a page in a buffer of its own, in which it may exceed a page's capacity,
 * up to UPGRADED_CAPACITY bytes. Null if the bytes are not such a page. Valid until the next call.
 */
export function upgraded(page: Page, length: i32, moment: Moment): Page | null {
  if (!page.isWholeOf(EARLIER_LAYOUT, length)) return null;
  if (room == 0) room = heap.alloc(UPGRADED_CAPACITY);
  const result = changetype<Page>(room);
  const level = page.level;
  const pending = page.pending;
  const lastVersion = page.lastVersion;
  result.reset();
  result.level = level;
  result.pending = pending;
  result.lastVersion = lastVersion;
  // The earlier header holds one number of 64 bits here, whose upper half was never used.
  if (page.saturatedUntil != 0) {
    result.saturate(page.saturatedUntil, remaining(moment, page.saturatedUntil, <u32>moment.seconds));
  }
  const end = changetype<usize>(page) + <usize>page.used;
  let from = changetype<usize>(page) + <usize>HEADER_SIZE;
  while (from + <usize>EARLIER_TOMBSTONE_SIZE <= end) {
    const size = sizeOf(from, end);
    if (from + <usize>size > end) break;
    copyEntry(result, from, size, moment);
    from += <usize>size;
  }
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

/** Returns the bytes of an entry of the earlier layout; reads nothing behind the end of its page. */
function sizeOf(entry: usize, end: usize): i32 {
  const flags = load<u8>(entry);
  const isTombstone = (flags & KIND_BITS) == 0;
  let size = (isTombstone ? EARLIER_TOMBSTONE_SIZE : SESSION_FIXED_SIZE) + <i32>load<u8>(entry, LENGTH_OFFSET);
  if ((flags & FLAG_INLINE) == 0) return size;
  if (!isTombstone && load<u16>(entry, TICKET_KEY_OFFSET) == INLINE_NAME) size += TICKET_KEY_LENGTH;
  if (!isTombstone && load<u16>(entry, SNI_OFFSET) == INLINE_NAME) size += 1 + lengthAt(entry + <usize>size, end);
  if (load<u16>(entry, UPSTREAM_OFFSET) == INLINE_NAME) size += 1 + lengthAt(entry + <usize>size, end);
  return size;
}

function lengthAt(address: usize, end: usize): i32 {
  return address < end ? <i32>load<u8>(address) : 0;
}

function copyEntry(page: Page, from: usize, size: i32, moment: Moment): void {
  const to = changetype<usize>(page) + <usize>page.used;
  if ((load<u8>(from) & KIND_BITS) != 0) {
    memory.copy(to, from, size);
    if (load<u8>(to, MORE_OFFSET) > PROTOCOL_OR_CAUSE) store<u8>(to, 0, MORE_OFFSET);
    page.used += <u32>size;
    page.sessions += 1;
    return;
  }
  const fixed = <usize>EARLIER_TOMBSTONE_SIZE;
  memory.copy(to, from, fixed);
  store<u8>(to, load<u8>(from, MORE_OFFSET) & PROTOCOL_OR_CAUSE, MORE_OFFSET);
  const until = load<u32>(from, UNTIL_OFFSET);
  store<u32>(to, narrow(remaining(moment, until, load<u32>(from, TIME_OFFSET))), fixed);
  memory.copy(to + <usize>TOMBSTONE_FIXED_SIZE, from + fixed, size - EARLIER_TOMBSTONE_SIZE);
  page.used += <u32>(size + TOMBSTONE_FIXED_SIZE - EARLIER_TOMBSTONE_SIZE);
  page.tombstones += 1;
}

/**
 * Returns the machine's second until which a tombstone lasts that was made at a time to last until another; 0 if unknown.
 */
function remaining(moment: Moment, until: u32, time: u32): u64 {
  const machine = moment.monotonic;
  if (machine == 0) return 0;
  return until > time ? machine + <u64>(until - time) : machine;
}

const EARLIER_LAYOUT: u8 = 0x52;
const EARLIER_TOMBSTONE_SIZE: i32 = 20;
const FLAG_INLINE: u8 = 16;
const LENGTH_OFFSET: usize = 8;
const MORE_OFFSET: usize = 9;
const UPSTREAM_OFFSET: usize = 10;
const TIME_OFFSET: usize = 12;
const UNTIL_OFFSET: usize = 16;
const SNI_OFFSET: usize = 34;
const TICKET_KEY_OFFSET: usize = 36;
/** A tombstone of 20 bytes grows by 4: a page of 4095 bytes to less than 5000. */
const UPGRADED_CAPACITY: usize = 8192;
/** A buffer of UPGRADED_CAPACITY bytes, 0 until it is needed. */
let room: usize = 0;
