/**
 * Removals of single handles: a tombstone takes the place of a session, and whatever else is known of that session is
 * refused with it.
 *
 * The hidden tombstone for the session's name comes first (`graves.ts`): from there on no handle of it resumes, even if the
 * rest fails. A handle that a removed session is given later goes the same way.
 *
 * Cost: one read and one write of a page; as much again for a session of several handles. Nothing allocates.
 */
import { Metrics } from "../ports/metrics";
import { StoreResult } from "../ports/shared_store";
import { Names } from "../shared/names";
import { Metric } from "./counting/statistics";
import { EntryCopy } from "./entry_copy";
import { EventType } from "./events/event";
import { Graves, lengthen, Removal } from "./graves";
import { Entry, stampOver } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { EventCause } from "./record/event_cause";
import { Moment } from "./record/moment";
import { Cause, Known, Session, Tombstone } from "./record/session";
import { Decision } from "./record/stamp";
import { isStorable } from "./session_merge";
import { Enforcement } from "./settings/enforcement";
import { Settings } from "./settings/settings";

export const enum RemoveOutcome {
  Removed = 0,
  /** No session was held; its ID is refused from now on all the same. OpenSSL returns 0. */
  NotFound = 1,
  Contended = 2,
  /** Taken in: it was refused for at least as long already. */
  Identical = 3,
}

export class Removals {
  /**
   * The name of the session that the last removal took a handle of; 0 if that was its only one. Its other handles are
   * refused from then on; `SessionRemoval` takes them out.
   */
  removedSession: u64 = 0;
  private readonly moment: Moment;
  private readonly grave: Tombstone = new Tombstone();
  private readonly copy: EntryCopy;
  /** Whether the tombstone has taken the place of a flushed session. */
  private tookFlushed: bool = false;

  constructor(
    private readonly pages: Pages,
    private readonly graves: Graves,
    private readonly settings: Settings,
    private readonly metrics: Metrics,
    names: Names,
  ) {
    this.moment = pages.moment;
    this.copy = new EntryCopy(names);
  }

  /** Removes a handle and refuses it from now on, whether it is held or not. Needs settings that were just read. */
  remove(id: usize, idLength: i32, cause: u8): RemoveOutcome {
    this.removedSession = 0;
    return this.bury(id, idLength, cause, 0, 0, 0);
  }

  /**
   * Takes in a removal of another cache: refuses its ID up to its `until`, and as long as is due if a session is held. The
   * time of the removal is kept, and its description. A removal that is here already fills in unknown fields. Needs settings
   * that were just read.
   */
  takeIn(removed: Tombstone): RemoveOutcome {
    this.removedSession = 0;
    const given = removed.about.known;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(removed.id, removed.idLength);
      if (!page) break;
      this.moment.take();
      const monotonicUntil = this.moment.monotonicAt(removed.until);
      const entry = page.find(removed.id, removed.idLength);
      if (entry && !entry.isTombstone) {
        return this.bury(removed.id, removed.idLength, removed.cause, 0, removed.until, monotonicUntil);
      }
      if (entry && entry.refusesAt(this.moment) && entry.until >= removed.until) return RemoveOutcome.Identical;
      removed.monotonicUntil = monotonicUntil;
      removed.stamp = stampOver(entry, Decision.Removal, this.moment.nanoseconds);
      removed.about.known = given;
      if (entry) {
        this.graves.describe(removed, entry);
        lengthen(removed, entry.until, entry.monotonicUntil);
        page.remove(entry);
      }
      removed.isOwn = true;
      this.graves.displaced = 0;
      this.graves.place(page, removed);
      this.copy.session.clear();
      this.noteRemoval(removed, NOT_HELD);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.graves.countDisplaced();
        return RemoveOutcome.NotFound;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return RemoveOutcome.Contended;
  }

  /** Whether the session of a handle was removed, by another handle of it. Takes the present moment. */
  removalOf(handle: Session): Removal {
    if (!handle.knows(Known.SESSION) || handle.session == 0) return Removal.None;
    this.moment.take();
    return this.graves.removalOf(handle.session);
  }

