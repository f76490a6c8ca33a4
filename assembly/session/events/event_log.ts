/**
 * The log of events that readers see: one row of sequence numbers over all workers, in a ring of segments in the
 * shared store. Only the sequencer writes it, under a lock; anybody reads it. It holds the last LOG_SEGMENTS segments, 8,176
 * events at least (0.35 MiB and the names in them, 3.4 MiB at most). What was lost takes no numbers: the event behind says
 * how many there were and for what; where none comes, one number without an event does.
 *
 * Head, little-endian: 0 u64 next sequence number (the first is 1), 8 u64 number of this log's making, which tells its
 * marks from those of an earlier process, 16 u64 locked until (nanoseconds since 1970), 24 u64 first number that is in this
 * log: what was before is in that of the earlier format. 32 u64 events without a place that were told, 40 3 x u64 events that were
 * lost and not told yet, by `LossCause`. 64 for each writer of the earlier format, then for each of this: u64 index of its
 * next event to be collected.
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

  /** Reads the head, making it where there is none. `head` is then valid until the next use of any log. */
  load(nowNanoseconds: u64): bool {
    if (this.read()) return true;
    memory.fill(HEAD, 0, HEAD_SIZE);
    store<u64>(HEAD, 1);
    store<u64>(HEAD, nowNanoseconds, 8);
    if (this.earlier.loadHead()) this.follow(this.earlier);
    store<u64>(HEAD, this.next, 24);
    this.headValue.put(HEAD, HEAD_SIZE);
    return this.read();
  }

  /** Goes on where the log of the earlier format is now: marks stay valid, and nothing is told twice. */
  private follow(earlier: EarlierFormat): void {
    store<u64>(HEAD, max<u64>(earlier.next, 1));
    store<u64>(HEAD, earlier.making, 8);
    for (let place = 0; place < EARLIER_WRITERS; place++) this.moveTo(place, earlier.position(place));
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

  /** The first number that is not in the log of the earlier format. */
  get firstOwn(): u64 {
    return load<u64>(HEAD, 24);
  }

  /** The index of the next event of a writer to be collected; writers of the earlier format come first. */
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

  /** Appends an event; to be followed by `unlock`. */
  append(event: Event): void {
    const copy = this.room().append(event);
    copy.tellLost(0, 0);
    for (let cause = 0; cause < CARRIED_CAUSES && copy.lost == 0; cause++) this.tellLost(copy, cause);
    this.advance();
  }

  /** Notes that events were lost, to be told by the next event. */
  lose(count: u64, cause: i32): void {
    const sum = min<u64>(count, MOST_LOST) + this.pending(cause);
    store<u64>(HEAD + PENDING_OFFSET + ((<usize>cause) << 3), min<u64>(sum, MOST_LOST));
  }

  /** How many events without a place were told or are to be. */
  get withoutPlace(): u64 {
    return load<u64>(HEAD, 32);
  }

  set withoutPlace(count: u64) {
    store<u64>(HEAD, count, 32);
  }

  /** Tells what was lost and no event has told of, by numbers without an event: one for each cause. */
  settle(): void {
    for (let cause = 0; cause < CARRIED_CAUSES; cause++) {
      if (this.pending(cause) == 0) continue;
      const segment = this.room();
      segment.fill(<u32>segment.count + 1, 0);
      this.tellLost(segment.at(<u32>segment.count - 1), cause);
      this.advance();
    }
  }

  /** Stores what was appended and gives the lock back. */
  unlock(): void {
    this.flush();
    this.appending = NO_SEGMENT;
    store<u64>(HEAD, 0, 16);
    this.write();
  }

  /** Reads the segment of a sequence number into `buffer`; null where it is lost. Needs `load` before. */
  segment(sequence: u64, buffer: usize): Segment | null {
    const start = segmentStart(sequence);
    const segment = changetype<Segment>(buffer);
    if (sequence < this.firstOwn) return this.earlier.readLog(sequence, segment) ? segment : null;
    this.selectSegment(start);
    const value = this.segmentValue;
    value.read(PACKED, PACKED_CAPACITY);
    return value.exists && unpack(start, value.length, segment) ? segment : null;
  }

  private pending(cause: i32): u64 {
    return load<u64>(HEAD + PENDING_OFFSET + ((<usize>cause) << 3));
  }

  private tellLost(event: Event, cause: i32): void {
    const pending = this.pending(cause);
    if (pending == 0) return;
    event.tellLost(<u32>min<u64>(pending, MOST_LOST), <u8>cause);
    store<u64>(HEAD + PENDING_OFFSET + ((<usize>cause) << 3), 0);
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
    // What was appended by one that ended before it had stored the head is not in the log.
    if (<u32>segment.count > place) segment.cut(place);
    segment.fill(place, 0);
    return segment;
  }

  private advance(): void {
    const segment = changetype<Segment>(APPENDED);
    segment.confirmed = segment.count;
    this.dirty = true;
    const next = this.next + 1;
    store<u64>(HEAD, next);
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
    return this.headValue.readWhole(HEAD, HEAD_SIZE);
  }

  private write(): bool {
    return this.headValue.put(HEAD, HEAD_SIZE) == StoreResult.Ok;
  }
}

/**
 * Reads the log from a sequence number on, in slices: `resume` has to come first in each of them. Each segment is read once in a
 * slice, also one that is lost.
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
    // A mark from beyond the end is none of this log.
    this.sequence = after < this.end ? after : this.end - 1;
    const oldest = log.oldest;
    if (this.sequence + 1 < oldest) this.miss(oldest - 1 - this.sequence, LossCause.LOG, oldest - 1);
  }

  /** Others may have read in between. False where the log cannot be read. */
  resume(nowNanoseconds: u64): bool {
    this.hasSegment = false;
    return this.log.load(nowNanoseconds);
  }

  /** How many of those that were missed were so for a `LossCause`. */
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
      // In the log of the earlier format, what was lost had numbers of its own.
      if (event.lost == 0) this.miss(1, LossCause.OVERRUN, sequence);
    }
    return null;
  }

  /** The number behind those that are in one value with a number. */
  private lastAlike(sequence: u64): u64 {
    const end = segmentStart(sequence) + SEGMENT_EVENTS;
    return sequence < this.log.firstOwn ? min(end, this.log.firstOwn) : end;
  }

  private miss(count: u64, cause: i32, sequence: u64): void {
    this.missed += count;
    this.missedFor[cause] += count;
    this.sequence = sequence;
  }
}

const LOG_SEGMENTS: u32 = 512;
const LOCK_NANOSECONDS: u64 = 1_000_000_000;
const NO_SEGMENT: u64 = u64.MAX_VALUE;
/** The first three causes are found when events are collected, the others by a reader. */
const CARRIED_CAUSES: i32 = 3;
/** What is told at once; more than that is told as that many. */
const MOST_LOST: u64 = u32.MAX_VALUE;
const PENDING_OFFSET: usize = 40;
const POSITIONS_OFFSET: usize = 64;
const HEAD_SIZE: i32 = 64 + (EARLIER_WRITERS + WRITERS) * 8;
const HEAD: usize = memory.data(1600, 8);
const APPENDED: usize = memory.data(7088, 8);
const READ: usize = memory.data(7088, 8);
