/**
 * A segment as the log keeps it: packed, as 8,000 events stay for long, and readers need no versions.
 *
 * Layout, little-endian:
 *   0   `PackedHeader`
 *   16  events: u8 type | cause << 4, u8 length of the ID | 64 if the session was not held | 128 if events were lost just
 *       before it, u32 time, u8 NAMES_..., the ID; of lost events u32 count, u8 `LossCause`; its own names, as in `event.ts`
 */
import { MAX_ID_LENGTH } from "../record/session";
import { Event, EVENT_SIZE, EventNames } from "./event";
import { Segment, SEGMENT_EVENTS } from "./segment";

/**
 * Packs a segment to PACKED. Returns the length to store it with: at least that of a full segment without names, as values
 * that grow by small steps strand memory in the host's allocator.
 */
export function pack(segment: Segment): i32 {
  memory.fill(PACKED, 0, MIN_LENGTH);
  let to: usize = PACKED + HEADER_SIZE;
  for (let place: u32 = 0; place < <u32>segment.count; place++) {
    const event = segment.at(place);
    const size = event.namesSize;
    // Events in a row with the same names share one copy of them.
    const repeats = place > 0 && size > 0 && event.namesEnd == segment.at(place - 1).namesEnd;
    const own = size > 0 && !repeats;
    store<u8>(to, event.type | (event.cause << 4));
    store<u8>(to, event.idLength | (event.held ? 0 : UNHELD) | (event.lost > 0 ? LOST : 0), 1);
    store<u32>(to, <u32>event.time, 2);
    store<u8>(to, repeats ? NAMES_AS_BEFORE : own ? NAMES_OWN : NAMES_NONE, 6);
    memory.copy(to + EVENT_HEADER_SIZE, event.id, event.idLength);
    to += EVENT_HEADER_SIZE + <usize>event.idLength;
    if (event.lost > 0) {
      store<u32>(to, event.lost);
      store<u8>(to, event.lostCause, 4);
      to += LOSS_SIZE;
    }
    if (own) {
      memory.copy(to, event.namesEnd - <usize>size, size);
      to += <usize>size;
    }
  }
  const length = <i32>(to - PACKED);
  HEADER.first = segment.first;
  HEADER.count = segment.count;
  HEADER.length = <u16>length;
  HEADER.format = FORMAT;
  return max(length, MIN_LENGTH);
}

/** Unpacks `length` bytes at PACKED; false if they are not the segment that begins with the given index. */
export function unpack(first: u64, length: i32, into: Segment): bool {
  if (length < <i32>HEADER_SIZE || HEADER.format != FORMAT || HEADER.first != first) return false;
  const count = <u32>HEADER.count;
  const end = PACKED + <usize>HEADER.length;
  if (count > SEGMENT_EVENTS || end > PACKED + <usize>length) return false;
  into.begin(first);
  let from: usize = PACKED + HEADER_SIZE;
  const event = changetype<Event>(EVENT);
  NAMES.clear();
  for (let place: u32 = 0; place < count; place++) {
    if (from + EVENT_HEADER_SIZE > end) return false;
    const types = load<u8>(from);
    const flags = load<u8>(from, 1);
    const time = load<u32>(from, 2);
    const names = load<u8>(from, 6);
    const idLength = <i32>(flags & ID_LENGTH);
    const lossSize: usize = flags & LOST ? LOSS_SIZE : 0;
    const id = from + EVENT_HEADER_SIZE;
    from = id + <usize>idLength + lossSize;
    if (idLength > MAX_ID_LENGTH || from > end) return false;
    event.write(0, time, types & 15, types >> 4, id, idLength);
    if (flags & UNHELD) event.markUnheld();
    if (lossSize > 0) event.tellLost(load<u32>(from - LOSS_SIZE), load<u8>(from - 1));
    if (names == NAMES_NONE) NAMES.clear();
    else if (names == NAMES_OWN) from = NAMES.read(from, end);
    if (from == 0) return false;
    event.writeNames(NAMES, EVENT + <usize>EVENT_SIZE);
    into.append(event);
  }
  into.confirmed = into.count;
  return true;
}

/** The header of a packed segment, HEADER_SIZE bytes, little-endian. */
@unmanaged
class PackedHeader {
  /** Index of the first event. */
  first: u64;
  /** Events. */
  count: u16;
  /** Bytes in all. */
  length: u16;
  format: u16;
  private zero: u16;
}

/** Where segments are packed to and unpacked from. */
export const PACKED: usize = memory.data(7088, 8);
export const PACKED_CAPACITY: i32 = 7088;
const HEADER: PackedHeader = changetype<PackedHeader>(PACKED);
const FORMAT: u16 = 3;
const HEADER_SIZE: usize = 16;
const EVENT_HEADER_SIZE: usize = 7;
/** Sixteen events with IDs of 32 bytes. */
const MIN_LENGTH: i32 = 640;
const LOSS_SIZE: usize = 5;
const ID_LENGTH: u8 = 63;
const UNHELD: u8 = 64;
const LOST: u8 = 128;
const NAMES_NONE: u8 = 0;
const NAMES_OWN: u8 = 1;
const NAMES_AS_BEFORE: u8 = 2;
const NAMES: EventNames = new EventNames();
const EVENT: usize = memory.data(512, 8);
