/**
 * Takes over what other proxies tell: batches of decisions and of sessions, named decisions, presences. Each in slices, as a
 * batch may have a thousand records.
 *
 * A batch over which a machine has faulted twice is skipped and counted, and so is one that is malformed. Records that come
 * again, or in another order, change nothing (`session/record/stamp.ts`).
 */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { Clock } from "../../ports/clock";
import { Journal } from "../../ports/journal";
import { Metrics } from "../../ports/metrics";
import { Cache } from "../../session/cache";
import { Applied } from "../../session/record/applied";
import {
  MAX_ID_LENGTH,
  MAX_UPSTREAM_LENGTH,
  Session,
  TICKET_KEY_LENGTH,
  Tombstone,
} from "../../session/record/session";
import { Deadline } from "../../work/job";
import { DECISIONS, familyOf, isIdentityKey, isOwnKey, NAMED, PRESENCE, SESSIONS } from "../records/keys";
import { appliedAs, FleetMetric, ToldKind } from "../state/metrics";
import { NamedDecisions } from "../named/named_decisions";
import { BatchReader, BatchRecord, RecordType } from "../records/batch";
import { readSession, readTombstone } from "../records/told";
import { Identity } from "../state/identity";
import { Progress } from "../state/progress";
import { Proxies } from "../state/proxies";

export class Incoming {
  /** Records that were taken over, or held already; batches that were skipped. */
  applied: u64 = 0;
  skipped: u64 = 0;
  /** The revision of the last record that was not a presence. */
  lastMark: u64 = 0;
  /** Whether all decisions of the replay were taken over: a record of a key behind theirs has come. */
  isBehindDecisions: bool = false;
  private readonly batch: BatchReader = new BatchReader();
  private readonly session: Session = new Session();
  private readonly tombstone: Tombstone = new Tombstone();
  private isOpen: bool = false;
  /** The batch is one of an earlier process of this proxy. */
  private isOwn: bool = false;
  /** The record that could not be stored, to be tried again. */
  private again: BatchRecord | null = null;
  private tries: i32 = 0;

  constructor(
    private readonly cache: Cache,
    private readonly metrics: Metrics,
    private readonly progress: Progress,
    private readonly identity: Identity,
    private readonly proxies: Proxies,
    private readonly named: NamedDecisions,
    private readonly name: string,
    private readonly takesSessions: bool,
  ) {}

  /** The journal is read anew. */
  forget(): void {
    this.isBehindDecisions = false;
  }

  /** Takes over whatever has come, until the deadline has passed. Returns whether more is to be done. */
  work(journal: Journal, deadline: Deadline): bool {
    while (!deadline.passed) {
      if (this.isOpen) this.takeRecord();
      else if (journal.next()) this.take(journal);
      else return false;
    }
    return true;
  }

  private take(journal: Journal): void {
    const key = journal.key;
    const keyLength = journal.keyLength;
    const family = familyOf(key, keyLength);
    // A replay comes in the order of keys, and changes come only after its decisions.
    if (!journal.isReplayed || family == PRESENCE || family == SESSIONS) this.isBehindDecisions = true;
    if (family == PRESENCE) return this.takePresence(journal);
    this.lastMark = journal.mark;
    if (isIdentityKey(key, keyLength)) return this.takeIdentity(journal);
    if (journal.isDeleted) {
      if (family == NAMED) this.named.noteDeleted(key, keyLength);
      return;
    }
    if (family == NAMED) {
      const length = journal.valueLength;
      if (!this.batch.open(journal.value, length) || !this.named.take(this.batch, journal.mark)) this.skip();
      else this.applied++;
      return;
    }
    if (family != DECISIONS && family != SESSIONS) return;
    if (family == SESSIONS && !this.takesSessions) return;
    const isOwn = isOwnKey(key, keyLength, this.name);
    if (!this.batch.open(journal.value, journal.valueLength)) return this.skip();
    if (isOwn && this.batch.run == this.progress.run) return;
    if (this.progress.try(fnvBytes(FNV_BASIS, key, keyLength)) >= MAX_FAULTS) {
      this.progress.endTry();
      return this.skip();
    }
    this.isOwn = isOwn;
    this.isOpen = true;
    this.again = null;
    this.cache.readSettings();
  }

