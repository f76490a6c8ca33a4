/**
 * Records of other proxies (a removal, a session by hand, an observed session) as this cache takes them in. By `stamp.ts`,
 * any order and any repetition of the same records ends in the same state, as long as none of them is over.
 *
 * A removal takes the place of an observed session always, of a session by hand if its key is greater. Of two removals of an
 * ID, the greater key, the later end and everything that either knows of the session count. A session by hand takes the
 * place of everything whose key is smaller. An observed one is stored only if its ID is neither held nor refused. A record
 * that is over counts as absent: it neither comes in nor keeps anything out.
 *
 * If the session that a removal takes out here lives longer than the removal, the removal is lengthened, as a local one
 * would be, and becomes this proxy's own: so the others hear of its end, too. Other handles of the
 * session are refused from then on (`graves.ts`).
 *
 * Nothing here is an event, except that a session gives way as for a local addition. The metrics of the cache count
 * sessions that come and go, so that they go on adding up to the number of sessions held.
 *
 * All calls need settings that were just read. Pointers of a record need to be valid during the call only. Cost: one read of
 * a page, and one write if the record is news. Nothing allocates or traps, whatever a record has in it.
 */
import { Metrics } from "../ports/metrics";
import { StoreResult } from "../ports/shared_store";
import { Names } from "../shared/names";
import { Admission, Admissions } from "./admission";
import { RemovalSet } from "./configured/removal_set";
import { Metric } from "./counting/statistics";
import { EntryCopy } from "./entry_copy";
import { Graves, lengthen, Removal } from "./graves";
import { Entry, isStorableProtocol, sessionSize, tombstoneSize } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { FlushState, PastFlushes } from "./past_flushes";
import { Applied } from "./record/applied";
import { MAX_AHEAD_SECONDS, Moment } from "./record/moment";
import {
  Cause,
  Kind,
  Known,
  MAX_ID_LENGTH,
  MAX_SNI_LENGTH,
  MAX_UPSTREAM_LENGTH,
  Origin,
  Session,
  Tombstone,
} from "./record/session";
import { Decision, keyOf, LEAD_SECONDS, MAX_STAMP, STAMPS_PER_SECOND } from "./record/stamp";
import { compareByHand, DESCRIPTION, isStorable, overlay, unite } from "./session_merge";
import { learns } from "./settings/mode";
import { Settings } from "./settings/settings";

export class ForeignRecords {
  /**
   * The name of the session that the last removal took a handle of, 0 for none. Its other handles are refused; a
   * `SessionRemoval` takes them out at once, else each leaves its tombstone when it goes.
   */
  removedSession: u64 = 0;
  private readonly moment: Moment;
  private readonly copy: EntryCopy;
  private readonly grave: Tombstone = new Tombstone();
  private readonly buried: Tombstone = new Tombstone();
  private readonly record: Session = new Session();
  private readonly held: Session = new Session();
  /** Whether the last try may be repeated. */
  private mayRetry: bool = false;
  /** The metric of the session whose place the last try has taken, or NONE_GONE. */
  private gone: i32 = NONE_GONE;

  constructor(
    private readonly pages: Pages,
    private readonly graves: Graves,
    private readonly admissions: Admissions,
    private readonly settings: Settings,
    private readonly configured: RemovalSet,
    private readonly pastFlushes: PastFlushes,
    private readonly metrics: Metrics,
    private readonly names: Names,
  ) {
    this.moment = pages.moment;
    this.copy = new EntryCopy(names);
  }

