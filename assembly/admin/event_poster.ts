/**
 * Sends the events of a cache away in batches, by one of the virtual machines that share it: the receiver gets the same
 * JSON as `GET /v1/events` answers with, and each event at least once (`seq` tells a repetition).
 *
 * What was accepted is kept in the shared store, so another machine goes on where this one has stopped. A batch that is
 * not accepted is sent again, after 1 second, then 2, 4 ... up to a minute. What waits is bounded by the log: events
 * that fall out of it meanwhile are counted in the next batch's `missed`. The log says so once for each row of failures.
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
  /** Last event of the batch that is under way. */
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

  /** Does what is due: notes what became of the last batch, sends the next. */
  tick(): void {
    const now = this.cache.clock.nowNanoseconds();
    if (!this.lease.held(now)) return;
    if (this.underWay && !this.settle(now)) return;
    if (now < this.notBefore && this.notBefore - now <= MAX_WAIT_NANOSECONDS) return;
    // What the sequencer has not collected yet is sent with the next batch.
    const log = this.cache.events.log;
    if (!log.load(now)) return;
    const reader = new EventReader(log, this.accepted(log.making));
    if (reader.sequence + 1 >= log.next) return;
    const json = new JsonWriter();
    new EventList(json, reader, ALL_EVENTS, BATCH, new EventMarks(this.cache, log)).step(null);
    this.sent = reader.sequence;
    this.sentAt = now;
    this.underWay = this.sink.send(json.pointer, json.length);
    if (!this.underWay) this.noteFailure(now, this.sink.fault);
  }

  /** Notes what became of the batch; false while that is open. */
  private settle(now: u64): bool {
    const state = this.sink.state;
    // A clock that was set back makes a very long time of it: then the batch is sent twice.
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

  /** Sequence number of the last event that was accepted, 0 where none of this log was. */
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

/** Three times what the host gives a call (`host/adapters/http_call.ts`). */
const MAX_CALL_NANOSECONDS: u64 = 15 * NANOSECONDS_PER_SECOND;
const NO_END: string =
  "the host tells no end of a call: allow proxy_on_http_call_response in allowed_capabilities of this filter";
const FAILED: string = "events: nothing is delivered: ";
const KEPT: string = "; they are kept in the log, as many as it holds, and sent again";
const BATCH: i32 = 200;
const ALL_EVENTS: EventFilter = new EventFilter();
const MAX_WAIT_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
const ACCEPTED_SIZE: i32 = 16;
const ACCEPTED: AcceptedEvents = changetype<AcceptedEvents>(memory.data(ACCEPTED_SIZE, 8));
