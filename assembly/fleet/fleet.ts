/**
 * One cache over many proxies: tells what happens here, and takes over what other proxies tell, through a journal that all
 * of them share. One virtual machine of the process does that, the leader; it is none of those that serve connections.
 *
 * A tick of the leader: the journal goes on; records that have come are taken over; records that are due are gathered and
 * stored, decisions before sessions. Nothing is queued here: the cache and its log are the queue.
 *
 * Cost: a slice for each tick; longer ones until all decisions are here first. While more is to be done than a slice, ticks
 * should come fast (`work` returns that).
 */
import { NANOSECONDS_PER_SECOND } from "../ports/clock";
import { Entropy } from "../ports/entropy";
import { Journal, JournalState, Outcome, Resync } from "../ports/journal";
import { Metrics } from "../ports/metrics";
import { SharedStore } from "../ports/shared_store";
import { Cache } from "../session/cache";
import { Metric } from "../session/counting/statistics";
import { ForeignFlush } from "../session/jobs/flush";
import { Deadline, SLICE_NANOSECONDS } from "../work/job";
import { Incoming } from "./in/incoming";
import { DECISIONS, Keys, SESSIONS } from "./records/keys";
import { Identity } from "./state/identity";
import { callsFailed, FleetMetric, Retelling } from "./state/metrics";
import { NamedDecisions } from "./named/named_decisions";
import { earlier, Outgoing } from "./out/outgoing";
import { Sender } from "./out/sender";
import { FleetOptions } from "./state/options";
import { Progress } from "./state/progress";
import { MAX_PRESENCE_LENGTH, Proxies, writePresence } from "./state/proxies";
import { StatusValue } from "./state/status";

/** The operation of the journal that is under way. */
const enum Writing {
  Nothing = 0,
  Decisions = 1,
  Sessions = 2,
  Named = 3,
  Presence = 4,
  Older = 5,
  Identity = 6,
  Deletion = 7,
}

export class Fleet {
  private readonly proxies: Proxies;
  private readonly identity: Identity;
  private readonly deadline: Deadline;
  private readonly decisions: Sender;
  private readonly sessions: Sender | null;
  private readonly outgoing: Outgoing;
  private readonly incoming: Incoming;
  private readonly named: NamedDecisions;
  private readonly keys: Keys;
  private readonly status: StatusValue;
  private readonly presence: usize = heap.alloc(MAX_PRESENCE_LENGTH);
  private writing: Writing = Writing.Nothing;
  private presentAt: u64 = 0;
  /** The last record that the presence has shown as taken over. */
  private presentMark: u64 = 0;
  private shownAt: u64 = 0;
  /** When records for other proxies were gathered last. */
  private gatheredAt: u64 = 0;
  private since: u64 = 0;
  private readonly begunAt: u64;
  private state: JournalState = JournalState.Connecting;
  /** Whether all decisions were taken over once, here or by a leader of this process before: then this proxy stays ready. */
  private isSynced: bool;
  /** Whether all decisions were taken over since the journal was read anew. */
  private hasDecisions: bool = false;
  /** Whether all keys were, sessions included. */
  private isCurrent: bool = false;
  /** Whether all keys were taken over once by this leader, or an earlier one had all decisions. */
  private hasStarted: bool;
  /** The flush of another proxy that is being carried out. */
  private flush: ForeignFlush | null = null;
  private resyncs: u64 = 0;
  private eventsLost: u64 = 0;