  private takeIdentity(journal: Journal): void {
    if (journal.isDeleted) this.identity.noteDeleted();
    else if (!this.identity.take(journal.value, journal.valueLength)) this.skip();
  }

  private takePresence(journal: Journal): void {
    const name = journal.key + 2;
    const length = journal.keyLength - 2;
    if (journal.isDeleted) return this.proxies.remove(name, length);
    const clock: Clock = this.cache.clock;
    const isFresh = !journal.isReplayed;
    this.proxies.note(name, length, journal.value, journal.valueLength, clock.nowNanoseconds(), isFresh);
  }

  /** Takes over the next record of the batch. */
  private takeRecord(): void {
    let record = this.again;
    if (!record) record = this.batch.next();
    this.again = null;
    if (!record) {
      this.isOpen = false;
      this.progress.endTry();
      if (this.batch.left > 0) this.skip();
      return;
    }
    const type = record.type;
    const kind = kindOf(type);
    if (kind < 0 || !isPossible(record)) return;
    const outcome = this.apply(record, type);
    if (outcome == Applied.Failed && ++this.tries < MAX_TRIES) {
      this.again = record;
      return;
    }
    this.tries = 0;
    this.metrics.increase(appliedAs(kind, outcome), 1);
    this.applied++;
  }

  private apply(record: BatchRecord, type: u8): Applied {
    const foreign = this.cache.foreign;
    if (type == RecordType.TOMBSTONE) {
      readTombstone(this.batch, record, this.tombstone);
      this.tombstone.isOwn = this.isOwn;
      return foreign.applyRemoval(this.tombstone);
    }
    if (type == RecordType.FLUSH) return this.applyFlush(record);
    if (type == RecordType.KEY_LEARNED) {
      const upstream = this.batch.name(record.upstream);
      if (upstream == 0 || this.batch.nameLength > MAX_UPSTREAM_LENGTH) return Applied.Older;
      this.cache.ticketKeys.learn(record.id, upstream, this.batch.nameLength);
      return Applied.Stored;
    }
    readSession(this.batch, record, this.session);
    this.session.isOwn = this.isOwn;
    return type == RecordType.SESSION ? foreign.applyAddition(this.session) : foreign.applyObserved(this.session);
  }

  private applyFlush(record: BatchRecord): Applied {
    this.cache.readSettings();
    const before = load<u64>(record.id);
    const applied = this.cache.foreign.applyFlush(record.time, before, record.stamp);
    if (this.isOwn) this.cache.pastFlushes.claim(record.stamp, before);
    return applied;
  }

  private skip(): void {
    this.skipped++;
    this.metrics.increase(FleetMetric.SKIPPED, 1);
  }
}

/** Whether the ID of a record has a length that its type allows. */
function isPossible(record: BatchRecord): bool {
  const length = <i32>record.idLength;
  if (record.type == RecordType.FLUSH) return length == 8;
  if (record.type == RecordType.KEY_LEARNED) return length == TICKET_KEY_LENGTH;
  return length >= 1 && length <= MAX_ID_LENGTH;
}

/** The `ToldKind` of a record's type, -1 if it is unknown or of a named decision. */
function kindOf(type: u8): i32 {
  switch (type) {
    case RecordType.TOMBSTONE:
      return ToldKind.REMOVAL;
    case RecordType.SESSION:
      return ToldKind.SESSION;
    case RecordType.OBSERVED:
      return ToldKind.OBSERVED;
    case RecordType.FLUSH:
      return ToldKind.FLUSH;
    case RecordType.KEY_LEARNED:
      return ToldKind.TICKET_KEY;
    default:
      return -1;
  }
}

/** A batch that has ended so many machines is not tried again. */
const MAX_FAULTS: u32 = 2;
/** Tries of one record that meets other writers, each with all the tries of a change of the cache. */
const MAX_TRIES: i32 = 8;
