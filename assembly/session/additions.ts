/**
 * Additions: the common way of a session that is put in by hand, issued by an observed handshake, or learned by its
 * acceptance, from its record to its page. See `Cache` for the promises.
 *
 * Cost: one read and one write of a page; an eviction more if the cache has its size. Nothing allocates.
 */
import { Metrics } from "../ports/metrics";
import { StoreResult } from "../ports/shared_store";
import { Names } from "../shared/names";
import { Admission, Admissions } from "./admission";
import { Metric } from "./counting/statistics";
import { EntryCopy } from "./entry_copy";
import { EventType } from "./events/event";
import { Graves, Removal } from "./graves";
import { Entry, sessionSize, stampOver } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { PastFlushes } from "./past_flushes";
import { EventCause } from "./record/event_cause";
import { Moment } from "./record/moment";
import { Known, Origin, Session } from "./record/session";
import { Decision } from "./record/stamp";
import { Removals } from "./removals";
import { changesNothing, isStorable, overlay } from "./session_merge";
import { Mode } from "./settings/mode";
import { Settings } from "./settings/settings";

export const enum PutOutcome {
  Added = 0,
  Replaced = 1,
  /** Every given field equals the stored one: nothing was changed. OpenSSL returns 0. */
  Identical = 2,
  /** Other writers kept changing the page or the number; nothing was stored. */
  Contended = 3,
  /** No room could be made: the page is full of tombstones. Nothing was stored. */
  NoRoom = 4,
  /** A removed session is not learned again. */
  Refused = 5,
  /** The mode or a malformed argument forbids it. */
  NotStored = 6,
}

/** How additions differ. */
export const enum Addition {
  /** By hand: changes the given fields of a held session, or lifts a removal and keeps the others of the removed one. */
  ByHand = 0,
  /** Issued by a completed handshake: replaces a held session. */
  Issued = 1,
  /** Seen in use: never changes a held session. */
  Accepted = 2,
  /** Held by another cache, or by this one before: comes with its history, and never changes a held session. */
  Imported = 3,
}

export class Additions {
  private readonly moment: Moment;
  private readonly copy: EntryCopy;
  /** Whether the last try may be repeated. */
  private mayRetry: bool = false;
  /** The metric of the session whose place is taken though it counts as gone: expired, flushed, removed or NONE_GONE. */
  private gone: i32 = NONE_GONE;
  /** The name of the session of a record that counts as gone; the added record takes it over. 0: none. */
  private inherited: u64 = 0;

  constructor(
    private readonly pages: Pages,
    private readonly admissions: Admissions,
    private readonly graves: Graves,
    private readonly removals: Removals,
    private readonly settings: Settings,
    private readonly pastFlushes: PastFlushes,
    private readonly metrics: Metrics,
    private readonly names: Names,
    /** Filled with the stored session. */
    private readonly found: Session,
  ) {
    this.moment = pages.moment;
    this.copy = new EntryCopy(names);
  }