  /** `progress` was loaded: this machine is the leader. */
  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    private readonly journal: Journal,
    private readonly metrics: Metrics,
    private readonly progress: Progress,
    private readonly options: FleetOptions,
    entropy: Entropy,
    /** Of this module. */
    private readonly version: string,
  ) {
    const run = progress.run;
    const term = progress.terms;
    const name = options.name;
    const interval = milliseconds(options.intervalMilliseconds);
    const decisions = new Sender(DECISIONS, DECISIONS_BUCKET, interval, run, name, term);
    let sessions: Sender | null = null;
    if (options.sessions) {
      const rarer = milliseconds(options.sessionsIntervalMilliseconds);
      sessions = new Sender(SESSIONS, SESSIONS_BUCKET, rarer, run, name, term);
    }
    const proxies = new Proxies();
    const identity = new Identity(cache.settings.cacheName, sharedStore, entropy);
    const named = new NamedDecisions(cache, sharedStore, metrics, sessions, name, options.settings, run, term);
    const outgoing = new Outgoing(cache, metrics, progress, decisions, sessions);
    this.decisions = decisions;
    this.sessions = sessions;
    this.proxies = proxies;
    this.identity = identity;
    this.named = named;
    this.outgoing = outgoing;
    this.incoming = new Incoming(cache, metrics, progress, identity, proxies, named, name, options.sessions);
    this.keys = new Keys(name, run, term);
    this.status = new StatusValue(cache.settings.cacheName, sharedStore);
    this.deadline = new Deadline(cache.clock);
    const before = this.status.read();
    const wasSynced = before != null && before.run == run && before.isSynced != 0;
    this.isSynced = wasSynced;
    this.hasStarted = wasSynced;
    const now = cache.clock.nowNanoseconds();
    this.begunAt = now;
    this.since = now;
    this.eventsLost = cache.metrics.read(Metric.EVENTS_LOST);
    // Metrics begin when they are used first; whoever watches this one must see its rise from 0.
    metrics.increase(FleetMetric.SKIPPED, 0);
  }

  free(): void {
    this.journal.stop();
    this.outgoing.free();
    this.decisions.free();
    const sessions = this.sessions;
    if (sessions) sessions.free();
    this.named.free();
    this.keys.free();
    this.status.free();
    this.identity.free();
    this.proxies.free();
    heap.free(this.presence);
  }

  /** Works a slice. Returns whether more is to be done at once. */
  work(): bool {
    const now = this.cache.clock.nowNanoseconds();
    // A proxy that starts is to refuse as soon as possible, and to steer soon; it has little traffic yet.
    this.deadline.start(this.hasStarted ? SLICE_NANOSECONDS : START_SLICE_NANOSECONDS);
    this.journal.tick(now);
    this.noteState(now);
    this.settle(now);
    // While much comes in, whatever goes out has its turn all the same.
    const isDue = now - this.gatheredAt >= GATHERING_NANOSECONDS;
    let isMore = isDue && this.gather(now);
    isMore = this.takeIn() || isMore;
    if (!isDue && !this.deadline.passed) isMore = this.gather(now) || isMore;
    this.begin(now);
    this.outgoing.keepPlace();
    if (now - this.shownAt >= NANOSECONDS_PER_SECOND || this.shownAt > now) this.show(now);
    return isMore;
  }

  /** Takes over records of other proxies. Returns whether more is to be done. */
  private takeIn(): bool {
    const hasMore = this.incoming.work(this.journal, this.deadline);
    const isFlushing = this.carryOutFlushes();
    const isMore = hasMore || isFlushing;
    const isCurrent = !isMore && this.journal.state == JournalState.Following;
    if (!this.hasDecisions && !isFlushing && (isCurrent || this.incoming.isBehindDecisions)) {
      this.hasDecisions = true;
      this.isSynced = true;
      // Whoever waits for that sees it at once.
      this.shownAt = 0;
    }
    if (!this.isCurrent && isCurrent) {
      this.isCurrent = true;
      this.hasStarted = true;
    }
    return isMore;
  }

  /** Gathers records for other proxies. Returns whether more is to be done. */
  private gather(now: u64): bool {
    this.gatheredAt = now;
    this.cache.readSettings();
    this.cache.events.run(this.deadline);
    this.named.gather(now);
    return this.outgoing.work(now, this.isCurrent ? this.journal.revision : 0, this.deadline);
  }

  /** Takes out the sessions that flushes of other proxies reach. Returns whether more is to be done. */
  private carryOutFlushes(): bool {
    let flush = this.flush;
    if (!flush) {
      if (!this.cache.pastFlushes.arePending) return false;
      this.cache.readSettings();
      flush = new ForeignFlush(this.cache);
      this.flush = flush;
    }
    if (!flush.step(this.deadline)) return true;
    this.flush = null;
    return flush.failed;
  }

  /** Follows what the journal says of itself. */
  private noteState(now: u64): void {
    const journal = this.journal;
    const cause = journal.takeResync();
    if (cause != Resync.NONE) {
      this.resyncs++;
      this.hasDecisions = false;
      this.isCurrent = false;
      this.presentAt = 0;
      this.outgoing.keepOlder();
      const isTakeover = cause == Resync.START && this.progress.terms > 1;
      this.metrics.increase(FleetMetric.RESYNCS + <i32>(isTakeover ? Retelling.LEADER : cause), 1);
      this.incoming.forget();
      this.named.forget();
      this.identity.forget();
      this.proxies.clear();
      if (cause == Resync.LOST) {
        this.identity.expectOther();
        this.progress.markLost();
        this.outgoing.tellAgain(0);
      }
    }
    if (this.identity.takeLoss(now)) {
      this.resyncs++;
      this.progress.markLost();
      this.outgoing.tellAgain(Resync.LOST);
    }
    while (journal.takeFailure()) this.metrics.increase(callsFailed(journal.failedCall, journal.failedStatus), 1);
    if (journal.state != this.state) {
      this.state = journal.state;
      this.since = now;
      this.shownAt = 0;
    }
  }

  /** Takes the end of the operation that is under way. */
  private settle(now: u64): void {
    if (this.writing == Writing.Nothing) return;
    const outcome = this.journal.takeOutcome();
    if (outcome == Outcome.UnderWay) return;
    const writing = this.writing;
    this.writing = Writing.Nothing;
    if (writing == Writing.Named) return this.named.settle(outcome, this.journal);
    if (writing == Writing.Deletion) return this.named.settleDeletion(outcome, now);
    if (writing == Writing.Identity) return this.identity.settle(outcome, now);
    if (outcome != Outcome.Done) {
      if (writing == Writing.Presence) this.presentAt = 0;
      return;
    }
    if (writing == Writing.Decisions) this.decisions.noteStored(this.metrics);
    const sessions = this.sessions;
    if (writing == Writing.Sessions && sessions) sessions.noteStored(this.metrics);
  }

  /** Begins the next operation: decisions first. */
  private begin(now: u64): void {
    if (this.writing != Writing.Nothing || this.state == JournalState.Connecting) return;
    const journal = this.journal;
    if (this.decisions.send(journal)) {
      this.writing = Writing.Decisions;
      return;
    }
    if (this.hasDecisions && this.named.send(journal)) {
      this.writing = Writing.Named;
      return;
    }
    this.keys.identity();
    if (this.hasDecisions && this.identity.send(journal, this.keys.start, this.keys.length, now)) {
      this.writing = Writing.Identity;
      return;
    }
    if (this.isPresenceDue(now)) {
      const length = writePresence(this.presence, this.progress.run, now, journal.revision, this.version);
      this.keys.presence();
      const until = now / NANOSECONDS_PER_SECOND + PRESENCE_SECONDS;
      if (journal.put(this.keys.start, this.keys.length, this.presence, length, until)) {
        this.presentAt = now;
        this.presentMark = this.incoming.lastMark;
        this.writing = Writing.Presence;
        return;
      }
    }
    const sessions = this.sessions;
    if (sessions && sessions.send(journal)) {
      this.writing = Writing.Sessions;
      return;
    }
    if (this.hasDecisions && this.named.sendDeletion(journal, now)) {
      this.writing = Writing.Deletion;
      return;
    }
    const older = this.outgoing.takeOlder();
    if (older == 0) return;
    this.keys.own(DECISIONS);
    if (journal.removeOlder(this.keys.start, this.keys.length, older)) this.writing = Writing.Older;
  }

  /** The presence shows the others how far this proxy has come: it is told from time to time, and soon after a record has come. */
  private isPresenceDue(now: u64): bool {
    const age = now - this.presentAt;
    if (this.presentAt > now || age >= PRESENCE_NANOSECONDS) return true;
    return this.isCurrent && this.incoming.lastMark > this.presentMark && age >= NEWS_NANOSECONDS;
  }

  /** Writes the status, and the gauges. */
  private show(now: u64): void {
    this.shownAt = now;
    const cache = this.cache;
    const lost = cache.metrics.read(Metric.EVENTS_LOST);
    // A full table of writers loses events without a gap in the log.
    if (lost > this.eventsLost) this.outgoing.tellAgain(0);
    this.eventsLost = lost;
    // A slice of its own: the one of this tick may be over.
    this.deadline.start(SLICE_NANOSECONDS);
    this.outgoing.countUnread(now, this.deadline);
    const journal = this.journal;
    const status = this.status.status;
    status.run = this.progress.run;
    status.writtenAt = now;
    status.since = this.since;
    status.heardAt = journal.heardAt;
    status.clusterId = journal.clusterId;
    status.revision = journal.revision;
    status.pendingDecisions = this.outgoing.pendingDecisions + this.named.pending;
    status.pendingSessions = this.outgoing.pendingSessions;
    status.oldest = earlier(this.outgoing.oldest, this.named.oldest);
    const sessions = this.sessions;
    status.told = this.decisions.stored + (sessions ? sessions.stored : 0) + this.named.stored;
    status.applied = this.incoming.applied;
    status.resyncs = this.resyncs;
    status.skipped = this.incoming.skipped;
    status.failedAt = journal.failedAt;
    status.begunAt = this.begunAt;
    status.state = <u8>journal.state;
    status.isSynced = this.isSynced ? 1 : 0;
    status.keepsSettings = !this.options.settings;
    status.failedCall = journal.failedCall;
    status.failedStatus = <u8>journal.failedStatus;
    status.setTexts(this.options.name, journal.failedText);
    this.status.write(this.proxies);
    this.record(now);
  }

  /** Sets the gauges to the status. */
  private record(now: u64): void {
    const metrics = this.metrics;
    const status = this.status.status;
    metrics.record(FleetMetric.CONNECTED, this.state == JournalState.Connecting ? 0 : 1);
    metrics.record(FleetMetric.SYNCED, status.isSynced);
    metrics.record(FleetMetric.PENDING_DECISIONS, status.pendingDecisions);
    const oldest = status.oldest;
    metrics.record(FleetMetric.LAG_SECONDS, oldest == 0 || oldest > now ? 0 : (now - oldest) / NANOSECONDS_PER_SECOND);
    metrics.record(FleetMetric.PROXIES, <u64>this.proxies.count);
    metrics.record(FleetMetric.CLOCK_SKEW_SECONDS, (this.proxies.skew + 500) / 1000);
  }
}

function milliseconds(count: u32): u64 {
  return <u64>count * 1_000_000;
}

const START_SLICE_NANOSECONDS: u64 = 5_000_000;
const GATHERING_NANOSECONDS: u64 = 50_000_000;
const DECISIONS_BUCKET: u64 = 6 * 3600;
const SESSIONS_BUCKET: u64 = 15 * 60;
const PRESENCE_NANOSECONDS: u64 = 10 * NANOSECONDS_PER_SECOND;
const NEWS_NANOSECONDS: u64 = 2 * NANOSECONDS_PER_SECOND;
const PRESENCE_SECONDS: u64 = 30;
