/**
 * How sessions leave a page: the room for tombstones, and the meaning of the removal of one handle for the others.
 *
 * A session that has several handles (its ID and its ticket, a renewed ticket and the one that it renews) has a name, which
 * the rows of all of them carry. Its removal puts a hidden tombstone for that name first, then one for each handle that is
 * held (`session_removal.ts`); from the first on all of them are refused. So whatever ends a row looks for the hidden one: a
 * handle of a removed session leaves a tombstone wherever it goes, and never only makes room.
 *
 * Cost: nothing for rows without such a name, one look at a page more for those that have one.
 */
import { Metrics } from "../ports/metrics";
import { StoreResult } from "../ports/shared_store";
import { EventType } from "./events/event";
import { EventCause } from "./record/event_cause";
import { Entry, stampOver, tombstoneSize } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { Cause, MAX_ID_LENGTH, Tombstone } from "./record/session";
import { Decision, stampAt, stampOn } from "./record/stamp";
import { Settings } from "./settings/settings";
import { Metric } from "./counting/statistics";

export const enum Removal {
  None = 0,
  /** All handles of the session are refused. */
  InForce = 1,
  /** The page of the name can hold no more removals: the session counts as removed, and no tombstone is put for that. */
  Saturated = 2,
  /** The store did not answer. */
  Unknown = 3,
}

export class Graves {
  /** Sessions that the open page has lost to make room, to be counted once it is stored. */
  displaced: i32 = 0;
  /** Until when the removal that `removalOf` has found refuses, by both clocks (`moment.ts`). */
  until: u64 = 0;
  monotonicUntil: u64 = 0;
  /** The stamp of that removal. */
  stamp: u64 = 0;
  private readonly grave: Tombstone = new Tombstone();

