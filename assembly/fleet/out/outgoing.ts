/**
 * Tells other proxies what happens here. Events of the log only name IDs to look at: the present state of each goes out, so
 * nothing is queued but the log's own place, and a record that changes often goes out once.
 *
 * If events were lost, the journal has forgotten something, or another machine has become the leader, a walk over all pages
 * tells again whatever is here. Such a walk also makes room in the journal: once it is stored, earlier batches of this proxy
 * are not needed any more.
 *
 * Cost: a slice for each call. Nothing here is on the path of a connection.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { Cache } from "../../session/cache";
import { EventReader } from "../../session/events/event_log";
import { Event, EventType } from "../../session/events/event";
import { Entry } from "../../session/pages/entry";
import { EventCause } from "../../session/record/event_cause";
import { PAGE_CAPACITY } from "../../session/pages/page";
import { PastFlush } from "../../session/past_flushes";
import { learns } from "../../session/settings/mode";
import { Deadline } from "../../work/job";
import { FleetMetric, Retelling, ToldKind } from "../state/metrics";
import { RecordFlag, RecordType } from "../records/batch";
import { tellEntry } from "../records/told";
import { Progress } from "../state/progress";
import { Sender } from "./sender";

export class Outgoing {
  /** The last event that was looked at. */
  private readUpTo: u64 = 0;
  private making: u64 = 0;
  /** The next page of a walk. */
  private page: u32 = 0;
  private isWalking: bool = false;
  private walksSessions: bool = false;
  private isIncomplete: bool = false;
  /** Batches up to this revision are not needed after the walk, 0 if they are. */
  private olderThan: u64 = 0;
  /** Whether a walk is to begin, and whether it is to tell sessions. */
  private isWanted: bool = false;
  private wantsSessions: bool = false;
  private storedAtWalk: u64 = 0;
  /** Learned sessions were not told, as the mode does not let the cache learn. */
  private hasUntold: bool = false;
  /** The stamp of the last flush that was told. */
  private flushedUpTo: u64 = 0;
  /** Whether events were left at the last look. */
  private hasUnread: bool = false;
  /** Of these, as of the last count; and when the first one of a decision came, nanoseconds since 1970. */
  private unreadDecisions: u64 = 0;
  private unreadSessions: u64 = 0;
  private unreadSince: u64 = 0;
  /** For a page, or an ID. */
  private readonly buffer: usize = heap.alloc(PAGE_CAPACITY);
  private walkedAt: u64 = 0;

  constructor(
    private readonly cache: Cache,
    private readonly metrics: Metrics,
    private readonly progress: Progress,
    readonly decisions: Sender,
    /** Null if learned sessions are not told. */
    readonly sessions: Sender | null,
  ) {
    // A leader before may have ended amid a walk that tells whatever was lost.
    if (progress.making == 0 || progress.tellsAll) this.tellAgain(0);
  }

  free(): void {
    heap.free(this.buffer);
  }

  /** Has a walk tell everything again, sessions included. `cause`: one of `Resync` or `Retelling`, 0 for none to count. */
  tellAgain(cause: u8): void {
    if (cause != 0) this.metrics.increase(FleetMetric.RESYNCS + <i32>cause, 1);
    this.isWanted = true;
    this.wantsSessions = true;
  }

  /** Gathers records, with settings just read; closes batches that are due, until the deadline has passed. Returns whether more is to be done. */
  work(now: u64, revision: u64, deadline: Deadline): bool {
    if (this.hasUntold && learns(this.cache.settings.mode)) {
      this.hasUntold = false;
      this.tellAgain(0);
    }
    this.gatherFlushes(now);
    const isMore = this.readEvents(now, deadline);
    this.close(now);
    if (isMore) return true;
    if (this.isWanted || this.isRoomWanted(now)) this.beginWalk(now, revision);
    if (!this.isWalking) return false;
    while (!deadline.passed) {
      if (!this.walkOn(now)) return false;
      if (!this.isWalking) return false;
    }
    return true;
  }

  /** The revision up to which earlier batches may be deleted now, 0 for none; taken by that. */
  takeOlder(): u64 {
    if (this.isWalking || this.olderThan == 0 || !this.decisions.isEmpty) return 0;
    const revision = this.olderThan;
    this.olderThan = 0;
    return revision;
  }

  /** The journal is read anew: earlier batches are no longer known to be superseded. */
  keepOlder(): void {
    this.olderThan = 0;
    this.isIncomplete = true;
  }

  /**
   * Decisions that the journal has not stored, as of the last `countUnread`. Events that were not looked at count one by one, so
   * a session that has changed often counts often.
   */
  get pendingDecisions(): u64 {
    return <u64>this.decisions.pending + this.unreadDecisions;
  }

  get pendingSessions(): u64 {
    const sessions = this.sessions;
    return sessions ? <u64>sessions.pending + this.unreadSessions : 0;
  }

  /** When the oldest record came that is not stored yet: nanoseconds since 1970, 0 if there is none. */
  get oldest(): u64 {
    const sessions = this.sessions;
    const ofSessions: u64 = sessions ? sessions.oldest : 0;
    return earlier(earlier(ofSessions, this.decisions.oldest), this.unreadSince);
  }

  /**
   * Counts the events that were not looked at, of which there are some only while the journal stores too little: for `GET
   * /v1/fleet`. Those behind the deadline count as decisions. Costs a look at each.
   */
  countUnread(now: u64, deadline: Deadline): void {
    this.unreadDecisions = 0;
    this.unreadSessions = 0;
    this.unreadSince = 0;
    const log = this.cache.events.log;
    if (!this.hasUnread || !log.load(now)) return;
    const next = log.next;
    const reader = new EventReader(log, this.readUpTo);
    while (!deadline.passed) {
      const event = reader.next();
      if (!event) return;
      if (!isTold(event)) continue;
      if (isOfDecision(event)) {
        this.unreadDecisions++;
        if (this.unreadSince == 0) this.unreadSince = cameAt(event, now);
      } else {
        this.unreadSessions++;
      }
    }
    this.unreadDecisions += next > reader.sequence + 1 ? next - 1 - reader.sequence : 0;
  }

  /** Keeps the place in the log up to which everything is stored. */
  keepPlace(): void {
    if (this.making == 0) return;
    let upTo = this.decisions.storedUpTo;
    const sessions = this.sessions;
    if (sessions) upTo = min(upTo, sessions.storedUpTo);
    this.progress.moveTo(this.making, upTo);
  }

  /** Gathers the flushes of this proxy that were not told yet. */
  private gatherFlushes(now: u64): void {
    let flush = this.cache.pastFlushes.nextOwn(this.flushedUpTo);
    while (flush && this.decisions.hasRoom) {
      this.flushedUpTo = flush.stamp;
      this.tellFlush(flush);
      this.decisions.noteGathered(ToldKind.FLUSH, now);
      flush = this.cache.pastFlushes.nextOwn(this.flushedUpTo);
    }
  }

  private tellFlush(flush: PastFlush): void {
    const batch = this.decisions.batch;
    store<u64>(this.buffer, flush.before);
    const record = batch.append(RecordType.FLUSH, RecordFlag.STAMPED, this.buffer, FLUSH_ID_LENGTH);
    store<u64>(record.id - 8, flush.stamp);
    record.time = <u32>flush.time;
    batch.until = max(batch.until, flush.time + <u64>this.cache.settings.removedSeconds);
  }

  private readEvents(now: u64, deadline: Deadline): bool {
    const log = this.cache.events.log;
    if (!log.load(now)) return false;
    if (this.making != log.making) {
      const known = this.progress.making == log.making;
      this.making = log.making;
      // If nobody has told of this log yet, the walk tells what its events would.
      this.readUpTo = known ? this.progress.sequence : log.next - 1;
      this.decisions.storedUpTo = this.readUpTo;
      const sessions = this.sessions;
      if (sessions) sessions.storedUpTo = this.readUpTo;
    }
    const next = log.next;
    const reader = new EventReader(log, this.readUpTo);
    let isMore = false;
    while (true) {
      if (!this.hasRoom || deadline.passed) {
        isMore = this.hasRoom;
        break;
      }
      const event = reader.next();
      this.readUpTo = reader.sequence;
      if (!event) break;
      this.look(event, now);
    }
    this.hasUnread = next > this.readUpTo + 1;
    if (reader.missed > 0) this.tellAgain(Retelling.MISSED);
    return isMore;
  }

  private get hasRoom(): bool {
    const sessions = this.sessions;
    return this.decisions.hasRoom && (!sessions || sessions.hasRoom);
  }

  /** Gathers the present state of an event's session. */
  private look(event: Event, now: u64): void {
    if (!isTold(event)) return;
    const since = cameAt(event, now);
    const idLength = <i32>event.idLength;
    const id = this.buffer;
    memory.copy(id, event.id, idLength);
    const page = this.cache.pages.open(id, idLength);
    if (!page) return;
    this.cache.pages.moment.take();
    const entry = page.find(id, idLength);
    if (entry) this.gather(entry, since, false);
  }

  /** Gathers a record that is to be told since a time, if other proxies need it. */
  private gather(entry: Entry, since: u64, everybodys: bool): void {
    const cache = this.cache;
    const moment = cache.pages.moment;
    if (entry.isTombstone || entry.stamp != 0) {
      if (!entry.isOwn && !everybodys) return;
      if (entry.isTombstone ? entry.isHidden || !entry.refusesAt(moment) : moment.seconds > entry.expiry) return;
      if (!entry.isTombstone && cache.settings.flushed(entry.generation, entry.expiry)) return;
      tellEntry(this.decisions.batch, entry, cache);
      this.decisions.noteGathered(entry.isTombstone ? ToldKind.REMOVAL : ToldKind.SESSION, since);
      return;
    }
    const sessions = this.sessions;
    if (!sessions || !entry.isOwn || moment.seconds > entry.expiry) return;
    if (!learns(cache.settings.mode)) {
      this.hasUntold = true;
      return;
    }
    if (cache.settings.flushed(entry.generation, entry.expiry)) return;
    // Others take it for one of before the flush.
    if (cache.pastFlushes.reachObserved(entry.time, entry.expiry)) return;
    tellEntry(sessions.batch, entry, cache);
    sessions.noteGathered(ToldKind.OBSERVED, since);
  }

  private close(now: u64): void {
    this.decisions.close(now, this.readUpTo);
    const sessions = this.sessions;
    if (sessions) sessions.close(now, this.readUpTo);
  }

  /** Whether the small batches since the last walk are worth one: many after a minute, some after ten. */
  private isRoomWanted(now: u64): bool {
    if (this.isWalking) return false;
    if (this.walkedAt == 0) this.walkedAt = now;
    const batches = this.decisions.batches - this.storedAtWalk;
    const least = now - this.walkedAt >= LONG_NANOSECONDS ? 2 : MANY_BATCHES;
    return batches >= least && now - this.walkedAt >= SHORT_NANOSECONDS;
  }

  private beginWalk(now: u64, revision: u64): void {
    this.cache.pages.directory.refreshAll();
    this.isWalking = true;
    this.isIncomplete = false;
    this.walksSessions = this.wantsSessions && this.sessions != null;
    this.page = 0;
    this.olderThan = revision;
    this.isWanted = false;
    this.wantsSessions = false;
    this.storedAtWalk = this.decisions.batches;
    this.walkedAt = now;
    this.flushedUpTo = 0;
  }

  /** Tells one page; false if it has to wait for room. */
  private walkOn(now: u64): bool {
    const pages = this.cache.pages;
    const number = pages.directory.next(this.page);
    if (number == pages.count) {
      this.isWalking = false;
      // Without a revision, nothing is deleted.
      if (this.isIncomplete) this.olderThan = 0;
      return true;
    }
    const sessions = this.sessions;
    if (!this.decisions.hasRoomForPage || (sessions && !sessions.hasRoomForPage)) {
      this.close(now);
      if (!this.decisions.hasRoomForPage || (sessions && !sessions.hasRoomForPage)) return false;
    }
    const page = pages.readInto(number, this.buffer);
    if (!page) {
      this.isIncomplete = true;
      this.page = number + 1;
      return true;
    }
    const moment = pages.moment;
    moment.take();
    // Its removals have no records, so earlier batches are their only ones.
    if (page.saturatedAt(moment)) this.isIncomplete = true;
    const everybodys = this.progress.tellsAll;
    let entry = page.first();
    while (entry) {
      if (entry.isTombstone || entry.stamp != 0 || this.walksSessions) this.gather(entry, now, everybodys);
      entry = page.after(entry);
    }
    this.page = number + 1;
    return true;
  }
}

/** Whether other proxies may need the session of an event. */
function isTold(event: Event): bool {
  const type = event.type;
  if (event.idLength == 0 || type < EventType.NEW || type > EventType.FLUSHED) return false;
  return type != EventType.EVICTED && type != EventType.EXPIRED;
}

/** Whether an event is of a removal, or of a session that was put in by hand. */
function isOfDecision(event: Event): bool {
  return event.type == EventType.REMOVED || event.type == EventType.FLUSHED || event.cause == EventCause.API;
}

/** When an event came, in nanoseconds; at most a second too late, as events have seconds. */
function cameAt(event: Event, now: u64): u64 {
  return min((event.time + 1) * NANOSECONDS_PER_SECOND, now);
}

/** Returns the earlier one of two times; 0 is none. */
export function earlier(one: u64, other: u64): u64 {
  return one == 0 || other == 0 ? max(one, other) : min(one, other);
}

const FLUSH_ID_LENGTH: i32 = 8;
const MANY_BATCHES: u64 = 500;
const SHORT_NANOSECONDS: u64 = 60_000_000_000;
const LONG_NANOSECONDS: u64 = 10 * SHORT_NANOSECONDS;
