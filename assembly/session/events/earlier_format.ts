/**
 * The events of the earlier format. A module that is being replaced goes on writing them as long as its connections live, to
 * outboxes of its own, and collects them in a log of its own. Both are read here, so an update in place loses nothing;
 * neither is written.
 *
 * Outboxes "events/outbox" + u32 (place << 16 | segment % 64), log "events/log" + u32 (segment % 512), segments of 912 bytes
 * with 16 events of 56 bytes each. Writers "events/writers": 64 x u64 last sign of life, 0 = never taken. Head
 * "events/head": `EarlierHead`, at POSITIONS_OFFSET 64 x u64 index of the next event to be collected.
 */
import { SharedStore } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { MAX_ID_LENGTH } from "../record/session";
import { Event } from "./event";
import { Segment, SEGMENT_EVENTS, segmentStart } from "./segment";

export class EarlierFormat {
  private readonly writers: StoredValue;
  private readonly head: StoredValue;
  private readonly outbox: StoredValue;
  private readonly log: StoredValue;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.writers = new StoredValue(cacheName, "events/writers", sharedStore);
    this.head = new StoredValue(cacheName, "events/head", sharedStore);
    this.outbox = new StoredValue(cacheName, "events/outbox", sharedStore);
    this.log = new StoredValue(cacheName, "events/log", sharedStore);
  }

  free(): void {
    this.writers.free();
    this.head.free();
    this.outbox.free();
    this.log.free();
  }

  /** Reads the table of writers; false if there was no such module. `isUsed` is valid until the next call. */
  loadWriters(): bool {
    return this.writers.readWhole(WRITERS_TABLE, WRITERS_SIZE);
  }

  /** Whether the writer of a place may have written recently. */
  isUsed(place: i32, nowSeconds: u64): bool {
    const seen = load<u64>(WRITERS_TABLE + ((<usize>place) << 3));
    return seen != 0 && seen + GONE_SECONDS > nowSeconds;
  }

  /** Reads the head of its log; false if there is none. `next`, `making` and `position` are valid until the next call. */
  loadHead(): bool {
    return this.head.readWhole(HEAD, HEAD_SIZE);
  }

  get next(): u64 {
    return changetype<EarlierHead>(HEAD).next;
  }

  get making(): u64 {
    return changetype<EarlierHead>(HEAD).making;
  }

  position(place: i32): u64 {
    return load<u64>(HEAD + POSITIONS_OFFSET + ((<usize>place) << 3));
  }

  /** Reads the segment of a writer at an index, or a later one that has overwritten it; false if there is none. */
  readOutbox(place: i32, index: u64, into: Segment): bool {
    this.outbox.select(((<u32>place) << 16) | (<u32>(index / SEGMENT_EVENTS) % OUTBOX_SEGMENTS));
    return readSegment(this.outbox, into);
  }

  /** Reads the segment of its log in which a sequence number lies; false if it is lost. */
  readLog(sequence: u64, into: Segment): bool {
    this.log.select(<u32>(sequence / SEGMENT_EVENTS) % LOG_SEGMENTS);
    return readSegment(this.log, into) && into.first == segmentStart(sequence);
  }
}

function readSegment(value: StoredValue, into: Segment): bool {
  if (!value.readWhole(READ, SEGMENT_SIZE)) return false;
  const segment = changetype<EarlierSegment>(READ);
  const count = segment.count;
  const confirmed = segment.confirmed;
  if (count > SEGMENT_EVENTS || confirmed > count) return false;
  into.begin(segment.first);
  for (let place: u32 = 0; place < count; place++) {
    const event = changetype<EarlierEvent>(READ + EVENTS_OFFSET + <usize>(place * EVENT_SIZE));
    const id = changetype<usize>(event) + ID_OFFSET;
    const idLength = min<i32>(event.idLength, MAX_ID_LENGTH);
    const converted = changetype<Event>(CONVERTED);
    converted.write(event.version, event.time, event.type, event.cause, id, idLength);
    if (event.unheld != 0) converted.markUnheld();
    into.append(converted);
  }
  into.confirmed = <u16>confirmed;
  return true;
}

/** The head of the log; the positions of writers follow at POSITIONS_OFFSET. */
@unmanaged
class EarlierHead {
  next: u64;
  making: u64;
}

/** The header of a segment; the events follow at EVENTS_OFFSET. */
@unmanaged
class EarlierSegment {
  first: u64;
  count: u32;
  confirmed: u32;
}

/** An event, EVENT_SIZE bytes; the ID is at ID_OFFSET. */
@unmanaged
class EarlierEvent {
  version: u64;
  time: u64;
  type: u8;
  cause: u8;
  idLength: u8;
  unheld: u8;
}

export const EARLIER_WRITERS: i32 = 64;
export const OUTBOX_SEGMENTS: u32 = 64;
const LOG_SEGMENTS: u32 = 512;
/** A writer shows a sign of life once a minute. */
const GONE_SECONDS: u64 = 700;
const WRITERS_SIZE: i32 = 512;
const POSITIONS_OFFSET: usize = 32;
const HEAD_SIZE: i32 = 544;
const EVENTS_OFFSET: usize = 16;
const EVENT_SIZE: u32 = 56;
const ID_OFFSET: usize = 24;
const SEGMENT_SIZE: i32 = 912;
const WRITERS_TABLE: usize = memory.data(512, 8);
const HEAD: usize = memory.data(544, 8);
const READ: usize = memory.data(912, 8);
const CONVERTED: usize = memory.data(56, 8);
