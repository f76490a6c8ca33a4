/**
 * Posts the events of a cache in batches, from one of the virtual machines that share it. The receiver gets the JSON of
 * `GET /v1/events`, and each event at least once; `seq` shows repetitions.
 *
 * The shared store holds the last accepted event, so another machine can go on where this one stops. A batch that is not
 * accepted is sent again after 1 second, then 2, 4 ... up to a minute; the log has one line for each row of failures. The
 * log of events bounds the backlog: the `missed` of the next batch counts events that fell out of it.
 */
import { JsonWriter } from "../json/writer";
import { Delivery, EventSink } from "../ports/event_sink";
import { Log, LogLevel } from "../ports/log";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { Cache } from "../session/cache";
import { EventReader } from "../session/events/event_log";
import { StoreKey } from "../shared/store_key";
import { Lease } from "../shared/lease";
import { Metric } from "../session/counting/statistics";
import { EventFilter } from "./fields/event_filter";
import { EventList, EventMarks } from "./answers/event_json";

export class EventPoster {
  private readonly key: StoreKey;
  private readonly lease: Lease;
  /** Sequence number of the last event of the batch under way. */
  private sent: u64 = 0;
  private underWay: bool = false;
  private sentAt: u64 = 0;
  private failures: i32 = 0;
  private notBefore: u64 = 0;

  constructor(
    private readonly cache: Cache,
    private readonly sharedStore: SharedStore,
    private readonly sink: EventSink,
    private readonly log: Log,
  ) {
    const name = cache.settings.cacheName;
    this.key = new StoreKey(name, "events/posted", false);
    this.lease = new Lease(name, "events/poster", sharedStore);
  }

  free(): void {
    this.key.free();
    this.lease.free();
  }

  /** Notes the result of the last batch and sends the next, if they are due. */
  tick(): void {
    const now = this.cache.clock.nowNanoseconds();
    if (!this.lease.held(now)) return;
    if (this.underWay && !this.settle(now)) return;
    if (now < this.notBefore && this.notBefore - now <= MAX_WAIT_NANOSECONDS) return;
    // Events that the sequencer has not collected yet go with the next batch.
    const log = this.cache.events.log;
    if (!log.load(now)) return;
    const reader = new EventReader(log, this.accepted(log.making));
    if (reader.sequence + 1 >= log.next) return;
    const json = new JsonWriter();
    new EventList(json, reader, ALL_EVENTS, MAX_EVENTS_PER_BATCH, new EventMarks(this.cache, log)).step(null);
    this.sent = reader.sequence;
    this.sentAt = now;
    this.underWay = this.sink.send(json.pointer, json.length);
    if (!this.underWay) this.noteFailure(now, this.sink.fault);
  }

  /** Notes the result of the batch; false while it is still under way. */
  private settle(now: u64): bool {
    const state = this.sink.state;
    // If the clock was set back, this is a very long time, and the batch is sent twice.
    const isGone = now - this.sentAt > MAX_CALL_NANOSECONDS;
    if (state == Delivery.UnderWay && !isGone) return false;
    this.underWay = false;
    if (state != Delivery.Accepted) {
      this.noteFailure(now, state == Delivery.UnderWay ? NO_END : this.sink.fault);
      return true;
    }
    this.failures = 0;
    this.notBefore = 0;
    if (!this.cache.events.log.load(now)) return true;
    ACCEPTED.making = this.cache.events.log.making;
    ACCEPTED.sequence = this.sent;
    this.sharedStore.overwrite(this.key.start, this.key.length, changetype<usize>(ACCEPTED), ACCEPTED_SIZE);
    return true;
  }

  private noteFailure(now: u64, why: string): void {
    this.cache.metrics.increase(Metric.EVENT_POSTS_FAILED, 1);
    if (this.failures == 0) this.log.write(LogLevel.Error, FAILED + why + KEPT);
    const wait = min(NANOSECONDS_PER_SECOND << (<u64>min(this.failures, 6)), MAX_WAIT_NANOSECONDS);
    this.failures++;
    this.notBefore = now + wait;
  }

  /** Returns the sequence number of the last event that was accepted; 0 if none of this log was. */
  private accepted(making: u64): u64 {
    const value = changetype<usize>(ACCEPTED);
    const result = this.sharedStore.read(this.key.start, this.key.length, value, ACCEPTED_SIZE);
    if (result != StoreResult.Ok || this.sharedStore.length != ACCEPTED_SIZE || ACCEPTED.making != making) return 0;
    return ACCEPTED.sequence;
  }
}

/** The value in the store. */
@unmanaged
class AcceptedEvents {
  /** Making of the log. */
  making: u64;
  /** Sequence number of the last event that was accepted. */
  sequence: u64;
}

/** Three times the timeout of a call of the host (`host/adapters/http_call.ts`). */
const MAX_CALL_NANOSECONDS: u64 = 15 * NANOSECONDS_PER_SECOND;
const NO_END: string =
  "the host does not report the end of a call; allow proxy_on_http_call_response in allowed_capabilities of this filter";
const FAILED: string = "events: nothing is delivered: ";
const KEPT: string = "; they are kept in the log, as many as it holds, and sent again";
const MAX_EVENTS_PER_BATCH: i32 = 200;
const ALL_EVENTS: EventFilter = new EventFilter();
const MAX_WAIT_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
const ACCEPTED_SIZE: i32 = 16;
const ACCEPTED: AcceptedEvents = changetype<AcceptedEvents>(memory.data(ACCEPTED_SIZE, 8));
