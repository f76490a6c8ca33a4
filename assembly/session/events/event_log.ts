/**
 * The log of events that readers see: one sequence of numbers over all workers, in a ring of segments in the shared store.
 * Only the sequencer writes it, under a lock; anybody reads it. It holds the last LOG_SEGMENTS segments, at least 8,176
 * events (0.35 MiB and the names in them, 3.4 MiB at most). Lost events take no numbers: the next event carries their count
 * and their cause. If no event follows, one number without an event carries them.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { EarlierFormat, EARLIER_WRITERS } from "./earlier_format";
import { Event, EventType, LossCause, LOSS_CAUSES } from "./event";
import { pack, PACKED, PACKED_CAPACITY, unpack } from "./log_segment";
import { Segment, SEGMENT_EVENTS, segmentStart } from "./segment";
import { WRITERS } from "./writers";

export class EventLog {
  private readonly headValue: StoredValue;
  private readonly segmentValue: StoredValue;
  private appending: u64 = NO_SEGMENT;
  private dirty: bool = false;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly earlier: EarlierFormat,
  ) {
    this.headValue = new StoredValue(cacheName, "events/2/head", sharedStore);
    this.segmentValue = new StoredValue(cacheName, "events/2/log", sharedStore);
  }

  free(): void {
    this.headValue.free();
    this.segmentValue.free();
  }

  /** Reads the head, and makes it if there is none. It is valid until the next use of any log. */
  load(nowNanoseconds: u64): bool {
    if (this.read()) return true;
    memory.fill(HEAD_BYTES, 0, HEAD_SIZE);
    HEAD.next = 1;
    HEAD.making = nowNanoseconds;
    if (this.earlier.loadHead()) this.follow(this.earlier);
    HEAD.firstOwn = HEAD.next;
    this.headValue.put(HEAD_BYTES, HEAD_SIZE);
    return this.read();
  }

  /** Goes on from the current end of the log of the earlier format: marks stay valid, and no event comes twice. */
  private follow(earlier: EarlierFormat): void {
    HEAD.next = max<u64>(earlier.next, 1);
    HEAD.making = earlier.making;
    for (let place = 0; place < EARLIER_WRITERS; place++) this.moveTo(place, earlier.position(place));
  }

  /** The sequence number that the next event will have. */
  get next(): u64 {
    return HEAD.next;
  }

  /** The number of this log's making: it tells its marks from those of an earlier process. */
  get making(): u64 {
    return HEAD.making;
  }

  /** The lowest sequence number that the ring can still hold. */
  get oldest(): u64 {
    const newest = segmentStart(this.next);
    const span = <u64>(LOG_SEGMENTS - 1) * SEGMENT_EVENTS;
    return newest > span ? newest - span : 1;
  }

  /** The first number that is not in the log of the earlier format. */
  get firstOwn(): u64 {
    return HEAD.firstOwn;
  }

  /** The index of the next event of a writer to collect; writers of the earlier format come first. */
  position(writer: i32): u64 {
    return load<u64>(HEAD_BYTES + POSITIONS_OFFSET + ((<usize>writer) << 3));
  }

  moveTo(writer: i32, index: u64): void {
    store<u64>(HEAD_BYTES + POSITIONS_OFFSET + ((<usize>writer) << 3), index);
  }

  /** Takes the lock, so that nobody else appends; false if another machine has it. A lock ends by itself. */
  lock(nowNanoseconds: u64): bool {
    const until = HEAD.lockedUntil;
    if (until > nowNanoseconds && until - nowNanoseconds <= LOCK_NANOSECONDS) return false;
    HEAD.lockedUntil = nowNanoseconds + LOCK_NANOSECONDS;
    return this.write() && this.read();
  }

  /** Appends an event, with one of the losses before it. `unlock` has to follow. */
  append(event: Event): void {
    const copy = this.room().append(event);
    copy.tellLost(0, 0);
    for (let cause = 0; cause < CARRIED_CAUSES && copy.lost == 0; cause++) this.tellLost(copy, cause);
    this.advance();
  }

  /** Notes that events were lost, for the next event to carry. */
  lose(count: u64, cause: i32): void {
    const sum = min<u64>(count, MAX_LOST) + this.pending(cause);
    this.setPending(cause, min<u64>(sum, MAX_LOST));
  }

  /** Events without a place that the log carries or is to carry. */
  get withoutPlace(): u64 {
    return HEAD.withoutPlace;
  }

  set withoutPlace(count: u64) {
    HEAD.withoutPlace = count;
  }

  /** Appends the losses that no event carries, as numbers without an event: one for each cause. */
  settle(): void {
    for (let cause = 0; cause < CARRIED_CAUSES; cause++) {
      if (this.pending(cause) == 0) continue;
      const segment = this.room();
      segment.fill(<u32>segment.count + 1, 0);
      this.tellLost(segment.at(<u32>segment.count - 1), cause);
      this.advance();
    }
  }

  /** Stores the appended events and gives the lock back. */
  unlock(): void {
    this.flush();
    this.appending = NO_SEGMENT;
    HEAD.lockedUntil = 0;
    this.write();
  }

  /** Reads the segment of a sequence number into `buffer`; null if it is lost. Needs `load` before. */
  segment(sequence: u64, buffer: usize): Segment | null {
    const start = segmentStart(sequence);
    const segment = changetype<Segment>(buffer);
    if (sequence < this.firstOwn) return this.earlier.readLog(sequence, segment) ? segment : null;
    this.selectSegment(start);
    const value = this.segmentValue;
    value.read(PACKED, PACKED_CAPACITY);
    return value.exists && unpack(start, value.length, segment) ? segment : null;
  }

  /** Events that were lost for a cause and that no event carries yet. */
  private pending(cause: i32): u64 {
    return load<u64>(HEAD_BYTES + PENDING_OFFSET + ((<usize>cause) << 3));
  }

  private setPending(cause: i32, count: u64): void {
    store<u64>(HEAD_BYTES + PENDING_OFFSET + ((<usize>cause) << 3), count);
  }

  private tellLost(event: Event, cause: i32): void {
    const pending = this.pending(cause);
    if (pending == 0) return;
    event.tellLost(<u32>min<u64>(pending, MAX_LOST), <u8>cause);
    this.setPending(cause, 0);
  }

  /** The segment in which the next number has its place, with all places before it. */
  private room(): Segment {
    const start = segmentStart(this.next);
    const segment = changetype<Segment>(APPENDED);
    if (this.appending != start) {
      this.flush();
      const own = max(start, this.firstOwn);
      if (!this.segment(own, APPENDED)) segment.begin(start);
      this.appending = start;
    }
    const place = <u32>(this.next - start);
    // Events of a machine that ended before it had stored the head are not in the log.
    if (<u32>segment.count > place) segment.cut(place);
    segment.fill(place, 0);
    return segment;
  }

  private advance(): void {
    const segment = changetype<Segment>(APPENDED);
    segment.confirmed = segment.count;
    this.dirty = true;
    const next = HEAD.next + 1;
    HEAD.next = next;
    if (segmentStart(next) == next) this.flush();
  }

  private flush(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.selectSegment(this.appending);
    const length = pack(changetype<Segment>(APPENDED));
    this.segmentValue.overwrite(PACKED, length);
  }

  private selectSegment(start: u64): void {
    this.segmentValue.select(<u32>(start / SEGMENT_EVENTS) % LOG_SEGMENTS);
  }

  private read(): bool {
    return this.headValue.readWhole(HEAD_BYTES, HEAD_SIZE);
  }

  private write(): bool {
    return this.headValue.put(HEAD_BYTES, HEAD_SIZE) == StoreResult.Ok;
  }
}