  /** Stores an addition, counts its outcome, and refuses it after all if its session is removed meanwhile. */
  store(change: Session, addition: Addition): PutOutcome {
    if (!isStorable(change)) return PutOutcome.NotStored;
    if (addition != Addition.ByHand) {
      const removal = this.removals.removalOf(change);
      if (removal == Removal.InForce || removal == Removal.Saturated) {
        this.removals.follow(change, removal);
        return PutOutcome.Refused;
      }
    }
    this.admissions.begin();
    let outcome = PutOutcome.Contended;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      outcome = this.tryOnce(change, addition);
      if (!this.mayRetry) break;
    }
    if (outcome != PutOutcome.Added && outcome != PutOutcome.Replaced) {
      this.countNotStored(outcome);
      return outcome;
    }
    this.countStored(outcome);
    this.overtakeFlush(change);
    // A removal since then has either seen the stored session, or is seen here.
    if (addition == Addition.ByHand || this.removals.removalOf(change) != Removal.InForce) return outcome;
    this.removals.buryAfter(change);
    return PutOutcome.Refused;
  }

  /** Tries to store an addition, and sets `mayRetry`. */
  private tryOnce(change: Session, addition: Addition): PutOutcome {
    this.mayRetry = false;
    const page = this.pages.open(change.id, change.idLength);
    if (!page) return PutOutcome.Contended;
    this.moment.take();
    const entry = page.find(change.id, change.idLength);
    const outcome = this.decide(page, entry, change, addition);
    if (outcome == PutOutcome.Identical && entry && addition == Addition.ByHand) this.touchTime(entry);
    if (outcome != PutOutcome.Added && outcome != PutOutcome.Replaced) return outcome;
    const holds = entry != null && !entry.isTombstone;
    if (!holds) {
      const admission = this.admissions.reserve(this.settings.cacheSize);
      if (admission == Admission.Denied) return PutOutcome.Contended;
      // Evicting has used the page's buffer.
      this.mayRetry = admission == Admission.Evicted;
      if (this.mayRetry) return PutOutcome.Contended;
    }
    if (!this.compose(page, entry, change, addition, outcome)) return PutOutcome.NoRoom;
    const result = this.pages.commit(this.admissions.reserved);
    if (result == StoreResult.Ok) return outcome;
    this.mayRetry = result == StoreResult.Conflict;
    return PutOutcome.Contended;
  }

  /** Gives a reservation back, and counts why nothing was stored. */
  private countNotStored(outcome: PutOutcome): void {
    this.admissions.release();
    if (outcome == PutOutcome.Contended) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    else if (outcome == PutOutcome.NoRoom) this.metrics.increase(Metric.NOT_STORED_NO_ROOM, 1);
    else if (outcome == PutOutcome.Refused) this.metrics.increase(Metric.NOT_STORED_REMOVED, 1);
  }

  private countStored(outcome: PutOutcome): void {
    this.graves.countDisplaced();
    if (this.gone != NONE_GONE) this.metrics.increase(this.gone, 1);
    this.metrics.increase(outcome == PutOutcome.Added ? Metric.ADDS : Metric.REPLACES, 1);
  }

  /**
   * Gives a session that was just stored the generation of a flush that began between the look at the settings and the
   * storing, as if it had been stored after the flush. That flush did not reach it, but would make it count as flushed.
   */
  private overtakeFlush(stored: Session): void {
    const generation = this.settings.generation;
    const version = this.found.version;
    if (!this.settings.load() || this.settings.generation == generation) return;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(stored.id, stored.idLength);
      if (!page) return;
      const entry = page.find(stored.id, stored.idLength);
      // If it is gone, the flush came after it, and has carried it out.
      if (!entry || entry.isTombstone || entry.version != version) return;
      entry.generation = this.settings.generation;
      entry.readSession(this.found, this.names);
      if (this.pages.commit(0) != StoreResult.Conflict) return;
    }
  }

  /**
   * Decides what an addition does to the entry of its ID. Leaves a held session in `found`, and in `gone` and `inherited`
   * what becomes of one that counts as gone.
   */
  private decide(page: Page, entry: Entry | null, change: Session, addition: Addition): PutOutcome {
    this.gone = NONE_GONE;
    this.inherited = 0;
    const isByHand = addition == Addition.ByHand;
    if (!entry || entry.isTombstone) {
      if (isByHand) return PutOutcome.Added;
      const refused = page.saturatedAt(this.moment) || (entry != null && entry.refusesAt(this.moment));
      return refused ? PutOutcome.Refused : PutOutcome.Added;
    }
    if (addition == Addition.Accepted) return PutOutcome.NotStored;
    const found = this.found;
    entry.readSession(found, this.names);
    const removal = found.session != 0 ? this.graves.removalOf(found.session) : Removal.None;
    if (removal == Removal.InForce || removal == Removal.Saturated) {
      this.gone = Metric.REMOVES;
      return isByHand ? PutOutcome.Added : PutOutcome.Refused;
    }
    if (found.expiredAt(this.moment.seconds)) {
      this.gone = Metric.EXPIRED;
      if (isByHand) this.inherited = found.session;
      return PutOutcome.Added;
    }
    if (this.settings.flushed(entry.generation, entry.expiry)) {
      this.gone = Metric.FLUSHED;
      return isByHand ? PutOutcome.Added : PutOutcome.Refused;
    }
    if (addition == Addition.Imported) return PutOutcome.Identical;
    return isByHand && changesNothing(found, change) ? PutOutcome.Identical : PutOutcome.Replaced;
  }

  /** Writes the new record into the page, in the place of the entry; false if no room could be made for it. */
  private compose(page: Page, entry: Entry | null, change: Session, addition: Addition, outcome: PutOutcome): bool {
    const now = this.moment.seconds;
    const isByHand = addition == Addition.ByHand;
    const record = this.begin(isByHand && outcome == PutOutcome.Replaced ? entry : null, change);
    if (isByHand && entry && this.isRemoved(entry)) this.copy.takeDescription(entry);
    overlay(record, change, change.known);
    record.known &= ~change.cleared;
    record.time = now;
    record.origin = isByHand ? Origin.API : Origin.OBSERVED;
    record.isOwn = true;
    record.stamp = isByHand ? this.stampOver(entry) : 0;
    record.unissued = addition == Addition.Accepted;
    if (record.unissued) {
      record.known |= Known.LAST_USED;
      record.lastUsed = now;
    }
    if (addition == Addition.Imported) this.keepHistory(record, entry, change);
    this.copy.findNames(record);
    if (entry) page.remove(entry);
    this.graves.displaced = 0;
    if (!this.graves.makeRoom(page, sessionSize(record))) return false;
    record.version = this.pages.version(page, this.moment.nanoseconds);
    const type = outcome == PutOutcome.Added ? EventType.NEW : EventType.REPLACED;
    const isObserved = addition == Addition.Issued || addition == Addition.Accepted;
    const cause = isObserved ? EventCause.HANDSHAKE : EventCause.API;
    this.pages.outbox.about.take(record);
    this.pages.note(record.version, now, type, cause, record.id, record.idLength);
    const stored = page.appendSession(record, this.settings.generation);
    if (!stored) return false;
    stored.readSession(this.found, this.names);
    return true;
  }

  /** Gives a record the history of an imported session. */
  private keepHistory(record: Session, entry: Entry | null, imported: Session): void {
    record.time = imported.time;
    record.unissued = imported.unissued;
    record.lastUsed = imported.lastUsed;
    record.hits = imported.hits;
    record.origin = imported.origin;
    if (imported.origin == Origin.API) record.stamp = stampOver(entry, Decision.Addition, this.moment.nanoseconds);
  }

  /** Begins a record: a copy of the entry that it changes, or a new one. */
  private begin(changed: Entry | null, change: Session): Session {
    if (changed) return this.copy.take(changed);
    const record = this.copy.session;
    record.clear();
    record.id = change.id;
    record.idLength = change.idLength;
    record.timeoutSeconds = this.settings.timeoutSeconds;
    record.alone = change.alone;
    if (this.inherited != 0) {
      record.session = this.inherited;
      record.known |= Known.SESSION;
    }
    return record;
  }

  /** Returns the stamp of a session by hand that is put in now, on top of an entry and of all flushes. */
  private stampOver(entry: Entry | null): u64 {
    return max(stampOver(entry, Decision.Addition, this.moment.nanoseconds), this.pastFlushes.leastStamp);
  }

  /** Whether an entry stands for a session that was removed or flushed, and is still refused for it. */
  private isRemoved(entry: Entry): bool {
    if (entry.isTombstone) return entry.refusesAt(this.moment);
    return this.gone == Metric.REMOVES || this.gone == Metric.FLUSHED;
  }

  /** OpenSSL's SSL_SESS_CACHE_UPDATE_TIME: adding the identical session makes it young again. Best effort. */
  private touchTime(entry: Entry): void {
    if ((this.settings.mode & Mode.UPDATE_TIME) == 0) return;
    entry.stamp = this.stampOver(entry);
    entry.time = this.moment.seconds;
    entry.readSession(this.found, this.names);
    if (this.pages.commit(0) != StoreResult.Ok) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
  }
}

const NONE_GONE: i32 = -1;
