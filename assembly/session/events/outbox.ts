/**
 * Where one filter of one virtual machine puts the events of a cache: a ring of segments in the shared store that nobody else
 * writes, so that no handshake ever contends for a log. The sequencer collects from here.
 *
 * An event is *announced* before its page is stored and *confirmed* afterwards. So whoever sees an event of an ID can
 * also see every earlier event of that ID, at least as announced, whichever machine it came from: a later change of
 * a page is made by one that has read the earlier one, whose event was announced by then. Versions ascend for each page
 * and for each outbox (Lamport's clocks), which makes collecting in the order of versions right for each ID.
 *
 * Bounds: RING_SEGMENTS segments in the store, 58 KB and the names, 157 KB at most; one of them is kept here too. What
 * is overwritten before it was collected is counted as missed by the sequencer; work that makes many events at once waits
 * before it comes to that (`isCrowded`). Cost of a change: two writes of 1 to 2 KB that meet nobody.
 */
import { Clock } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { Metric } from "../counting/statistics";
import { Event, EVENT_SIZE, EventNames, MAX_EVENT_NAMES } from "./event";
import { Segment, SEGMENT_CAPACITY, SEGMENT_EVENTS, segmentStart } from "./segment";
import { SIGN_OF_LIFE_SECONDS, STALE_SECONDS, Writers } from "./writers";

export class Outbox {
  /** The highest version of an event of this outbox. */
  lastVersion: u64 = 0;
  /** Of whom the next event that is noted tells; empty again afterwards. */
  readonly about: EventNames = new EventNames();
  /** Its place among the writers, -1 where it has none at the moment. */
  place: i32 = -1;
  /** The index behind the last event that is known to have been collected. */
  collected: u64 = 0;
  private readonly writers: Writers;
  private readonly value: StoredValue;
  /** The segment in which `next` lies, or the one before where that is full. */
  private tail: usize = 0;
  private next: u64 = 0;
  private announcedFrom: u64 = 0;
  private noted: i32 = 0;
  private notedNames: usize = NOTED_NAMES;
  private lastSignOfLife: u64 = 0;
  private lastUse: u64 = 0;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {
    this.writers = new Writers(cacheName, sharedStore);
    this.value = outboxValue(cacheName, sharedStore);
  }

  /** Gives its place and its memory back. */
  free(): void {
    this.giveBack();
    this.writers.free();
    this.value.free();
    if (this.tail != 0) heap.free(this.tail);
    this.tail = 0;
  }

  /** Forgets what was noted: the page is read anew. */
  @inline
  clear(): void {
    this.noted = 0;
    this.notedNames = NOTED_NAMES;
    this.about.clear();
  }

  /** Notes what the page at hand will say once it is stored. */
  note(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32, held: bool = true): void {
    if (this.noted == MAX_NOTED) {
      this.lose(1);
      return;
    }
    const event = changetype<Event>(NOTED + <usize>(this.noted++ * EVENT_SIZE));
    event.write(version, time, type, cause, id, idLength, held);
    if (this.notedNames + <usize>MAX_EVENT_NAMES <= NOTED_END) {
      this.notedNames = event.writeNames(this.about, this.notedNames);
    }
    this.about.clear();
    if (version > this.lastVersion) this.lastVersion = version;
  }

  /** Announces what was noted. Whatever happens here never stops the change itself. */
  announce(): void {
    this.announcedFrom = this.next;
    if (this.noted == 0) return;
    if (!this.isOpen()) {
      this.lose(this.noted);
      this.noted = 0;
      return;
    }
    const tail = changetype<Segment>(this.tail);
    for (let i = 0; i < this.noted; i++) {
      const event = changetype<Event>(NOTED + <usize>(i * EVENT_SIZE));
      if (this.next != segmentStart(this.next) && !tail.hasRoom(event, MOST_NAMES)) {
        tail.fill(SEGMENT_EVENTS, event.time);
        this.write(tail);
        this.next = tail.first + <u64>SEGMENT_EVENTS;
      }
      if (this.next == segmentStart(this.next)) tail.begin(this.next);
      tail.append(event);
      this.next++;
      if (i + 1 == this.noted || segmentStart(this.next) == this.next) this.write(tail);
    }
    this.noted = 0;
  }

  /** The page is stored: what was announced has happened. */
  confirm(): void {
    const tail = changetype<Segment>(this.tail);
    for (let start = segmentStart(this.announcedFrom); start < this.next; start += SEGMENT_EVENTS) {
      if (this.announcedFrom == this.next) return;
      const segment = tail.first == start ? tail : this.readSpare(start);
      if (!segment) continue;
      segment.confirmed = segment.count;
      this.write(segment);
    }
    this.announcedFrom = this.next;
  }

  /** The page was not stored: what was announced has not happened. */
  retract(): void {
    if (this.announcedFrom == this.next) return;
    const start = segmentStart(this.announcedFrom);
    const tail = changetype<Segment>(this.tail);
    if (tail.first != start && !this.readInto(start, this.tail)) {
      // What is announced stays so, and is told as lost; another place is taken for what follows.
      this.place = -1;
      return;
    }
    tail.cut(<u32>(this.announcedFrom - start));
    this.write(tail);
    this.next = this.announcedFrom;
  }

  /**
   * Whether so much was not collected yet, as far as is known, that whatever makes many events at once is to wait. What is left then
   * has room for the largest change and for what handshakes bring meanwhile.
   */
  @inline
  get isCrowded(): bool {
    return this.place >= 0 && this.next > this.collected + CROWDED_EVENTS;
  }