  /**
   * Refuses a handle that a removed session is given later. Under `observe` it is only counted: there each resumption could
   * bring one more, and no tombstone gives way to a session that is learned.
   */
  follow(handle: Session, removal: Removal): void {
    this.metrics.increase(Metric.NOT_STORED_REMOVED, 1);
    const isEnforced = this.settings.enforcement != Enforcement.OBSERVE;
    if (removal == Removal.InForce && isEnforced && isStorable(handle)) this.buryAfter(handle);
  }

  /** Removes a handle of the session whose removal was found last. */
  buryAfter(handle: Session): void {
    const graves = this.graves;
    const seconds = handle.knows(Known.TIMEOUT) ? handle.timeoutSeconds : this.settings.timeoutSeconds;
    const expiry = this.moment.seconds + <u64>seconds;
    const until = max(expiry, graves.until);
    const monotonicUntil = max(graves.monotonicUntil, this.moment.monotonicAt(expiry));
    this.removedSession = handle.session;
    this.bury(handle.id, handle.idLength, Cause.API, handle.session, until, monotonicUntil);
  }

  /**
   * Refuses whatever else is learned under the name of a session that was removed before it was known to have several
   * handles.
   */
  buryName(session: u64): void {
    if (this.graves.removalOf(session) != Removal.None) return;
    const until = this.moment.seconds + <u64>this.settings.removedSeconds;
    this.graves.buryName(session, until, this.moment.monotonicAt(until), Cause.API);
  }

  /**
   * Puts a tombstone in the place of whatever is held of an ID, for as long as is due and until the given seconds at least.
   * `session`: the name of its session, if that has been removed already.
   */
  private bury(id: usize, idLength: i32, cause: u8, session: u64, until: u64, monotonicUntil: u64): RemoveOutcome {
    const grave = this.grave;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(id, idLength);
      if (!page) break;
      this.moment.take();
      grave.id = id;
      grave.idLength = idLength;
      grave.hidden = false;
      grave.session = session;
      grave.about.clear();
      grave.time = this.moment.seconds;
      grave.until = this.moment.seconds + <u64>this.settings.removedSeconds;
      grave.cause = cause;
      const entry = page.find(id, idLength);
      if (entry && !entry.isTombstone) lengthen(grave, entry.expiry, 0);
      grave.monotonicUntil = this.moment.monotonicAt(grave.until);
      lengthen(grave, until, monotonicUntil);
      if (entry && entry.isTombstone) lengthen(grave, entry.until, entry.monotonicUntil);
      const named = entry ? entry.session : 0;
      if (named != 0 && named != session && named != this.removedSession) {
        if (!this.graves.buryName(named, grave.until, grave.monotonicUntil, cause)) break;
        this.removedSession = named;
        continue;
      }
      grave.stamp = stampOver(entry, Decision.Removal, this.moment.nanoseconds);
      const held = this.buryIn(page, entry, grave);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.graves.countDisplaced();
        if (this.tookFlushed) this.metrics.increase(Metric.FLUSHED, 1);
        if (held) this.metrics.increase(Metric.REMOVES, 1);
        return held ? RemoveOutcome.Removed : RemoveOutcome.NotFound;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return RemoveOutcome.Contended;
  }

  /** Puts a tombstone in the place of a page's entry of its ID, if it has one. Returns whether a session was held. */
  private buryIn(page: Page, entry: Entry | null, grave: Tombstone): bool {
    this.graves.displaced = 0;
    this.tookFlushed = false;
    let held = false;
    this.copy.session.clear();
    if (entry) {
      this.copy.takeAbout(entry);
      this.tookFlushed = !entry.isTombstone && this.settings.flushed(entry.generation, entry.expiry);
      held = !entry.isTombstone && !this.tookFlushed;
      const session = grave.session;
      this.graves.describe(grave, entry);
      if (grave.session == 0) grave.session = session;
      page.remove(entry);
    }
    grave.isOwn = true;
    this.graves.place(page, grave);
    this.noteRemoval(grave, held);
    return held;
  }

  /** Notes the event of a removal, with the names of `copy`. */
  private noteRemoval(grave: Tombstone, held: bool): void {
    const outbox = this.pages.outbox;
    outbox.about.take(this.copy.session);
    if (held) outbox.note(grave.version, grave.time, EventType.REMOVED, EventCause.API, grave.id, grave.idLength);
    else outbox.noteUnheld(grave.version, grave.time, EventType.REMOVED, EventCause.API, grave.id, grave.idLength);
  }
}

const NOT_HELD: bool = false;
