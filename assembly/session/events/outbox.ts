/**
 * The outbox of one filter of one virtual machine for the events of a cache: a ring of segments in the shared store that
 * nobody else writes. So no handshake ever contends for a log. The sequencer collects the events.
 *
 * An event is *announced* before its page is stored and *confirmed* afterwards. So whoever sees an event of an ID can also
 * see every earlier event of that ID, at least as announced, whichever machine it came from: the machine that makes a later
 * change of a page has read the earlier one, whose event was announced by then. Versions ascend for each page and for each
 * outbox (Lamport's clocks). That makes the order of versions right for each ID. An event's version is twice its page's: it
 * counts 8 ns, as in modules whose pages did. So events stay in order when one module takes the place of another.
 *
 * Bounds: RING_SEGMENTS segments in the store, 58 KB and the names, 157 KB at most; one of them is kept here too. The
 * sequencer counts events as lost that were overwritten before it collected them; work that makes many events at once waits
 * before that happens (`isCrowded`). Cost of a change: two writes of 1 to 2 KB that meet nobody.
 */
import { Clock } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { Metric } from "../counting/statistics";
import { Event, EVENT_SIZE, EventNames, MAX_NAMES_SIZE } from "./event";
import { Segment, SEGMENT_CAPACITY, SEGMENT_EVENTS, segmentStart } from "./segment";
import { SIGN_OF_LIFE_SECONDS, STALE_SECONDS, Writers } from "./writers";

export class Outbox {
  /** The highest version of a change that has an event in this outbox. */
  lastVersion: u64 = 0;
  /** The names for the next event that is noted; empty again afterwards. */
  readonly about: EventNames = new EventNames();
  /** Its place among the writers, -1 while it has none. */
  place: i32 = -1;
  /** The index behind the last event that is known to have been collected. */
  collected: u64 = 0;
  private readonly writers: Writers;
  private readonly value: StoredValue;
  /** The segment in which `next` lies, or the one before if that is full. */
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

  /** Forgets the noted events: the page is read again. */
  @inline
  clear(): void {
    this.noted = 0;
    this.notedNames = NOTED_NAMES;
    this.about.clear();
  }

  /** Notes an event that happens when the edited page is stored. */
  note(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    if (this.noted == MAX_NOTED) {
      this.lose(1);
      return;
    }
    const event = changetype<Event>(NOTED + <usize>(this.noted++ * EVENT_SIZE));
    event.write(version << EVENT_VERSION_SHIFT, time, type, cause, id, idLength);
    if (this.notedNames + <usize>MAX_NAMES_SIZE <= NOTED_END) {
      this.notedNames = event.writeNames(this.about, this.notedNames);
    }
    this.about.clear();
    if (version > this.lastVersion) this.lastVersion = version;
  }

  /** As `note`, for the removal of an ID of which the cache holds no session. */
  noteUnheld(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    const before = this.noted;
    this.note(version, time, type, cause, id, idLength);
    if (this.noted > before) changetype<Event>(NOTED + <usize>(before * EVENT_SIZE)).markUnheld();
  }