  /**
   * Applies a removal: ID, time, until, cause, stamp, `isOwn` and the description count. It ends within 30 days, or within
   * `removed_seconds` if that is more. `NoRoom`: its page is saturated from now on, so its ID is refused all the same.
   */
  applyRemoval(removed: Tombstone): Applied {
    this.removedSession = 0;
    if (removed.idLength < 1 || removed.idLength > MAX_ID_LENGTH || removed.stamp > MAX_STAMP) return Applied.Older;
    let applied = Applied.Failed;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      applied = this.tryRemoval(removed);
      if (!this.mayRetry) break;
    }
    if (applied == Applied.Stored && this.gone != NONE_GONE) this.metrics.increase(this.gone, 1);
    if (applied == Applied.Failed) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return applied;
  }

  /**
   * Applies a session by hand: its fields, time, stamp and `isOwn` count. It needs room as a local one does. `NoRoom` is also
   * the answer if its page is saturated: nobody knows whether it was removed by a greater key.
   */
  applyAddition(session: Session): Applied {
    return session.stamp > MAX_STAMP ? Applied.Older : this.store(session, Decision.Addition);
  }

  /** Applies a session that another proxy has observed, unless the mode keeps the cache from learning. */
  applyObserved(session: Session): Applied {
    return learns(this.settings.mode) ? this.store(session, Decision.None) : Applied.Older;
  }

  /**
   * Applies a flush of another proxy, of all sessions or of those that expire before `before` (Unix seconds; 0 = all). If it
   * is heard up to LEAD_SECONDS after its time, this cache begins a flush of its own, so whatever is held counts as flushed;
   * else sessions up to LEAD_SECONDS after it go. Sessions up to then are not taken in any more. Two flushes are the same if
   * they have the same stamp; that of `time` (Unix seconds) if none is given.
   *
   * `Stored`: a `ForeignFlush` is to carry it out. `Older`: it was carried out, or a later one that reaches as far.
   */
  applyFlush(time: u64, before: u64, stamp: u64 = 0): Applied {
    this.moment.take();
    const now = this.moment.seconds;
    const flushes = this.pastFlushes;
    const told = stamp != 0 ? stamp : time * STAMPS_PER_SECOND;
    const begun = min(told, (now + MAX_AHEAD_SECONDS) * STAMPS_PER_SECOND);
    if (begun == 0) return Applied.Older;
    const state = flushes.stateOf(begun, before);
    if (state != FlushState.New) return state == FlushState.Pending ? Applied.Stored : Applied.Older;
    const seconds = begun / STAMPS_PER_SECOND;
    const isInTime = now <= seconds + LEAD_SECONDS;
    if (!isInTime && flushes.coverLate(begun, before, now)) return Applied.Older;
    if (!flushes.noteForeign(begun, before)) return Applied.Failed;
    return !isInTime || this.settings.beginFlush(before, now) ? Applied.Stored : Applied.Failed;
  }

  private tryRemoval(removed: Tombstone): Applied {
    this.mayRetry = false;
    this.gone = NONE_GONE;
    const page = this.pages.open(removed.id, removed.idLength);
    if (!page) return Applied.Failed;
    this.moment.take();
    const grave = this.begin(removed);
    if (this.moment.seconds > grave.until) return Applied.Older;
    const entry = page.find(removed.id, removed.idLength);
    if (entry) {
      const holds = entry.isTombstone ? !this.mergeTombstone(entry) : !this.takePlaceOf(entry);
      if (holds) return Applied.Older;
      const session = entry.session;
      if (session != 0 && session != this.removedSession) {
        this.removedSession = session;
        // That uses the page's buffer.
        this.mayRetry = this.graves.buryName(session, grave.until, grave.monotonicUntil, grave.cause, grave.stamp);
        return Applied.Failed;
      }
    }
    return this.bury(page, entry);
  }

  /** Makes `grave` the given removal, as far as it is within bounds. */
  private begin(removed: Tombstone): Tombstone {
    const moment = this.moment;
    const grave = this.grave;
    grave.id = removed.id;
    grave.idLength = removed.idLength;
    grave.session = 0;
    grave.hidden = false;
    grave.time = min(removed.time, moment.seconds + MAX_AHEAD_SECONDS);
    grave.until = min(removed.until, moment.seconds + max(<u64>this.settings.removedSeconds, MAX_REMOVED_SECONDS));
    grave.monotonicUntil = moment.monotonicAt(grave.until);
    grave.cause = removed.cause == Cause.FLUSH ? Cause.FLUSH : Cause.API;
    grave.isOwn = removed.isOwn;
    grave.stamp = removed.stamp;
    grave.about.clear();
    overlay(grave.about, removed.about, storable(removed.about));
    return grave;
  }

  /** Makes `grave` the removal of a held session; false if that was put in by hand with a greater key. */
  private takePlaceOf(entry: Entry): bool {
    const grave = this.grave;
    const expiry = entry.expiry;
    const isOver = this.moment.seconds > expiry;
    const key = keyOf(Decision.Removal, grave.stamp);
    if (!isOver && entry.decision == Decision.Addition && keyOf(Decision.Addition, entry.stamp) > key) return false;
    this.gone = this.settings.flushed(entry.generation, expiry) ? Metric.FLUSHED : Metric.REMOVES;
    if (expiry > grave.until) {
      lengthen(grave, expiry, this.moment.monotonicAt(expiry));
      grave.isOwn = true;
    }
    this.copyDescription(entry);
    unite(grave.about, this.copy.session);
    return true;
  }

  /** Merges a tombstone that is here into `grave`; false if it lacks nothing. */
  private mergeTombstone(entry: Entry): bool {
    if (!entry.refusesAt(this.moment)) return true;
    const grave = this.grave;
    const buried = this.buried;
    entry.readTombstone(buried);
    this.copyDescription(entry);
    let isNews = unite(grave.about, this.copy.session);
    const difference = compareRemovals(grave, buried);
    if (difference > 0) isNews = true;
    if (difference < 0) {
      grave.stamp = buried.stamp;
      grave.time = buried.time;
      grave.cause = buried.cause;
    }
    if (grave.until > buried.until) isNews = true;
    else grave.monotonicUntil = 0;
    lengthen(grave, buried.until, buried.monotonicUntil);
    if (buried.isOwn) grave.isOwn = true;
    else if (grave.isOwn) isNews = true;
    return isNews;
  }

  /** Puts `grave` into its page, in the place of an entry. */
  private bury(page: Page, entry: Entry | null): Applied {
    const grave = this.grave;
    this.graves.displaced = 0;
    this.copy.findNames(grave.about);
    if (entry) {
      grave.session = entry.session;
      page.remove(entry);
      // Without a description it fits the place of every entry.
      if (!this.graves.makeRoom(page, tombstoneSize(grave))) grave.about.clear();
    }
    return this.commit(this.graves.place(page, grave) ? Applied.Stored : Applied.NoRoom, 0);
  }

  private store(session: Session, decision: Decision): Applied {
    if (!isStorable(session) || session.kind < Kind.ID || session.kind > Kind.PSK) return Applied.Older;
    this.admissions.begin();
    let applied = Applied.Failed;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      applied = this.tryStore(session, decision);
      if (!this.mayRetry) break;
    }
    if (applied != Applied.Stored) this.admissions.release();
    else if (this.gone != NONE_GONE) this.metrics.increase(this.gone, 1);
    if (applied == Applied.Failed) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    else if (applied == Applied.NoRoom) this.metrics.increase(Metric.NOT_STORED_NO_ROOM, 1);
    return applied;
  }

  private tryStore(session: Session, decision: Decision): Applied {
    this.mayRetry = false;
    this.gone = NONE_GONE;
    const page = this.pages.open(session.id, session.idLength);
    if (!page) return Applied.Failed;
    this.moment.take();
    const record = this.compose(session, decision);
    if (record.expiredAt(this.moment.seconds) || this.isFlushed(record, decision)) return Applied.Older;
    const entry = page.find(session.id, session.idLength);
    const holds = entry != null && !entry.isTombstone;
    const allowed = entry && holds ? this.judgeHeld(entry, decision) : this.judgeAbsent(page, entry, decision);
    if (allowed != Applied.Stored) return allowed;
    if (!holds) {
      const admission = this.admissions.reserve(this.settings.cacheSize);
      if (admission == Admission.Denied) return Applied.Failed;
      // Evicting has used the page's buffer.
      this.mayRetry = admission == Admission.Evicted;
      if (this.mayRetry) return Applied.Failed;
    }
    this.copy.findNames(record);
    this.graves.displaced = 0;
    if (entry) page.remove(entry);
    if (!this.graves.makeRoom(page, sessionSize(record))) return Applied.NoRoom;
    record.version = this.pages.version(page, this.moment.nanoseconds);
    if (!page.appendSession(record, this.settings.generation)) return Applied.NoRoom;
    const applied = this.commit(Applied.Stored, this.admissions.reserved);
    if (applied == Applied.Stored) this.metrics.increase(holds ? Metric.REPLACES : Metric.ADDS, 1);
    return applied;
  }

  /** Makes `record` the given session, as far as it is within bounds. */
  private compose(session: Session, decision: Decision): Session {
    const isByHand = decision == Decision.Addition;
    const record = this.record;
    record.clear();
    record.id = session.id;
    record.idLength = session.idLength;
    overlay(record, session, storable(session));
    record.kind = session.kind;
    record.known |= Known.KIND | Known.TIMEOUT;
    record.time = min(session.time, this.moment.seconds + MAX_AHEAD_SECONDS);
    record.timeoutSeconds = session.timeoutSeconds;
    record.unissued = session.unissued;
    record.alone = session.alone;
    record.origin = isByHand ? Origin.API : Origin.OBSERVED;
    record.stamp = isByHand ? session.stamp : 0;
    record.isOwn = session.isOwn;
    return record;
  }

  private isFlushed(record: Session, decision: Decision): bool {
    if (decision == Decision.Addition) return this.pastFlushes.reachAddition(record.stamp, record.expiry);
    return this.pastFlushes.reachObserved(record.time, record.expiry);
  }

  /** Decides whether `record` takes the place of a session. Then it keeps its use, and the name that its handles share. */
  private judgeHeld(entry: Entry, decision: Decision): Applied {
    const record = this.record;
    const held = this.held;
    entry.readSession(held, this.names);
    const isOver = held.expiredAt(this.moment.seconds);
    if (decision == Decision.None && !isOver) return Applied.Older;
    const removal = held.session != 0 ? this.graves.removalOf(held.session) : Removal.None;
    if (removal == Removal.Unknown) return Applied.Failed;
    if (removal == Removal.Saturated) return Applied.NoRoom;
    if (removal == Removal.InForce) {
      this.gone = Metric.REMOVES;
      return outranks(record, decision, this.graves.stamp) ? Applied.Stored : Applied.Older;
    }
    if (isOver) {
      this.gone = Metric.EXPIRED;
      return Applied.Stored;
    }
    if (entry.decision == Decision.Addition) {
      const isGreater = record.stamp == held.stamp ? compareByHand(record, held) > 0 : record.stamp > held.stamp;
      if (!isGreater) return Applied.Older;
    }
    if (this.settings.flushed(entry.generation, entry.expiry)) {
      this.gone = Metric.FLUSHED;
      return Applied.Stored;
    }
    record.known |= held.known & (Known.LAST_USED | Known.SESSION);
    record.lastUsed = held.lastUsed;
    record.hits = held.hits;
    record.session = held.session;
    return Applied.Stored;
  }

  /** Decides whether `record` may be stored if no session is held under its ID. */
  private judgeAbsent(page: Page, entry: Entry | null, decision: Decision): Applied {
    const record = this.record;
    const isObserved = decision == Decision.None;
    if (isObserved && this.configured.removesSession(record.id, record.idLength)) return Applied.Older;
    if (entry && entry.refusesAt(this.moment)) {
      return outranks(record, decision, entry.stamp) ? Applied.Stored : Applied.Older;
    }
    if (!page.saturatedAt(this.moment)) return Applied.Stored;
    return isObserved ? Applied.Older : Applied.NoRoom;
  }

  /** Stores the open page. Returns `applied`, or `Failed`. */
  private commit(applied: Applied, reserved: i32): Applied {
    const result = this.pages.commit(reserved);
    if (result == StoreResult.Ok) {
      this.graves.countDisplaced();
      return applied;
    }
    this.mayRetry = result == StoreResult.Conflict;
    return Applied.Failed;
  }

  /** Copies the description of an entry to `copy.session`, where it stays valid while its page is edited. */
  private copyDescription(entry: Entry): void {
    this.copy.session.clear();
    this.copy.takeDescription(entry);
  }
}