  constructor(
    private readonly pages: Pages,
    private readonly settings: Settings,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Reports whether a session of a name was removed, and fills `until`, `monotonicUntil` and `stamp`. Leaves the open page as it is.
   * Needs the present moment in `pages.moment`.
   */
  removalOf(session: u64): Removal {
    store<u64>(NAME, session);
    const page = this.pages.lookAside(NAME, NAME_SIZE);
    if (!page) return Removal.Unknown;
    const moment = this.pages.moment;
    const entry = page.findSession(session);
    if (entry && entry.refusesAt(moment)) {
      this.until = entry.until;
      this.monotonicUntil = entry.monotonicUntil;
      this.stamp = entry.stamp;
      return Removal.InForce;
    }
    return page.saturatedAt(moment) ? Removal.Saturated : Removal.None;
  }

  /**
   * Refuses all handles of a session from now on, until a second at least. Uses the buffer of the open page. False if it
   * could not be stored. `stamp`: that of a removal on another proxy; 0 for one of this proxy.
   */
  buryName(session: u64, until: u64, monotonicUntil: u64, cause: u8, stamp: u64 = 0): bool {
    const grave = this.grave;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      store<u64>(NAME, session);
      const page = this.pages.open(NAME, NAME_SIZE);
      if (!page) return false;
      this.displaced = 0;
      this.pages.moment.take();
      const entry = page.findSession(session);
      if (entry && entry.until >= until && entry.monotonicUntil >= monotonicUntil) return true;
      grave.id = NAME;
      grave.idLength = NAME_SIZE;
      grave.hidden = true;
      grave.session = 0;
      grave.about.clear();
      grave.isOwn = false;
      grave.time = this.pages.moment.seconds;
      grave.until = until;
      grave.monotonicUntil = monotonicUntil;
      grave.cause = cause;
      if (stamp == 0) grave.stamp = stampOver(entry, Decision.Removal, this.pages.moment.nanoseconds);
      else grave.stamp = entry ? max(entry.stamp, stamp) : stamp;
      if (entry) {
        lengthen(grave, entry.until, entry.monotonicUntil);
        page.remove(entry);
      }
      this.place(page, grave);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.countDisplaced();
        return true;
      }
      if (result != StoreResult.Conflict) return false;
    }
    return false;
  }

  /**
   * Puts a tombstone into a page that has no entry of its ID: in the room of ended tombstones, then of live sessions. If
   * there is none, saturates the page. Gives the tombstone its version. Returns whether there was room.
   */
  place(page: Page, grave: Tombstone): bool {
    const hasRoom = this.makeRoom(page, tombstoneSize(grave));
    grave.version = this.pages.version(page, this.pages.moment.nanoseconds);
    if (hasRoom && page.appendTombstone(grave)) return true;
    // Nothing but tombstones: from now on, every ID that this page does not hold counts as removed.
    page.saturate(grave.until, grave.monotonicUntil);
    return false;
  }

  /**
   * Turns a session of the page into a tombstone that refuses it as long as is due, and until `until` at least. There is
   * always room for it, as it is not larger. `stamp`: that of its removal, if it stands on top of nothing later; `isOwn`:
   * whether this proxy tells the others of it. Returns until when it refuses by the clock of the day; the machine's second is
   * in `monotonicUntil`.
   */
  replace(page: Page, entry: Entry, cause: u8, until: u64, monotonicUntil: u64, stamp: u64, isOwn: bool): u64 {
    const moment = this.pages.moment;
    const grave = this.grave;
    const expiry = entry.expiry;
    memory.copy(ID_COPY, entry.id, entry.idLength);
    grave.id = ID_COPY;
    grave.idLength = entry.idLength;
    grave.hidden = false;
    grave.time = moment.seconds;
    grave.until = moment.seconds + <u64>this.settings.removedSeconds;
    if (expiry > grave.until) grave.until = expiry;
    grave.monotonicUntil = moment.monotonicAt(grave.until);
    lengthen(grave, until, monotonicUntil);
    grave.cause = cause;
    grave.stamp = stampOn(stamp, Decision.Removal, entry.decision, entry.stamp);
    grave.about.clear();
    entry.describe(grave);
    grave.isOwn = isOwn;
    page.remove(entry);
    grave.version = this.pages.version(page, moment.nanoseconds);
    page.appendTombstone(grave);
    this.monotonicUntil = grave.monotonicUntil;
    return grave.until;
  }

  /**
   * Gives a tombstone the description of the entry whose place it takes, as far as it has none, and the name of its session.
   * A removal that has ended describes nothing.
   */
  describe(grave: Tombstone, entry: Entry): void {
    if (entry.isTombstone && !entry.refusesAt(this.pages.moment)) grave.session = entry.session;
    else entry.describe(grave);
  }

  /** Takes a handle of a removed session out of its page, as a removed session. */
  remove(page: Page, entry: Entry, cause: u8, until: u64, monotonicUntil: u64): u64 {
    const nanoseconds = this.pages.moment.nanoseconds;
    this.pages.noteGone(page, entry, nanoseconds, EventType.REMOVED, EventCause.API);
    return this.replace(page, entry, cause, until, monotonicUntil, stampAt(nanoseconds), THIS_PROXY_TELLS);
  }

  /** Takes a session out of its page for a reason of the cache's own, and writes the event. */
  drop(page: Page, entry: Entry, type: u8, cause: u8): void {
    const session = entry.session;
    if (session != 0 && this.removalOf(session) == Removal.InForce) {
      // Only a call removes a session with all its handles.
      this.remove(page, entry, Cause.API, this.until, this.monotonicUntil);
      return;
    }
    this.pages.noteGone(page, entry, this.pages.moment.nanoseconds, type, cause);
    page.remove(entry);
  }

  /**
   * Frees room in a page: first of tombstones that have ended, then of sessions, the earliest to expire first. Never of a
   * tombstone that still refuses.
   */
  makeRoom(page: Page, size: i32): bool {
    while (!page.hasRoom(size)) {
      const lapsed = page.lapsedTombstone(this.pages.moment);
      if (lapsed) {
        page.remove(lapsed);
        continue;
      }
      const displaced = page.earliestToExpire();
      if (!displaced) return false;
      this.drop(page, displaced, EventType.EVICTED, EventCause.ROOM);
      this.displaced++;
    }
    return true;
  }

  countDisplaced(): void {
    if (this.displaced > 0) this.metrics.increase(Metric.CACHE_FULL, this.displaced);
    this.displaced = 0;
  }
}

/** Makes a tombstone last until a second at least, by each clock. */
export function lengthen(grave: Tombstone, until: u64, monotonicUntil: u64): void {
  if (until > grave.until) grave.until = until;
  if (monotonicUntil > grave.monotonicUntil) grave.monotonicUntil = monotonicUntil;
}

const THIS_PROXY_TELLS: bool = true;
const NAME_SIZE: i32 = 8;
const NAME: usize = memory.data(NAME_SIZE, 8);
const ID_COPY: usize = memory.data(MAX_ID_LENGTH);