  /** Announces the noted events. A failure never stops the change itself. */
  announce(): void {
    this.announcedFrom = this.next;
    if (this.noted == 0) return;
    if (!this.ensurePlace()) {
      this.lose(this.noted);
      this.noted = 0;
      return;
    }
    const tail = changetype<Segment>(this.tail);
    for (let i = 0; i < this.noted; i++) {
      const event = changetype<Event>(NOTED + <usize>(i * EVENT_SIZE));
      if (this.next != segmentStart(this.next) && !tail.hasRoom(event, MAX_SEGMENT_NAMES_SIZE)) {
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

  /** The page is stored: the announced events have happened. */
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

  /** The page was not stored: the announced events have not happened. */
  retract(): void {
    if (this.announcedFrom == this.next) return;
    const start = segmentStart(this.announcedFrom);
    const tail = changetype<Segment>(this.tail);
    if (tail.first != start && !this.readInto(start, this.tail)) {
      // The announced events stay so, and count as lost; later events take another place.
      this.place = -1;
      return;
    }
    tail.cut(<u32>(this.announcedFrom - start));
    this.write(tail);
    this.next = this.announcedFrom;
  }

  /**
   * Whether so many events are not collected yet, as far as is known, that work which makes many events is to wait. The rest
   * of the ring has room for the largest change, and for the events of handshakes meanwhile.
   */
  @inline
  get isCrowded(): bool {
    return this.place >= 0 && this.next > this.collected + CROWDED_EVENTS;
  }

  /** Keeps the place of this outbox as long as it is used. To be called with each tick. */
  tick(): void {
    if (this.place < 0) return;
    const now = this.clock.nowSeconds();
    if (now >= this.lastUse + IDLE_SECONDS) this.giveBack();
    else if (now >= this.lastSignOfLife + SIGN_OF_LIFE_SECONDS || now < this.lastSignOfLife) this.keep(now);
  }

  /** Shows a sign of life. A place that somebody else has taken meanwhile is left to them. */
  private keep(now: u64): void {
    if (!this.writers.signOfLife(this.place, this.lastSignOfLife, now)) this.place = -1;
    else if (this.writers.shown) this.lastSignOfLife = now;
  }

  private giveBack(): void {
    if (this.place >= 0) this.writers.giveBack(this.place, this.lastSignOfLife, this.next);
    this.place = -1;
  }

  /** Takes a place if there is none yet; false if all are in use. */
  private ensurePlace(): bool {
    const now = this.clock.nowSeconds();
    this.lastUse = now;
    // A machine that has stood still for so long may have lost its place.
    if (this.place >= 0 && now > this.lastSignOfLife + STALE_SECONDS / 2) this.keep(now);
    return this.place >= 0 || this.open(now);
  }

  /** Takes a place, and goes on from where its last holder, if any, has stopped. */
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

  /** Reads the last segment of a holder that gave the place back; false if it is not as the holder left it. */
  private resume(): bool {
    if (this.next == 0) return true;
    const start = segmentStart(this.next - 1);
    if (!this.readInto(start, this.tail)) return false;
    const tail = changetype<Segment>(this.tail);
    if (start + <u64>tail.count != this.next || tail.confirmed != tail.count) return false;
    this.rise(tail.at(<u32>tail.count - 1).version);
    return true;
  }

  /** Finds out where a holder has stopped that may have ended at any moment. */
  private search(): void {
    let last: u64 = 0;
    for (let number: u32 = 0; number < RING_SEGMENTS; number++) {
      const segment = this.readPlace(<u64>number * SEGMENT_EVENTS);
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

  /** The last segment of the place cannot be read: goes on behind it. */
  private skipSegment(): void {
    this.next = segmentStart(this.next + SEGMENT_EVENTS - 1);
    changetype<Segment>(this.tail).begin(this.next);
  }

  private rise(eventVersion: u64): void {
    const version = eventVersion >> EVENT_VERSION_SHIFT;
    if (version > this.lastVersion) this.lastVersion = version;
  }

  private lose(count: u64): void {
    this.metrics.increase(Metric.EVENTS_LOST, count);
    this.writers.lose(count);
  }

  /** Reads the segment of an index into SPARE; null if the ring does not have it. */
  private readSpare(start: u64): Segment | null {
    const segment = this.readPlace(start);
    return segment && segment.first == start ? segment : null;
  }

  /** Reads the segment that the ring has in the place of an index, into SPARE. */
  private readPlace(start: u64): Segment | null {
    const value = this.value;
    value.select(outboxSegment(this.place, start));
    if (value.read(SPARE, SEGMENT_CAPACITY) != StoreResult.Ok) return null;
    const segment = changetype<Segment>(SPARE);
    return segment.is(segment.first, value.length) ? segment : null;
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

/** The number of a writer's segment that holds an index, for `outboxValue`. */
export function outboxSegment(place: i32, index: u64): u32 {
  return ((<u32>place) << 16) | (<u32>(index / SEGMENT_EVENTS) % RING_SEGMENTS);
}

/** An event's version counts 8 ns, a page's 16. */
const EVENT_VERSION_SHIFT: u64 = 1;
/** 1024 events between two collections. */
export const RING_SEGMENTS: u32 = 64;
const CROWDED_EVENTS: u64 = 512;
/** A place is given back after so long without an event. */
const IDLE_SECONDS: u64 = 10;
/** More than one page can hold, so that no single change has more. */
const MAX_NOTED: i32 = 256;
/**
 * Bytes of names in a segment. An event with more goes to the next segment: so long names take places, and no more memory.
 */
const MAX_SEGMENT_NAMES_SIZE: i32 = 1536;
/** Events, then their names: together within reach of the 16 bits of an event's offset. */
const NOTED: usize = memory.data(65536, 8);
const NOTED_NAMES: usize = NOTED + <usize>(MAX_NOTED * EVENT_SIZE);
const NOTED_END: usize = NOTED + 65535;
const SPARE: usize = memory.data(7088, 8);