/**
 * The head in the store, HEAD_SIZE bytes, little-endian. At PENDING_OFFSET follows for each of the first CARRIED_CAUSES a
 * u64: events that were lost and that no event carries yet. At POSITIONS_OFFSET, for each writer of the earlier format, then
 * for each of this one, a u64: the index of its next event to collect.
 */
@unmanaged
class LogHead {
  /** The next sequence number; the first is 1. */
  next: u64;
  making: u64;
  /** Nanoseconds since 1970, 0 if nobody holds the lock. */
  lockedUntil: u64;
  /** The first number in this log: earlier ones are in the log of the earlier format. */
  firstOwn: u64;
  withoutPlace: u64;
}

/**
 * Reads the log from a sequence number on, in slices: `resume` has to come first in each of them. A slice reads each segment
 * once, even a lost one.
 */
export class EventReader {
  /** Events that were lost between the first number asked for and the last one read. */
  missed: u64 = 0;
  /** Sequence number of the event read last. */
  sequence: u64 = 0;
  private readonly missedFor: StaticArray<u64> = new StaticArray<u64>(LOSS_CAUSES);
  private hasSegment: bool = false;
  private readonly end: u64;

  /** `after`: sequence number of the last event that is known, 0 for the beginning. Needs `log.load` before. */
  constructor(
    private readonly log: EventLog,
    after: u64,
  ) {
    this.end = log.next;
    // A mark from beyond the end is not one of this log.
    this.sequence = after < this.end ? after : this.end - 1;
    const oldest = log.oldest;
    if (this.sequence + 1 < oldest) this.miss(oldest - 1 - this.sequence, LossCause.LOG, oldest - 1);
  }

