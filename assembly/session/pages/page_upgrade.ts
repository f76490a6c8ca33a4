/**
 * Reads pages of the layout before the present one: shared data lives as long as its process, and so longer than a module
 * that is replaced at run time. All sessions and tombstones are kept as they were.
 *
 * What differs in layout 0x52: a tombstone has no machine's second, so that its ID stands at 20; the byte of protocol or cause
 * says nothing else; no entry has a session's name. The machine's second of a tombstone is made here: the whole time for
 * which it was made, from now on, as nobody knows how much of it has passed on this machine.
 *
 * Cost: for a page of the present layout, a look at one byte. Room for one page is allocated when the first of the earlier
 * layout is met, and kept. Nothing traps, whatever the bytes are.
 */
import { Moment, narrow } from "../record/moment";
import { INLINE_NAME } from "../../shared/names";
import { Page, HEADER_SIZE, KIND_BITS, PAGE_CAPACITY, PROTOCOL_OR_CAUSE } from "./page";
import { SESSION_FIXED_SIZE, TOMBSTONE_FIXED_SIZE } from "./page";
import { TICKET_KEY_LENGTH } from "../record/session";

/**
 * The page that `length` bytes of the earlier layout are, in a buffer of its own, where it may be larger than a page may be,
 * up to UPGRADED_CAPACITY bytes; null where the bytes are no such page. Valid until the next call.
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
 * Makes an upgraded page small enough for its place, at the cost of tombstones, once it holds nothing else: it is
 * saturated then for as long as those would have lasted, so that their IDs stay refused.
 */
export function saturateExcess(page: Page): void {
  while (<i32>page.used > PAGE_CAPACITY) {
    const entry = page.first();
    if (!entry) return;
    page.saturate(entry.until, entry.monotonicUntil);
    page.remove(entry);
  }
}

/** The bytes of an entry of the earlier layout; what stands behind the end of its page is not read. */
function sizeOf(entry: usize, end: usize): i32 {
  const flags = load<u8>(entry);
  const isTombstone = (flags & KIND_BITS) == 0;
  let size = (isTombstone ? EARLIER_TOMBSTONE_SIZE : SESSION_FIXED_SIZE) + <i32>load<u8>(entry, LENGTH_AT);
  if ((flags & FLAG_INLINE) == 0) return size;
  if (!isTombstone && load<u16>(entry, TICKET_KEY_AT) == INLINE_NAME) size += TICKET_KEY_LENGTH;
  if (!isTombstone && load<u16>(entry, SNI_AT) == INLINE_NAME) size += 1 + lengthAt(entry + <usize>size, end);
  if (load<u16>(entry, UPSTREAM_AT) == INLINE_NAME) size += 1 + lengthAt(entry + <usize>size, end);
  return size;
}

function lengthAt(address: usize, end: usize): i32 {
  return address < end ? <i32>load<u8>(address) : 0;
}

function copyEntry(page: Page, from: usize, size: i32, moment: Moment): void {
  const to = changetype<usize>(page) + <usize>page.used;
  if ((load<u8>(from) & KIND_BITS) != 0) {
    memory.copy(to, from, size);
    if (load<u8>(to, MORE_AT) > PROTOCOL_OR_CAUSE) store<u8>(to, 0, MORE_AT);
    page.used += <u32>size;
    page.sessions += 1;
    return;
  }
  const fixed = <usize>EARLIER_TOMBSTONE_SIZE;
  memory.copy(to, from, fixed);
  store<u8>(to, load<u8>(from, MORE_AT) & PROTOCOL_OR_CAUSE, MORE_AT);
  const until = load<u32>(from, UNTIL_AT);
  store<u32>(to, narrow(remaining(moment, until, load<u32>(from, TIME_AT))), fixed);
  memory.copy(to + <usize>TOMBSTONE_FIXED_SIZE, from + fixed, size - EARLIER_TOMBSTONE_SIZE);
  page.used += <u32>(size + TOMBSTONE_FIXED_SIZE - EARLIER_TOMBSTONE_SIZE);
  page.tombstones += 1;
}

/** The machine's second until which something lasts that was made at a time to last until another. */
function remaining(moment: Moment, until: u32, time: u32): u64 {
  const machine = moment.monotonic;
  if (machine == 0) return 0;
  return until > time ? machine + <u64>(until - time) : machine;
}

const EARLIER_LAYOUT: u8 = 0x52;
const EARLIER_TOMBSTONE_SIZE: i32 = 20;
const FLAG_INLINE: u8 = 16;
const LENGTH_AT: usize = 8;
const MORE_AT: usize = 9;
const UPSTREAM_AT: usize = 10;
const TIME_AT: usize = 12;
const UNTIL_AT: usize = 16;
const SNI_AT: usize = 34;
const TICKET_KEY_AT: usize = 36;
/** A tombstone of 20 bytes grows by 4: a page of 4095 bytes to less than 5000. */
const UPGRADED_CAPACITY: usize = 8192;
let room: usize = 0;
