/**
 * Decisions that have a name of their own in the journal: of ticket keys, of server names, of settings. Each is one key that
 * every proxy may write, by compare-and-set: a decision is written over the one that it outranks (`session/record/stamp.ts`),
 * and whoever loses takes the other one over.
 *
 * Which of them are to be told is not kept anywhere: rows are compared with what the journal showed last. Cost: nothing while
 * nothing changes; a look at all rows, some 0.2 ms, after a change and once a second.
 */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Journal, Outcome } from "../../ports/journal";
import { Metrics } from "../../ports/metrics";
import { SharedStore } from "../../ports/shared_store";
import { Cache } from "../../session/cache";
import { Applied } from "../../session/record/applied";
import { STAMPS_PER_SECOND } from "../../session/record/stamp";
import { Keys, REVOCATIONS, SETTINGS, TICKET_KEYS } from "../records/keys";
import { appliedAs, FleetMetric, ToldKind } from "../state/metrics";
import { BatchKind, BatchReader, BatchWriter, RecordFlag, RecordType } from "../records/batch";
import { Sender } from "../out/sender";
import { isTraceOver, LiftedTraces } from "./lifted_traces";
import { KnownDecision } from "./known_decision";
import { NamedDecision } from "./named_decision";
import { NamedRows } from "./named_rows";
import { SHARED_SETTINGS, SharedSettings } from "./shared_settings";

export class NamedDecisions {
  /** Decisions that were stored. */
  stored: u64 = 0;
  /** Decisions that the journal lacks, as of the last look. */
  pending: u64 = 0;
  /** When the oldest one of these was made, or its key was seen to be missing: nanoseconds since 1970, 0 if there is none. */
  oldest: u64 = 0;
  /** Since when the journal is known not to have the other decisions; 0 until the next look. */
  private missingSince: u64 = 0;
  private readonly rows: NamedRows;
  private readonly settings: SharedSettings | null;
  private readonly writer: BatchWriter = new BatchWriter(BatchKind.NAMED, VALUE_CAPACITY);
  private readonly reader: BatchReader = new BatchReader();
  private readonly value: usize = heap.alloc(VALUE_CAPACITY);
  private readonly key: Keys;
  /** The decision that is being told. */
  private readonly next: NamedDecision = new NamedDecision();
  private hasNext: bool = false;
  /** Whether the key is being read, as somebody else has written it. */
  private isReading: bool = false;
  /** The decision of each key as the journal showed it last, by the hash of the key. */
  private readonly known: Map<u64, KnownDecision> = new Map<u64, KnownDecision>();
  private readonly traces: LiftedTraces = new LiftedTraces();
  /** The key of the trace that is being deleted, and when to look for the next one. */
  private deleted: u64 = 0;
  private tracesAt: u64 = 0;
  /** The epoch of changes in which all rows were looked at, 0 for none. */
  private looked: u32 = 0;
  /** Unix seconds of the last look. */
  private lookedAt: u64 = 0;

  /** `settings`: whether the fleet shares them. */
  constructor(
    private readonly cache: Cache,
    sharedStore: SharedStore,
    private readonly metrics: Metrics,
    sessions: Sender | null,
    private readonly name: string,
    settings: bool,
    private readonly run: u64,
    term: u32,
  ) {
    this.rows = new NamedRows(cache, sessions);
    this.key = new Keys(name, run, term);
    this.settings = settings ? new SharedSettings(cache.settings, sharedStore) : null;
  }

  free(): void {
    this.writer.free();
    this.key.free();
    heap.free(this.value);
    this.rows.free();
    const settings = this.settings;
    if (settings) settings.free();
  }

  /** The journal is read anew: nothing is known of its keys. */
  forget(): void {
    this.known.clear();
    this.traces.clear();
    this.missingSince = 0;
    this.looked = 0;
    this.rows.tellAgain();
  }

  /** Looks at settings and rows, if any has changed, for a decision that the journal lacks. Needs settings just read. */
  gather(now: u64): void {
    const settings = this.settings;
    if (settings) settings.look(now);
    const epoch = this.cache.settings.changes.epoch;
    if (this.looked == epoch) return;
    this.looked = epoch;
    this.lookedAt = now / NANOSECONDS_PER_SECOND;
    if (this.missingSince == 0) this.missingSince = now;
    this.pending = 0;
    this.oldest = 0;
    this.gatherSettings();
    this.rows.begin(now);
    while (this.rows.next()) this.consider(this.rows.decision);
  }

  /** Begins to tell a decision, or to read who has told another one. */
  send(journal: Journal): bool {
    if (!this.hasNext) return false;
    const next = this.next;
    this.select(next);
    if (this.isReading) return journal.get(this.key.start, this.key.length);
    if (!this.isNews(next)) {
      // The journal has shown it, or a greater one, since it was chosen.
      this.hasNext = false;
      this.looked = 0;
      return false;
    }
    this.rows.describe(next);
    const writer = this.writer;
    writer.clear();
    const record = writer.append(next.type, RecordFlag.STAMPED, next.name, next.nameLength);
    store<u64>(record.id - 8, next.stamp);
    record.detail = next.state;
    record.time = <u32>next.time;
    record.until = <u32>next.until;
    record.upstream = writer.nameOf(next.upstream, next.upstreamLength);
    const length = writer.finish(this.run, this.value);
    const hash = this.hash;
    const mark: u64 = this.known.has(hash) ? this.known.get(hash).mark : 0;
    return journal.swap(this.key.start, this.key.length, this.value, length, mark);
  }