/** Whether a session lifts a removal of a stamp. */
function outranks(session: Session, decision: Decision, stamp: u64): bool {
  return decision == Decision.Addition && keyOf(decision, session.stamp) > keyOf(Decision.Removal, stamp);
}

/** Compares two removals of one ID, except for their ends. */
function compareRemovals(removal: Tombstone, other: Tombstone): i32 {
  if (removal.stamp != other.stamp) return removal.stamp > other.stamp ? 1 : -1;
  if (removal.time != other.time) return removal.time > other.time ? 1 : -1;
  return <i32>removal.cause - <i32>other.cause;
}

/** The known fields of a description that a page can hold. */
function storable(about: Session): u32 {
  let known = about.known & DESCRIPTION;
  if (known & Known.KIND && (about.kind < Kind.ID || about.kind > Kind.PSK)) known &= ~Known.KIND;
  if (known & Known.PROTOCOL && !isStorableProtocol(about.protocol)) known &= ~Known.PROTOCOL;
  if (known & Known.SNI && (about.sniLength < 1 || about.sniLength > MAX_SNI_LENGTH)) known &= ~Known.SNI;
  const length = about.upstreamLength;
  if (known & Known.UPSTREAM && (length < 1 || length > MAX_UPSTREAM_LENGTH)) known &= ~Known.UPSTREAM;
  return known;
}

const NONE_GONE: i32 = -1;
/** 30 days: a removal of another proxy lasts no longer, unless `removed_seconds` is longer. */
export const MAX_REMOVED_SECONDS: u64 = 2_592_000;
