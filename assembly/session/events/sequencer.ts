/**
 * Collects the events of all outboxes into the log, in an order that is right for each ID.
 *
 * It looks at every outbox twice. What it saw confirmed the first time is ripe. An earlier event of the same ID was
 * announced before that, so the second look shows it; and as versions ascend for each page and for each outbox, taking
 * always the lowest head of all outboxes takes the earlier one first. A lowest head that is not ripe stops the round: it
 * will be in the next.
 *
 * Runs on ticks of one virtual machine and before a reader is answered; never on the path of a connection. A round
 * takes at most a segment of each outbox. Memory: one segment for each outbox that is in use, where it runs.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Deadline } from "../job";
import { StoreKey } from "../keys";
import { Metric } from "../statistics";
import { EventType } from "./event";
import { EventLog } from "./event_log";
import { outboxKey, outboxSegment, RING_SEGMENTS } from "./outbox";
import { Segment, SEGMENT_EVENTS, SEGMENT_SIZE, segmentStart } from "./segment";
import { Writers, WRITERS } from "./writers";

export class Sequencer {
  readonly log: EventLog;
  private readonly writers: Writers;
  private readonly key: StoreKey;
  /** For each writer: a segment's room, 0 until it is needed. */
  private readonly segments: StaticArray<usize> = new StaticArray<usize>(WRITERS);
  /** For each writer: the index behind what the first look saw confirmed. */
  private readonly ripe: StaticArray<u64> = new StaticArray<u64>(WRITERS);
  private readonly used: StaticArray<bool> = new StaticArray<bool>(WRITERS);

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {
    this.log = new EventLog(cacheName, sharedStore);
    this.writers = new Writers(cacheName, sharedStore);
    this.key = outboxKey(cacheName);
  }

  free(): void {
    this.log.free();
    this.writers.free();
    this.key.free();
    for (let writer = 0; writer < WRITERS; writer++) {
      if (this.segments[writer] != 0) heap.free(this.segments[writer]);
    }
  }

  /** Collects what there is, round by round until the deadline has passed. */
  run(deadline: Deadline): void {
    while (this.round()) {
      if (deadline.passed) return;
    }
  }

  /** One round; false where there was nothing to collect, or another machine is at it. */
  private round(): bool {
    const now = this.clock.nowNanoseconds();
    const log = this.log;
    if (!this.writers.load()) return false;
    for (let writer = 0; writer < WRITERS; writer++) this.used[writer] = this.writers.taken(writer);
    if (!log.load(now) || !this.firstLook() || !log.lock(now)) return false;
    for (let writer = 0; writer < WRITERS; writer++) {
      if (this.used[writer]) this.look(writer);
    }
    const from = log.next;
    this.merge(now / NANOSECONDS_PER_SECOND);
    const progress = log.next != from;
    log.unlock();
    return progress;
  }

  /** Whether there is anything to collect, and what of it is ripe. */
  private firstLook(): bool {
    let any = false;
    for (let writer = 0; writer < WRITERS; writer++) {
      this.ripe[writer] = 0;
      if (!this.used[writer]) continue;
      const position = this.log.position(writer);
      const segment = this.look(writer);
      if (!segment) continue;
      this.ripe[writer] = segment.first + segment.confirmed;
      if (segment.first != segmentStart(position) || segment.first + segment.count > position) any = true;
    }
    return any;
  }

  /** Reads the segment at a writer's position; it may be a later one that has overwritten it. */
  private look(writer: i32): Segment | null {
    if (this.segments[writer] == 0) this.segments[writer] = heap.alloc(SEGMENT_SIZE);
    const buffer = this.segments[writer];
    const segment = changetype<Segment>(buffer);
    this.key.select(outboxSegment(writer, this.log.position(writer)));
    const result = this.sharedStore.read(this.key.start, this.key.length, buffer, SEGMENT_SIZE);
    if (result == StoreResult.Ok && segment.is(segment.first, this.sharedStore.length)) return segment;
    segment.begin(segmentStart(this.log.position(writer)));
    return null;
  }

  /** Takes ripe events, the lowest version first, until a lowest head is not ripe or cannot be seen. */
  private merge(nowSeconds: u64): void {
    for (let taken = 0; taken < MAX_TAKEN; taken++) {
      const writer = this.lowestHead();
      if (writer < 0) return;
      const position = this.log.position(writer);
      const segment = changetype<Segment>(this.segments[writer]);
      if (segment.first != segmentStart(position)) return this.skipOverwritten(writer, segment);
      const event = segment.at(<u32>(position - segment.first));
      if (position >= this.ripe[writer]) {
        // Announced and never confirmed: its machine ended in between, and nobody knows whether it happened.
        if (position < segment.first + segment.confirmed || !isOld(event.time, nowSeconds)) return;
        this.lose(1);
      } else if (event.type != EventType.NONE) {
        this.log.append(event, 0);
      }
      this.log.moveTo(writer, position + 1);
      // What follows in the next segment has not been seen yet, and might come before everything else.
      if (segmentStart(position + 1) == position + 1) return;
    }
  }

  /** The writer whose next event has the lowest version; -1 where no event is left. */
  private lowestHead(): i32 {
    let lowest = -1;
    let version: u64 = u64.MAX_VALUE;
    for (let writer = 0; writer < WRITERS; writer++) {
      if (!this.used[writer]) continue;
      const position = this.log.position(writer);
      const segment = changetype<Segment>(this.segments[writer]);
      if (segment.first > position) return writer;
      if (segment.first != segmentStart(position)) continue;
      const place = position - segment.first;
      if (place >= segment.count) continue;
      const head = segment.at(<u32>place);
      if (head.version < version) {
        version = head.version;
        lowest = writer;
      }
    }
    return lowest;
  }

  /** An outbox has gone round and overwritten what was not collected: goes on with the oldest that is left. */
  private skipOverwritten(writer: i32, segment: Segment): void {
    const oldest = segment.first - <u64>(RING_SEGMENTS - 1) * SEGMENT_EVENTS;
    this.lose(oldest - this.log.position(writer));
    this.log.moveTo(writer, oldest);
  }

  private lose(count: u64): void {
    this.metrics.increase(Metric.EVENTS_LOST, count);
    this.log.append(null, count);
  }
}

function isOld(time: u64, nowSeconds: u64): bool {
  return time + STUCK_SECONDS < nowSeconds || nowSeconds + STUCK_SECONDS < time;
}

const MAX_TAKEN: i32 = 4096;
const STUCK_SECONDS: u64 = 5;
