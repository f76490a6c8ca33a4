/**
 * A segment as the log keeps it: packed, as 8,000 of them are kept for long, and readers need no versions.
 *
 * Layout, little-endian:
 *   0   u64  index of the first event     8  u16  events in it     10  u16  bytes in all     12  u16  FORMAT     14  u16  zero
 *   16  events: u8 type | cause << 4, u8 length of the ID | 64 where the session was not held | 128 where events were lost just
 *       before it, u32 time, u8 NAMES_..., the ID; of lost ones u32 count, u8 `LossCause`; of names of its own those, as in `event.ts`
 */
import { Event, EVENT_SIZE, EventNames } from "./event";
import { Segment, SEGMENT_EVENTS } from "./segment";

/**
 * Packs a segment to PACKED; answers with the length to store it with: at once that of a whole one without names, as values that
 * grow by small steps strand memory in the host's allocator.
 */
export function pack(segment: Segment): i32 {
  memory.fill(PACKED, 0, SHORTEST);
  let to: usize = PACKED + HEADER_SIZE;
  for (let place: u32 = 0; place < <u32>segment.count; place++) {
    const event = segment.at(place);
    const size = event.namesSize;
    // Of the same names there is but one copy in a segment.
    const repeats = place > 0 && size > 0 && event.namesEnd == segment.at(place - 1).namesEnd;
    const own = size > 0 && !repeats;
    store<u8>(to, event.type | (event.cause << 4));
    store<u8>(to, event.idLength | (event.held ? 0 : UNHELD) | (event.lost > 0 ? LOST : 0), 1);
    store<u32>(to, <u32>event.time, 2);
    store<u8>(to, repeats ? NAMES_AS_BEFORE : own ? NAMES_OWN : NAMES_NONE, 6);
    memory.copy(to + EVENT_HEAD, event.id, event.idLength);
    to += EVENT_HEAD + <usize>event.idLength;
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
  store<u64>(PACKED, segment.first);
  store<u16>(PACKED, segment.count, 8);
  store<u16>(PACKED, <u16>length, 10);
  store<u16>(PACKED, FORMAT, 12);
  return max(length, SHORTEST);
}

/** Unpacks `length` bytes at PACKED; false where they are not the segment that begins with the given index. */
export function unpack(first: u64, length: i32, into: Segment): bool {
  if (length < <i32>HEADER_SIZE || load<u16>(PACKED, 12) != FORMAT || load<u64>(PACKED) != first) return false;
  const count = <u32>load<u16>(PACKED, 8);
  const end = PACKED + <usize>load<u16>(PACKED, 10);
  if (count > SEGMENT_EVENTS || end > PACKED + <usize>length) return false;
  into.begin(first);
  let from: usize = PACKED + HEADER_SIZE;
  const event = changetype<Event>(EVENT);
  NAMES.clear();
  for (let place: u32 = 0; place < count; place++) {
    if (from + EVENT_HEAD > end) return false;
    const types = load<u8>(from);
    const flags = load<u8>(from, 1);
    const time = load<u32>(from, 2);
    const names = load<u8>(from, 6);
    const idLength = <i32>(flags & ID_LENGTH);
    const lossSize: usize = flags & LOST ? LOSS_SIZE : 0;
    const id = from + EVENT_HEAD;
    from = id + <usize>idLength + lossSize;
    if (idLength > MOST_ID || from > end) return false;
    event.write(0, time, types & 15, types >> 4, id, idLength, (flags & UNHELD) == 0);
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

/** Where segments are packed to and unpacked from. */
export const PACKED: usize = memory.data(7088, 8);
export const PACKED_CAPACITY: i32 = 7088;
const FORMAT: u16 = 3;
const HEADER_SIZE: usize = 16;
const EVENT_HEAD: usize = 7;
/** Sixteen events with IDs of 32 bytes. */
const SHORTEST: i32 = 640;
const LOSS_SIZE: usize = 5;
const ID_LENGTH: u8 = 63;
const MOST_ID: i32 = 32;
const UNHELD: u8 = 64;
const LOST: u8 = 128;
const NAMES_NONE: u8 = 0;
const NAMES_OWN: u8 = 1;
const NAMES_AS_BEFORE: u8 = 2;
const NAMES: EventNames = new EventNames();
const EVENT: usize = memory.data(512, 8);
