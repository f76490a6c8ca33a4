/**
 * Collects the events of all outboxes into the log, in an order that is right for each ID.
 *
 * It reads every outbox twice. Events that the first reading shows as confirmed are ripe. An earlier event of the same ID
 * was announced before that, so the second reading shows it. Versions ascend for each page and for each outbox. So taking
 * the lowest head of all outboxes each time takes the earlier event first. A lowest head that is not ripe stops the round:
 * the next round will have it.
 *
 * Runs on ticks, before a reader is answered, and when work makes many events (`relieve`); never on the path of a
 * connection. A round takes at most a segment of each outbox. Memory: one segment for each outbox in use, in the machine
 * that runs it. Outboxes of the earlier format are collected too (`earlier_format.ts`).
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { SharedStore } from "../../ports/shared_store";
import { Deadline } from "../../work/job";
import { StoredValue } from "../../shared/stored_value";
import { Metric } from "../counting/statistics";
import { EarlierFormat, EARLIER_WRITERS } from "./earlier_format";
import { EventType, LossCause } from "./event";
import { EventLog } from "./event_log";
import { Outbox, outboxValue, outboxSegment, RING_SEGMENTS } from "./outbox";
import { Segment, SEGMENT_CAPACITY, SEGMENT_EVENTS, segmentStart } from "./segment";
import { Writers, WRITERS } from "./writers";

export class Sequencer {
  readonly log: EventLog;
  private readonly writers: Writers;
  private readonly earlier: EarlierFormat;
  private readonly value: StoredValue;
  /** For each writer: a buffer for a segment, 0 until it is needed. */
  private readonly segments: StaticArray<usize> = new StaticArray<usize>(ALL_WRITERS);
  /** For each writer: the index behind the events that the first reading shows as confirmed. */
  private readonly ripe: StaticArray<u64> = new StaticArray<u64>(ALL_WRITERS);
  /** The writers in use, the first `usedCount` of these. */
  private readonly used: StaticArray<i32> = new StaticArray<i32>(ALL_WRITERS);
  private usedCount: i32 = 0;
  private moved: bool = false;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {
    const earlier = new EarlierFormat(cacheName, sharedStore);
    this.earlier = earlier;
    this.log = new EventLog(cacheName, sharedStore, earlier);
    this.writers = new Writers(cacheName, sharedStore);
    this.value = outboxValue(cacheName, sharedStore);
  }

  free(): void {
    this.log.free();
    this.earlier.free();
    this.writers.free();
    this.value.free();
    for (let writer = 0; writer < ALL_WRITERS; writer++) {
      if (this.segments[writer] != 0) heap.free(this.segments[writer]);
      this.segments[writer] = 0;
    }
  }

  /** Collects events, round by round until the deadline has passed; none while another machine collects. */
  run(deadline: Deadline): void {
    const now = this.clock.nowNanoseconds();
    const log = this.log;
    if (!log.load(now)) return;
    const lost = this.findWriters(now / NANOSECONDS_PER_SECOND);
    const isNews = lost > log.withoutPlace;
    if (!this.readRipe() && !isNews) return;
    if (!log.lock(now)) return;
    if (lost > log.withoutPlace) {
      log.lose(lost - log.withoutPlace, LossCause.NO_PLACE);
      log.withoutPlace = lost;
    }
    do {
      for (let i = 0; i < this.usedCount; i++) this.read(this.used[i]);
      this.moved = false;
      this.merge(now / NANOSECONDS_PER_SECOND);
    } while (this.moved && !deadline.passed && this.readRipe());
    // If more events come at once, they carry the losses.
    if (!this.moved || !this.readRipe()) log.settle();
    log.unlock();
  }

  /** Makes room in a crowded outbox, until the deadline has passed; false if it is still crowded. */
  relieve(outbox: Outbox, deadline: Deadline): bool {
    if (!outbox.isCrowded) return true;
    this.note(outbox);
    if (!outbox.isCrowded) return true;
    this.run(deadline);
    this.note(outbox);
    return !outbox.isCrowded;
  }

  private note(outbox: Outbox): void {
    if (outbox.place < 0 || !this.log.load(this.clock.nowNanoseconds())) return;
    outbox.collected = this.log.position(EARLIER_WRITERS + outbox.place);
  }

  /** Finds the writers that may have events. Returns how many events were lost for want of a place. Needs the head. */
  private findWriters(nowSeconds: u64): u64 {
    this.usedCount = 0;
    if (this.earlier.loadWriters()) {
      for (let place = 0; place < EARLIER_WRITERS; place++) {
        if (this.earlier.isUsed(place, nowSeconds)) this.used[this.usedCount++] = place;
      }
    }
    if (!this.writers.load()) return 0;
    for (let place = 0; place < WRITERS; place++) {
      const writer = EARLIER_WRITERS + place;
      if (this.writers.mayHold(place, this.log.position(writer))) this.used[this.usedCount++] = writer;
    }
    return this.writers.lost;
  }

  /** Reads every outbox for the first time, and notes its ripe events. Returns whether there is anything to collect. */
  private readRipe(): bool {
    let any = false;
    for (let i = 0; i < this.usedCount; i++) {
      const writer = this.used[i];
      this.ripe[writer] = 0;
      const position = this.log.position(writer);
      const segment = this.read(writer);
      if (!segment) continue;
      this.ripe[writer] = segment.first + <u64>segment.confirmed;
      if (segment.first > position || segment.first + <u64>segment.count > position) any = true;
    }
    return any;
  }

  /** Reads the segment at a writer's position; it may be a later one that has overwritten it. */
  private read(writer: i32): Segment | null {
    if (this.segments[writer] == 0) this.segments[writer] = heap.alloc(SEGMENT_CAPACITY);
    const segment = changetype<Segment>(this.segments[writer]);
    const position = this.log.position(writer);
    if (this.readSegment(writer, position, segment)) return segment;
    segment.begin(segmentStart(position));
    return null;
  }

  private readSegment(writer: i32, position: u64, segment: Segment): bool {
    if (writer < EARLIER_WRITERS) return this.earlier.readOutbox(writer, position, segment);
    const value = this.value;
    value.select(outboxSegment(writer - EARLIER_WRITERS, position));
    value.read(changetype<usize>(segment), SEGMENT_CAPACITY);
    return value.exists && segment.is(segment.first, value.length);
  }

  /** Takes ripe events, the lowest version first, until a lowest head is not ripe or cannot be seen. */
  private merge(nowSeconds: u64): void {
    for (let taken = 0; taken < MAX_EVENTS_A_ROUND; taken++) {
      const writer = this.lowestHead();
      if (writer < 0) return;
      const position = this.log.position(writer);
      const segment = changetype<Segment>(this.segments[writer]);
      if (segment.first != segmentStart(position)) return this.skipOverwritten(writer, segment);
      const event = segment.at(<u32>(position - segment.first));
      if (position >= this.ripe[writer]) {
        // Announced and never confirmed: its machine ended in between; nobody knows whether the event happened.
        if (position < segment.first + <u64>segment.confirmed || !isOld(event.time, nowSeconds)) return;
        if (event.type != EventType.NONE) this.lose(1, LossCause.UNCONFIRMED);
      } else if (event.type != EventType.NONE) {
        this.log.append(event);
      }
      this.moveTo(writer, position + 1);
      // Events of the next segment have not been read yet, and might come before all others.
      if (segmentStart(position + 1) == position + 1) return;
    }
  }

  /** The writer whose next event has the lowest version; -1 if no event is left. */
  private lowestHead(): i32 {
    let lowest = -1;
    let version: u64 = u64.MAX_VALUE;
    for (let i = 0; i < this.usedCount; i++) {
      const writer = this.used[i];
      const position = this.log.position(writer);
      const segment = changetype<Segment>(this.segments[writer]);
      if (segment.first > position) return writer;
      if (segment.first != segmentStart(position)) continue;
      const place = position - segment.first;
      if (place >= <u64>segment.count) continue;
      const head = segment.at(<u32>place);
      if (head.version < version) {
        version = head.version;
        lowest = writer;
      }
    }
    return lowest;
  }

  /** An outbox has overwritten events that were not collected: goes on with the oldest event that is left. */
  private skipOverwritten(writer: i32, segment: Segment): void {
    const oldest = segment.first - <u64>(RING_SEGMENTS - 1) * SEGMENT_EVENTS;
    this.lose(oldest - this.log.position(writer), LossCause.OVERRUN);
    this.moveTo(writer, oldest);
  }

  private moveTo(writer: i32, index: u64): void {
    this.log.moveTo(writer, index);
    this.moved = true;
  }

  private lose(count: u64, cause: i32): void {
    this.metrics.increase(Metric.EVENTS_LOST, count);
    this.log.lose(count, cause);
  }
}

function isOld(time: u64, nowSeconds: u64): bool {
  return time + STUCK_SECONDS < nowSeconds || nowSeconds + STUCK_SECONDS < time;
}

const ALL_WRITERS: i32 = EARLIER_WRITERS + WRITERS;
const MAX_EVENTS_A_ROUND: i32 = 4096;
const STUCK_SECONDS: u64 = 5;