  /** To be called now and then: keeps this outbox's place as long as it is used. */
  tick(): void {
    if (this.place < 0) return;
    const now = this.clock.nowSeconds();
    if (now >= this.lastUse + IDLE_SECONDS) this.giveBack();
    else if (now >= this.lastSignOfLife + SIGN_OF_LIFE_SECONDS || now < this.lastSignOfLife) this.keep(now);
  }

  /** Shows a sign of life; a place that was taken by somebody else meanwhile is left to them. */
  private keep(now: u64): void {
    if (!this.writers.signOfLife(this.place, this.lastSignOfLife, now)) this.place = -1;
    else if (this.writers.shown) this.lastSignOfLife = now;
  }

  private giveBack(): void {
    if (this.place >= 0) this.writers.giveBack(this.place, this.lastSignOfLife, this.next);
    this.place = -1;
  }

  /** Makes sure of a place; false where none is to be had. */
  private isOpen(): bool {
    const now = this.clock.nowSeconds();
    this.lastUse = now;
    // A machine that stood still for so long may have lost its place.
    if (this.place >= 0 && now > this.lastSignOfLife + STALE_SECONDS / 2) this.keep(now);
    return this.place >= 0 || this.open(now);
  }

  /** Takes a place and goes on where its last holder, if there was one, has stopped. */
  private open(now: u64): bool {
    const place = this.writers.take(now);
    if (place < 0) return false;
    this.place = place;
    this.lastSignOfLife = now;
    if (this.tail == 0) this.tail = heap.alloc(SEGMENT_CAPACITY);
    changetype<Segment>(this.tail).begin(0);
    this.next = this.writers.end(place);
    if (!this.writers.wasGivenBack || !this.resume()) this.search();
    this.collected = 0;
    this.announcedFrom = this.next;
    return true;
  }

  /** Reads the last segment of a holder that gave the place back; false where it is not as that left it. */
  private resume(): bool {
    if (this.next == 0) return true;
    const start = segmentStart(this.next - 1);
    if (!this.readInto(start, this.tail)) return false;
    const tail = changetype<Segment>(this.tail);
    if (start + <u64>tail.count != this.next || tail.confirmed != tail.count) return false;
    this.rise(tail.at(<u32>tail.count - 1).version);
    return true;
  }

  /** Finds out where a holder that ended at any moment has stopped. */
  private search(): void {
    let last: u64 = 0;
    for (let number: u32 = 0; number < RING_SEGMENTS; number++) {
      const segment = this.readSpare(<u64>number * SEGMENT_EVENTS, true);
      if (!segment || segment.count == 0) continue;
      if (segment.confirmed < segment.count) {
        segment.disown();
        this.write(segment);
      }
      this.rise(segment.at(<u32>segment.count - 1).version);
      const end = segment.first + <u64>segment.count;
      if (end <= last) continue;
      last = end;
      memory.copy(this.tail, SPARE, segment.length);
    }
    if (last >= this.next) this.next = last;
    else this.skipSegment();
  }

  /** What the place is said to have held cannot be read: goes on behind it. */
  private skipSegment(): void {
    this.next = segmentStart(this.next + SEGMENT_EVENTS - 1);
    changetype<Segment>(this.tail).begin(this.next);
  }

  private rise(version: u64): void {
    if (version > this.lastVersion) this.lastVersion = version;
  }

  private lose(count: u64): void {
    this.metrics.increase(Metric.EVENTS_LOST, count);
    this.writers.lose(count);
  }

  /** Reads the segment of an index aside, or, with `any`, whatever the ring has in its place. */
  private readSpare(start: u64, any: bool = false): Segment | null {
    const value = this.value;
    value.select(outboxSegment(this.place, start));
    if (value.read(SPARE, SEGMENT_CAPACITY) != StoreResult.Ok) return null;
    const segment = changetype<Segment>(SPARE);
    return segment.is(any ? segment.first : start, value.length) ? segment : null;
  }

  private readInto(start: u64, buffer: usize): bool {
    const segment = this.readSpare(start);
    if (!segment) return false;
    memory.copy(buffer, SPARE, segment.length);
    return true;
  }

  private write(segment: Segment): void {
    this.value.select(outboxSegment(this.place, segment.first));
    this.value.overwrite(changetype<usize>(segment), segment.length);
  }
}

/** The segments of all outboxes, by `outboxSegment`. */
export function outboxValue(cacheName: string, sharedStore: SharedStore): StoredValue {
  return new StoredValue(cacheName, "events/2/outbox", sharedStore);
}

/** The number, for `outboxValue`, of the segment of a writer that holds an index. */
export function outboxSegment(place: i32, index: u64): u32 {
  return ((<u32>place) << 16) | (<u32>(index / SEGMENT_EVENTS) % RING_SEGMENTS);
}

/** 1024 events between two collections. */
export const RING_SEGMENTS: u32 = 64;
const CROWDED_EVENTS: u64 = 512;
/** A place is given back after so long without an event. */
const IDLE_SECONDS: u64 = 10;
/** More than one page can hold, so that no single change has more. */
const MAX_NOTED: i32 = 256;
/** Bytes of names in a segment: what more there is goes to the next, so that long names take no more memory, but places. */
const MOST_NAMES: i32 = 1536;
/** Events, then their names: together within reach of the 16 bits that an event has for where they are. */
const NOTED: usize = memory.data(65536, 8);
const NOTED_NAMES: usize = NOTED + <usize>(MAX_NOTED * EVENT_SIZE);
const NOTED_END: usize = NOTED + 65535;
const SPARE: usize = memory.data(7088, 8);
