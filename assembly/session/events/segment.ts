/**
 * A run of events as one value of the shared store: logs are rings of segments.
 *
 * Layout, 912 bytes, little-endian:
 *   0   u64  index of the first event
 *   8   u32  events in it             12  u32  of these, confirmed: the others are announced only
 *   16  16 events of 56 bytes
 */
import { EVENT_SIZE, Event } from "./event";


@unmanaged
export class Segment {
  first: u64;
  count: u32;
  confirmed: u32;


  @inline
  at(place: u32): Event {
    return changetype<Event>(changetype<usize>(this) + EVENTS_OFFSET + <usize>place * <usize>EVENT_SIZE);
  }

  /** Makes this an empty segment that begins with the given index. */
  begin(first: u64): void {
    memory.fill(changetype<usize>(this), 0, SEGMENT_SIZE);
    this.first = first;
  }

  /** Whether `length` bytes that were read are the segment that begins with the given index. */
  is(first: u64, length: i32): bool {
    return (
      length == SEGMENT_SIZE && this.first == first && this.count <= SEGMENT_EVENTS && this.confirmed <= this.count
    );
  }
}

export const SEGMENT_EVENTS: u32 = 16;
export const SEGMENT_SIZE: i32 = 912;
const EVENTS_OFFSET: usize = 16;

/** Index of the first event of the segment in which an index lies. */
@inline
export function segmentStart(index: u64): u64 {
  return index & ~(<u64>(SEGMENT_EVENTS - 1));
}
