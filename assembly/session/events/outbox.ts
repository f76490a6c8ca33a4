/**
 * Where one virtual machine puts the events of a cache: a ring of segments in the shared store that nobody else
 * writes, so that no handshake ever contends for a log. The sequencer collects from here.
 *
 * An event is *announced* before its page is stored and *confirmed* afterwards. So whoever sees an event of an ID can
 * also see every earlier event of that ID, at least as announced, whichever machine it came from: a later change of
 * a page is made by one that has read the earlier one, whose event was announced by then. Versions ascend for each page
 * and for each outbox (Lamport's clocks), which makes collecting in the order of versions right for each ID.
 *
 * Bounds: RING_SEGMENTS segments, kept here too (58 KB). What is overwritten before it was collected is counted as
 * missed by the sequencer. Cost of a change: two writes of 0.9 KB that meet nobody.
 */
import { Clock } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../keys";
import { Metric } from "../statistics";
import { Event, EVENT_SIZE, EventType } from "./event";
import { Segment, SEGMENT_EVENTS, SEGMENT_SIZE, segmentStart } from "./segment";
import { SIGN_OF_LIFE_SECONDS, Writers } from "./writers";

export class Outbox {
  /** The highest version of an event of this outbox. */
  lastVersion: u64 = 0;
  private readonly writers: Writers;
  private readonly key: StoreKey;
  private place: i32 = -1;
  private ring: usize = 0;
  private next: u64 = 0;
  private announcedFrom: u64 = 0;
  private noted: i32 = 0;
  private lastSignOfLife: u64 = 0;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {
    this.writers = new Writers(cacheName, sharedStore);
    this.key = outboxKey(cacheName);
  }

  free(): void {
    this.writers.free();
    this.key.free();
    if (this.ring != 0) heap.free(this.ring);
  }

  /** Forgets what was noted: the page is read anew. */
  @inline
  clear(): void {
    this.noted = 0;
  }

  /** Notes what the page at hand will say once it is stored. */
  note(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32, held: bool = true): void {
    if (this.noted == MAX_NOTED) {
      this.metrics.increase(Metric.EVENTS_LOST, 1);
      return;
    }
    const event = changetype<Event>(NOTED + <usize>(this.noted++ * EVENT_SIZE));
    event.write(version, time, type, cause, id, idLength, held);
    if (version > this.lastVersion) this.lastVersion = version;
  }

  /** Announces what was noted. Whatever happens here never stops the change itself. */
  announce(): void {
    this.announcedFrom = this.next;
    if (this.noted == 0) return;
    if (this.place < 0 && !this.open()) {
      this.metrics.increase(Metric.EVENTS_LOST, this.noted);
      this.noted = 0;
      return;
    }
    for (let i = 0; i < this.noted; i++) {
      const start = segmentStart(this.next);
      const segment = this.segment(start);
      if (segment.first != start || this.next == start) segment.begin(start);
      memory.copy(changetype<usize>(segment.at(<u32>(this.next - start))), NOTED + <usize>(i * EVENT_SIZE), EVENT_SIZE);
      this.next++;
      segment.count = <u32>(this.next - start);
      if (segment.count == SEGMENT_EVENTS) this.write(start);
    }
    this.noted = 0;
    if (segmentStart(this.next) != this.next) this.write(segmentStart(this.next));
  }

  /** The page was stored: what was announced has happened. */
  confirm(): void {
    if (this.announcedFrom == this.next) return;
    for (let start = segmentStart(this.announcedFrom); start < this.next; start += SEGMENT_EVENTS) {
      const segment = this.segment(start);
      segment.confirmed = segment.count;
      this.write(start);
    }
    this.announcedFrom = this.next;
  }

  /** The page was not stored: what was announced has not happened. */
  retract(): void {
    if (this.announcedFrom == this.next) return;
    for (let start = segmentStart(this.announcedFrom); start < this.next; start += SEGMENT_EVENTS) {
      const segment = this.segment(start);
      segment.count = segment.confirmed;
      this.write(start);
    }
    this.next = this.announcedFrom;
  }

  /** To be called now and then: keeps this outbox's place. */
  tick(): void {
    if (this.place < 0) return;
    const now = this.clock.nowSeconds();
    if (now < this.lastSignOfLife + SIGN_OF_LIFE_SECONDS && now >= this.lastSignOfLife) return;
    this.lastSignOfLife = now;
    this.writers.signOfLife(this.place, now);
  }

  /** Takes a place and goes on where its last holder, if there was one, has stopped. */
  private open(): bool {
    const now = this.clock.nowSeconds();
    const place = this.writers.take(now);
    if (place < 0) return false;
    this.place = place;
    this.lastSignOfLife = now;
    this.ring = heap.alloc(RING_SEGMENTS * SEGMENT_SIZE);
    memory.fill(this.ring, 0, RING_SEGMENTS * SEGMENT_SIZE);
    for (let number: u32 = 0; number < RING_SEGMENTS; number++) {
      const segment = changetype<Segment>(this.ring + <usize>(number * SEGMENT_SIZE));
      this.key.select(outboxSegment(place, <u64>number * SEGMENT_EVENTS));
      const address = changetype<usize>(segment);
      if (this.sharedStore.read(this.key.start, this.key.length, address, SEGMENT_SIZE) != StoreResult.Ok) continue;
      if (!segment.is(segment.first, this.sharedStore.length)) {
        segment.begin(0);
        continue;
      }
      if (segment.confirmed < segment.count) this.disown(segment);
      const end = segment.first + segment.count;
      if (end > this.next) this.next = end;
      if (segment.count > 0) this.rise(segment.at(segment.count - 1).version);
    }
    this.announcedFrom = this.next;
    return true;
  }

  /** What a last holder announced and never confirmed has not happened, as far as anybody knows. */
  private disown(segment: Segment): void {
    for (let place = segment.confirmed; place < segment.count; place++) segment.at(place).type = EventType.NONE;
    segment.confirmed = segment.count;
    this.write(segment.first);
  }

  private rise(version: u64): void {
    if (version > this.lastVersion) this.lastVersion = version;
  }

  private segment(start: u64): Segment {
    const number = <u32>(start / SEGMENT_EVENTS) % RING_SEGMENTS;
    return changetype<Segment>(this.ring + <usize>number * <usize>SEGMENT_SIZE);
  }

  private write(start: u64): void {
    this.key.select(outboxSegment(this.place, start));
    this.sharedStore.overwrite(this.key.start, this.key.length, changetype<usize>(this.segment(start)), SEGMENT_SIZE);
  }
}

export function outboxKey(cacheName: string): StoreKey {
  return new StoreKey(cacheName, "events/outbox", true);
}

/** The number, for its key, of the segment of a writer that holds an index. */
export function outboxSegment(place: i32, index: u64): u32 {
  return ((<u32>place) << 16) | (<u32>(index / SEGMENT_EVENTS) % RING_SEGMENTS);
}

/** 1024 events between two collections. */
export const RING_SEGMENTS: u32 = 64;
/** More than one page can hold, so that no single change has more. */
const MAX_NOTED: i32 = 512;
const NOTED: usize = memory.data(28672, 8);