  /** The operation has ended. */
  settle(outcome: Outcome, journal: Journal): void {
    const next = this.next;
    this.select(next);
    // Whatever comes next, all rows are looked at again.
    this.looked = 0;
    if (this.isReading) {
      if (outcome != Outcome.Done) return;
      this.isReading = false;
      this.hasNext = false;
      // A value that cannot be read, or is of another name, is written over.
      this.note(new KnownDecision(next, journal.gotMark, false));
      const isWhole = journal.gotMark != 0 && this.reader.open(journal.gotValue, journal.gotLength);
      if (isWhole) this.take(this.reader, journal.gotMark);
      return;
    }
    if (outcome == Outcome.Conflict) {
      this.isReading = true;
      return;
    }
    this.hasNext = false;
    if (outcome != Outcome.Done) return;
    this.stored++;
    this.metrics.increase(FleetMetric.TOLD + kindOf(next.type), 1);
    this.note(new KnownDecision(next, journal.gotMark, true));
    this.traces.note(this.hash, next, journal.gotMark, true);
  }

  /** Begins to delete the trace of a decision that was lifted long ago, if no later value has taken its place. */
  sendDeletion(journal: Journal, now: u64): bool {
    if (now < this.tracesAt) return false;
    const trace = this.traces.nextDue(now / NANOSECONDS_PER_SECOND);
    if (!trace) {
      this.tracesAt = now + TRACES_NANOSECONDS;
      return false;
    }
    this.key.named(familyOf(trace.type), changetype<usize>(trace.name), trace.name.length);
    this.deleted = this.hash;
    return journal.remove(this.key.start, this.key.length, trace.mark);
  }

  /** The deletion has ended. */
  settleDeletion(outcome: Outcome, now: u64): void {
    if (outcome == Outcome.Done || outcome == Outcome.Conflict) this.traces.forget(this.deleted);
    else this.tracesAt = now + TRACES_NANOSECONDS;
  }

  /** Takes over a value of the journal. False if it is malformed. */
  take(batch: BatchReader, mark: u64): bool {
    const record = batch.next();
    if (!record || record.idLength == 0 || kindOf(record.type) < 0) return false;
    const told = this.rows.told;
    told.read(batch, record);
    this.select(told);
    this.note(new KnownDecision(told, mark, true));
    this.traces.note(this.hash, told, mark, batch.run == this.run);
    const outcome = this.apply(told);
    this.metrics.increase(appliedAs(kindOf(record.type), outcome), 1);
    return true;
  }

  /** A key was deleted in the journal: a decision that holds here is told again. */
  noteDeleted(key: usize, keyLength: i32): void {
    const hash = fnvBytes(FNV_BASIS, key, keyLength);
    this.known.delete(hash);
    this.traces.forget(hash);
    this.missingSince = 0;
    this.looked = 0;
  }

  private apply(told: NamedDecision): Applied {
    if (told.type != RecordType.SETTING) return this.rows.apply(told);
    const settings = this.settings;
    if (!settings || told.nameLength != 1) return Applied.Older;
    const number = <i32>load<u8>(told.name);
    if (number >= SHARED_SETTINGS) return Applied.Older;
    this.cache.readSettings();
    settings.look(this.cache.clock.nowNanoseconds());
    return settings.take(number, <u32>told.until, told.stamp) ? Applied.Stored : Applied.Older;
  }

  private gatherSettings(): void {
    const settings = this.settings;
    if (!settings) return;
    for (let number = 0; number < SHARED_SETTINGS; number++) {
      const stamp = settings.stampOf(number);
      if (stamp == 0) continue;
      const row = this.rows.told;
      row.setSetting(<u8>number, settings.valueOf(number), stamp, this.name);
      this.consider(row);
    }
  }

  /** Counts a decision that the journal lacks; the first one is told next. */
  private consider(decision: NamedDecision): void {
    this.select(decision);
    if (!this.isNews(decision) || isTraceOver(decision, this.lookedAt)) return;
    this.pending++;
    const since = max(decision.stamp * NANOSECONDS_PER_STAMP, this.missingSince);
    if (this.oldest == 0 || since < this.oldest) this.oldest = since;
    if (this.hasNext) return;
    this.next.take(decision);
    this.hasNext = true;
  }

  /** Builds the key of a decision. */
  private select(decision: NamedDecision): void {
    this.key.named(familyOf(decision.type), decision.name, decision.nameLength);
  }

  private get hash(): u64 {
    return fnvBytes(FNV_BASIS, this.key.start, this.key.length);
  }

  /** Whether a decision, whose key was built, holds over the one that the journal has. */
  private isNews(decision: NamedDecision): bool {
    const hash = this.hash;
    return this.known.has(hash) ? this.known.get(hash).givesWayTo(decision) : decision.rank > 0;
  }

  private note(known: KnownDecision): void {
    // Rows are bounded; keys that a false proxy makes are not.
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(this.hash, known);
  }
}

/** The family of keys of a record's type. */
function familyOf(type: u8): u8 {
  if (type == RecordType.TICKET_KEY) return TICKET_KEYS;
  return type == RecordType.REVOCATION ? REVOCATIONS : SETTINGS;
}

/** The `ToldKind` of a record's type, -1 if it is not one of a named decision. */
function kindOf(type: u8): i32 {
  if (type == RecordType.TICKET_KEY) return ToldKind.TICKET_KEY;
  if (type == RecordType.REVOCATION) return ToldKind.REVOCATION;
  return type == RecordType.SETTING ? ToldKind.SETTING : -1;
}

const NANOSECONDS_PER_STAMP: u64 = NANOSECONDS_PER_SECOND / STAMPS_PER_SECOND;
const VALUE_CAPACITY: i32 = 1024;
const MAX_KNOWN: i32 = 8192;
const TRACES_NANOSECONDS: u64 = 60 * NANOSECONDS_PER_SECOND;
