/**
 * The log of events that readers see: one row of sequence numbers over all workers, in a ring of segments in the
 * shared store. Only the sequencer writes it, under a lock; anybody reads it. It holds the last LOG_SEGMENTS segments,
 * about 8,000 events (460 KB); a number without an event is one that was lost, and readers are told how many.
 *
 * Head, little-endian: 0 u64 next sequence number (the first is 1), 8 u64 number of this log's making, which tells its
 * marks from those of an earlier process, 16 u64 locked until (nanoseconds since 1970), 24 u64 zero, then for each writer
 * u64 index of its next event to be collected.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../keys";
import { Event, EVENT_SIZE, EventType } from "./event";
import { Segment, SEGMENT_EVENTS, SEGMENT_SIZE, segmentStart } from "./segment";
import { WRITERS } from "./writers";

export class EventLog {
  private readonly headKey: StoreKey;
  private readonly segmentKey: StoreKey;
  private mark: u32 = 0;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.headKey = new StoreKey(cacheName, "events/head", false);
    this.segmentKey = new StoreKey(cacheName, "events/log", true);
  }

  free(): void {
    this.headKey.free();
    this.segmentKey.free();
  }

  /** Reads the head, making it where there is none. `head` is then valid until the next use of any log. */
  load(nowNanoseconds: u64): bool {
    if (this.read()) return true;
    memory.fill(HEAD, 0, HEAD_SIZE);
    store<u64>(HEAD, 1);
    store<u64>(HEAD, nowNanoseconds, 8);
    this.sharedStore.create(this.headKey.start, this.headKey.length, HEAD, HEAD_SIZE);
    return this.read();
  }

  get next(): u64 {
    return load<u64>(HEAD);
  }

  get making(): u64 {
    return load<u64>(HEAD, 8);
  }

  /** The lowest sequence number that the ring can still hold. */
  get oldest(): u64 {
    const newest = segmentStart(this.next);
    const span = <u64>(LOG_SEGMENTS - 1) * SEGMENT_EVENTS;
    return newest > span ? newest - span : 1;
  }

  /** The index of the next event of a writer to be collected. */
  position(writer: i32): u64 {
    return load<u64>(HEAD + POSITIONS_OFFSET + ((<usize>writer) << 3));
  }

  moveTo(writer: i32, index: u64): void {
    store<u64>(HEAD + POSITIONS_OFFSET + ((<usize>writer) << 3), index);
  }

  /** Takes the lock, so that nobody else appends; false where another one has it. Its end is in sight in any case. */
  lock(nowNanoseconds: u64): bool {
    const until = load<u64>(HEAD, 16);
    if (until > nowNanoseconds && until - nowNanoseconds <= LOCK_NANOSECONDS) return false;
    store<u64>(HEAD, nowNanoseconds + LOCK_NANOSECONDS, 16);
    return this.write() && this.read();
  }

  /** Appends an event, or a gap of lost ones; to be followed by `unlock`. */
  append(event: Event | null, lost: u64): void {
    let next = this.next;
    if (!event) {
      this.flush();
      store<u64>(HEAD, next + lost);
      return;
    }
    const start = segmentStart(next);
    const segment = changetype<Segment>(APPENDED);
    if (this.appending != start) this.open(start);
    const place = <u32>(next - start);
    memory.copy(changetype<usize>(segment.at(place)), changetype<usize>(event), EVENT_SIZE);
    segment.count = place + 1;
    this.dirty = true;
    store<u64>(HEAD, ++next);
    if (segmentStart(next) == next) this.flush();
  }

  /** Stores what was appended and gives the lock back. */
  unlock(): void {
    this.flush();
    this.appending = NO_SEGMENT;
    store<u64>(HEAD, 0, 16);
    this.write();
  }

  /** Reads the segment of a sequence number into `buffer`; null where it is lost. */
  segment(sequence: u64, buffer: usize): Segment | null {
    const start = segmentStart(sequence);
    this.selectSegment(start);
    const segment = changetype<Segment>(buffer);
    const result = this.sharedStore.read(this.segmentKey.start, this.segmentKey.length, buffer, SEGMENT_SIZE);
    return result == StoreResult.Ok && segment.is(start, this.sharedStore.length) ? segment : null;
  }

  private appending: u64 = NO_SEGMENT;
  private dirty: bool = false;

  private open(start: u64): void {
    this.flush();
    if (!this.segment(start, APPENDED)) changetype<Segment>(APPENDED).begin(start);
    this.appending = start;
  }

  private flush(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.selectSegment(this.appending);
    this.sharedStore.overwrite(this.segmentKey.start, this.segmentKey.length, APPENDED, SEGMENT_SIZE);
  }

  private selectSegment(start: u64): void {
    this.segmentKey.select(<u32>(start / SEGMENT_EVENTS) % LOG_SEGMENTS);
  }

  private read(): bool {
    const result = this.sharedStore.read(this.headKey.start, this.headKey.length, HEAD, HEAD_SIZE);
    this.mark = this.sharedStore.mark;
    return result == StoreResult.Ok && this.sharedStore.length == HEAD_SIZE;
  }

  private write(): bool {
    const result = this.sharedStore.replace(this.headKey.start, this.headKey.length, HEAD, HEAD_SIZE, this.mark);
    return result == StoreResult.Ok;
  }
}

/** Reads the log from a sequence number on. */
export class EventReader {
  /** Events that were lost between the first number asked for and the last one read. */
  missed: u64 = 0;
  /** Sequence number of the event read last. */
  sequence: u64 = 0;
  private segment: Segment | null = null;
  private readonly end: u64;

  /** `after`: sequence number of the last event that is known, 0 for the beginning. Needs `log.load` before. */
  constructor(
    private readonly log: EventLog,
    after: u64,
  ) {
    this.end = log.next;
    // A mark from beyond the end is none of this log.
    this.sequence = after < this.end ? after : this.end - 1;
    const oldest = log.oldest;
    if (this.sequence + 1 < oldest) {
      this.missed = oldest - this.sequence - 1;
      this.sequence = oldest - 1;
    }
  }

  /** The next event, valid until the next call, or null at the end. */
  next(): Event | null {
    while (this.sequence + 1 < this.end) {
      const sequence = ++this.sequence;
      const start = segmentStart(sequence);
      let segment = this.segment;
      if (!segment || segment.first != start) {
        segment = this.log.segment(sequence, READ);
        this.segment = segment;
      }
      if (segment) {
        const place = <u32>(sequence - start);
        const event = segment.at(place);
        if (place < segment.count && event.type != EventType.NONE) return event;
      }
      this.missed++;
    }
    return null;
  }
}

const LOG_SEGMENTS: u32 = 512;
const LOCK_NANOSECONDS: u64 = 1_000_000_000;
const NO_SEGMENT: u64 = u64.MAX_VALUE;
const POSITIONS_OFFSET: usize = 32;
const HEAD_SIZE: i32 = 32 + WRITERS * 8;
const HEAD: usize = memory.data(544, 8);
const APPENDED: usize = memory.data(3600, 8);
const READ: usize = memory.data(3600, 8);
