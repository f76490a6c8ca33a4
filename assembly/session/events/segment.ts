/**
 * A run of events as one value of the shared store: logs and outboxes are rings of segments.
 *
 * Layout, 912 bytes and the names, 7,088 at most, little-endian:
 *   0   u64  index of the first event
 *   8   u16  events in it     10  u16  of these, confirmed: the others are announced only
 *   12  u16  bytes of names    14  u16  FORMAT
 *   16  16 events of 56 bytes
 *   912      their names: an event with the same names as the event before shares them
 */
import { EVENT_SIZE, Event, EventType, MAX_NAMES_SIZE } from "./event";

/** A segment in a buffer of SEGMENT_CAPACITY bytes. */
@unmanaged
export class Segment {
  first: u64;
  count: u16;
  confirmed: u16;
  private names: u16;
  private format: u16;

  /** The event at a place. */
  @inline
  at(place: u32): Event {
    return changetype<Event>(changetype<usize>(this) + EVENTS_OFFSET + <usize>place * <usize>EVENT_SIZE);
  }

  /** Makes this an empty segment that begins with the given index. */
  begin(first: u64): void {
    memory.fill(changetype<usize>(this), 0, NAMES_OFFSET);
    this.first = first;
    this.format = FORMAT;
  }

  /** Whether `length` bytes that were read are the segment that begins with the given index. */
  is(first: u64, length: i32): bool {
    if (length < <i32>NAMES_OFFSET || length > SEGMENT_CAPACITY || this.format != FORMAT) return false;
    if (this.first != first || <u32>this.count > SEGMENT_EVENTS || this.confirmed > this.count) return false;
    if (this.length > length) return false;
    const start = changetype<usize>(this) + NAMES_OFFSET;
    for (let place: u32 = 0; place < <u32>this.count; place++) {
      if (!this.at(place).isWithin(start, start + <usize>this.names)) return false;
    }
    return true;
  }

  /** Bytes to store. */
  get length(): i32 {
    return <i32>NAMES_OFFSET + <i32>this.names;
  }

  /** Whether there is room for another event, with no more than so many bytes of names in all. */
  hasRoom(event: Event, names: i32): bool {
    return <u32>this.count < SEGMENT_EVENTS && <i32>this.names + event.namesSize <= names;
  }

  /** Appends a copy of an event; there is room for any SEGMENT_EVENTS events. */
  append(event: Event): Event {
    const place = <u32>this.count;
    const like: Event | null = place > 0 ? this.at(place - 1) : null;
    const copy = this.at(place);
    const free = event.copyTo(copy, like, changetype<usize>(this) + <usize>this.length);
    this.names = <u16>(free - changetype<usize>(this) - NAMES_OFFSET);
    this.count += 1;
    return copy;
  }

  /** Appends places without an event, of a second, up to a number of places. */
  fill(count: u32, seconds: u64): void {
    while (<u32>this.count < count) {
      this.at(<u32>this.count).clear(seconds);
      this.count += 1;
    }
  }

  /** Keeps only the first events. */
  cut(count: u32): void {
    this.count = <u16>count;
    const start = changetype<usize>(this) + NAMES_OFFSET;
    let end = start;
    for (let place: u32 = 0; place < count; place++) end = max(end, this.at(place).namesEnd);
    this.names = <u16>(end - start);
  }

  /** Drops the events that are not confirmed: nobody knows whether they happened. */
  disown(): void {
    for (let place: u32 = this.confirmed; place < <u32>this.count; place++) this.at(place).type = EventType.NONE;
    this.confirmed = this.count;
  }
}

export const SEGMENT_EVENTS: u32 = 16;
const EVENTS_OFFSET: usize = 16;
const NAMES_OFFSET: usize = EVENTS_OFFSET + <usize>SEGMENT_EVENTS * <usize>EVENT_SIZE;
/** The most bytes that a segment may have. */
export const SEGMENT_CAPACITY: i32 = <i32>NAMES_OFFSET + <i32>SEGMENT_EVENTS * MAX_NAMES_SIZE;
const FORMAT: u16 = 2;

/** Index of the first event of the segment in which an index lies. */
@inline
export function segmentStart(index: u64): u64 {
  return index & ~(<u64>(SEGMENT_EVENTS - 1));
}