  /** Begins a slice, as others may have read in between; false if the log cannot be read. */
  resume(nowNanoseconds: u64): bool {
    this.hasSegment = false;
    return this.log.load(nowNanoseconds);
  }

  /** Of the missed events, those that were lost for a `LossCause`. */
  missedOf(cause: i32): u64 {
    return this.missedFor[cause];
  }

  /** The next event, valid until the next call, or null at the end. */
  next(): Event | null {
    const segment = changetype<Segment>(READ);
    while (this.sequence + 1 < this.end) {
      const sequence = this.sequence + 1;
      const start = segmentStart(sequence);
      if (!this.hasSegment || segment.first != start || sequence == this.log.firstOwn) {
        this.hasSegment = this.log.segment(sequence, READ) != null;
        if (!this.hasSegment) {
          const last = min(this.end, this.lastAlike(sequence)) - 1;
          this.miss(last - this.sequence, LossCause.UNREADABLE, last);
          continue;
        }
      }
      const place = <u32>(sequence - start);
      if (place >= <u32>segment.count) {
        this.miss(1, LossCause.UNREADABLE, sequence);
        continue;
      }
      const event = segment.at(place);
      this.sequence = sequence;
      if (event.lost > 0) this.miss(event.lost, min<i32>(event.lostCause, LOSS_CAUSES - 1), sequence);
      if (event.type != EventType.NONE) return event;
      // In the log of the earlier format, lost events had numbers of their own.
      if (event.lost == 0) this.miss(1, LossCause.OVERRUN, sequence);
    }
    return null;
  }

  /** The first number behind those that share a value with a number. */
  private lastAlike(sequence: u64): u64 {
    const end = segmentStart(sequence) + SEGMENT_EVENTS;
    return sequence < this.log.firstOwn ? min(end, this.log.firstOwn) : end;
  }

  /** Counts missed events, up to a sequence number. */
  private miss(count: u64, cause: i32, sequence: u64): void {
    this.missed += count;
    this.missedFor[cause] += count;
    this.sequence = sequence;
  }
}

const LOG_SEGMENTS: u32 = 512;
const LOCK_NANOSECONDS: u64 = 1_000_000_000;
const NO_SEGMENT: u64 = u64.MAX_VALUE;
/** Collecting finds the first three causes, a reader the others. */
const CARRIED_CAUSES: i32 = 3;
/** An event carries at most so many losses; more count as that many. */
const MAX_LOST: u64 = u32.MAX_VALUE;
const PENDING_OFFSET: usize = 40;
const POSITIONS_OFFSET: usize = 64;
const HEAD_SIZE: i32 = 64 + (EARLIER_WRITERS + WRITERS) * 8;
const HEAD_BYTES: usize = memory.data(1600, 8);
const HEAD: LogHead = changetype<LogHead>(HEAD_BYTES);
const APPENDED: usize = memory.data(7088, 8);
const READ: usize = memory.data(7088, 8);
