/**
 * Sends the events of a cache away in batches, by one of the virtual machines that share it: the receiver gets the same
 * JSON as `GET /v1/events` answers with, and each event at least once (`seq` tells a repetition).
 *
 * What was accepted is kept in the shared store, so another machine goes on where this one has stopped. A batch that is
 * not accepted is sent again, after 1 second, then 2, 4 ... up to a minute. What waits is bounded by the log: events
 * that fall out of it meanwhile are counted in the next batch's `missed`.
 *
 * Value in the store, little-endian: 0 u64 making of the log, 8 u64 sequence number of the last event accepted.
 */
import { JsonWriter } from "../json/writer";
import { Delivery, EventSink } from "../ports/event_sink";
import { SharedStore } from "../ports/shared_store";
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { Cache } from "../session/cache";
import { EventReader } from "../session/events/event_log";
import { Lease } from "../shared/lease";
import { StoredValue } from "../shared/stored_value";
import { Metric } from "../session/counting/statistics";
import { EventFilter } from "./fields/event_filter";
import { EventList, EventMarks } from "./answers/event_json";

export class EventPoster {
  private readonly value: StoredValue;
  private readonly lease: Lease;
  /** Last event of the batch that is under way. */
  private sent: u64 = 0;
  private underWay: bool = false;
  private failures: i32 = 0;
  private notBefore: u64 = 0;

  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    private readonly sink: EventSink,
  ) {
    const name = cache.settings.cacheName;
    this.value = new StoredValue(name, "events/posted", sharedStore);
    this.lease = new Lease(name, "events/poster", sharedStore);
  }

  free(): void {
    this.value.free();
    this.lease.free();
  }

  /** Does what is due: notes what became of the last batch, sends the next. */
  tick(): void {
    const now = this.cache.clock.nowNanoseconds();
    if (!this.lease.acquireOrRenew(now)) return;
    if (this.underWay && !this.settle(now)) return;
    if (now < this.notBefore && this.notBefore - now <= LONGEST_WAIT_NANOSECONDS) return;
    // What the sequencer has not collected yet is sent with the next batch.
    const log = this.cache.events.log;
    if (!log.load(now)) return;
    const reader = new EventReader(log, this.accepted(log.making));
    if (reader.sequence + 1 >= log.next) return;
    const json = new JsonWriter();
    new EventList(json, reader, ALL_EVENTS, BATCH, new EventMarks(this.cache, log)).step(null);
    this.sent = reader.sequence;
    this.underWay = this.sink.send(json.pointer, json.length);
    if (!this.underWay) this.failed(now);
  }

  /** Notes what became of the batch; false while that is open. */
  private settle(now: u64): bool {
    const state = this.sink.state;
    if (state == Delivery.UnderWay) return false;
    this.underWay = false;
    if (state != Delivery.Accepted) {
      this.failed(now);
      return true;
    }
    this.failures = 0;
    this.notBefore = 0;
    if (!this.cache.events.log.load(now)) return true;
    store<u64>(VALUE, this.cache.events.log.making);
    store<u64>(VALUE, this.sent, 8);
    this.value.overwrite(VALUE, VALUE_SIZE);
    return true;
  }

  private failed(now: u64): void {
    this.cache.metrics.increase(Metric.EVENT_POSTS_FAILED, 1);
    const wait = min(NANOSECONDS_PER_SECOND << (<u64>min(this.failures, 6)), LONGEST_WAIT_NANOSECONDS);
    this.failures++;
    this.notBefore = now + wait;
  }

  /** Sequence number of the last event that was accepted, 0 where none of this log was. */
  private accepted(making: u64): u64 {
    if (!this.value.readWhole(VALUE, VALUE_SIZE) || load<u64>(VALUE) != making) return 0;
    return load<u64>(VALUE, 8);
  }
}

const BATCH: i32 = 200;
const ALL_EVENTS: EventFilter = new EventFilter();
const LONGEST_WAIT_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
const VALUE_SIZE: i32 = 16;
const VALUE: usize = memory.data(16, 8);
