/**
 * The cache of TLS sessions: OpenSSL's SSL_CTX_add_session(3) and SSL_CTX_remove_session(3), shared by all workers.
 *
 * Promises:
 * - The number of sessions never exceeds the size (0 = unlimited within the pages' memory); see `admission.ts`.
 * - A removed session stays removed until its tombstone ends or it is added again by hand. No learning, no load and no
 *   clock that steps backwards lifts a tombstone: tombstones displace sessions, never the other way round, and a page
 *   that can hold no more of them is saturated: every ID that it does not hold counts as removed.
 * - No update of one worker overwrites that of another: every change is a compare-and-set of one page, retried a
 *   bounded number of times. A change that could not be stored says so and is counted.
 * - Memory is bounded by pages x PAGE_CAPACITY, whatever clients, upstreams and callers send.
 *
 * Cost: one read and one write of a page for a change, one read for a look; the settings are one small read more.
 * Nothing here allocates, throws or waits.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../ports/clock";
import { Metrics } from "../ports/metrics";
import { PeerAddress } from "../ports/peer_address";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Admission, Admissions } from "./admission";
import { EventCause, EventType } from "./events/event";
import { Sequencer } from "./events/sequencer";
import { KeyedHash } from "./keyed_hash";
import { learns, looksUp, Mode } from "./mode";
import { Entry, Page, sessionSize, tombstoneSize } from "./page";
import { MAX_TRIES, Pages } from "./pages";
import { Names, NO_NAME } from "./names";
import { Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, MAX_UPSTREAM_LENGTH, Origin } from "./session";
import { Session, TICKET_KEY_LENGTH, Tombstone } from "./session";
import { Revocations } from "./revocations";
import { Settings } from "./settings";
import { Metric } from "./statistics";
import { TicketKeys } from "./ticket_keys";

export const enum Lookup {
  Found = 0,
  Absent = 1,
  /** Held, but beyond its timeout. */
  Expired = 2,
  /** Not held, and refused: by a tombstone or by a saturated page. */
  Removed = 3,
  /** The store did not answer. */
  Unavailable = 4,
}

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

export const enum RemoveOutcome {
  Removed = 0,
  /** Nothing was held; the ID is not resumable from now on all the same. OpenSSL returns 0. */
  NotFound = 1,
  Contended = 2,
}

export class Cache {
  /**
   * What the last call found or stored; its pointers are valid until the next one. Of a removed session only the
   * upstream is to be relied on, where it is known.
   */
  readonly found: Session = new Session();
  readonly tombstone: Tombstone = new Tombstone();
  readonly pages: Pages;
  /** What happened to sessions, in order, over all workers. */
  readonly events: Sequencer;
  readonly ticketKeys: TicketKeys;
  readonly revocations: Revocations;
  /** By which everything finds its place in the store, for this cache only. */
  readonly hash: KeyedHash;
  /** Names that many sessions share. */
  readonly names: Names;
  private readonly admissions: Admissions;
  private readonly next: Session = new Session();
  private settingsRead: u64 = 0;
  private agedAt: u64 = 0;
  /** Sessions that the page at hand lost to make room, to be counted once it is stored. */
  private displaced: i32 = 0;
  /** What to count for the session whose place is taken though it counts as gone: expired, flushed, or NONE_GONE. */
  private gone: i32 = NONE_GONE;

  /** Opens the cache that `settings` were configured for. */
  constructor(
    readonly settings: Settings,
    sharedStore: SharedStore,
    readonly clock: Clock,
    readonly metrics: Metrics,
  ) {
    const hash = settings.hash;
    const pages = new Pages(settings.cacheName, settings.pages, hash, sharedStore, clock, metrics);
    this.pages = pages;
    this.hash = hash;
    this.names = new Names(settings.cacheName, sharedStore, hash);
    this.events = new Sequencer(settings.cacheName, sharedStore, clock, metrics);
    this.ticketKeys = new TicketKeys(settings.cacheName, sharedStore, clock, hash, settings.changes);
    this.revocations = new Revocations(settings.cacheName, sharedStore, clock, hash, settings.changes);
    this.admissions = new Admissions(pages, metrics, clock);
    if (settings.created) {
      // Gauges may outlive the store, for instance where all listeners were replaced.
      metrics.record(Metric.SESSIONS, 0);
      metrics.record(Metric.TOMBSTONES, 0);
      metrics.record(Metric.SATURATED_PAGES, 0);
    }
    metrics.record(Metric.CACHE_SIZE, settings.cacheSize);
  }

  /** Returns the memory that is not collected. Not to be used afterwards. */
  free(): void {
    this.pages.free();
    this.events.free();
    this.names.free();
    this.ticketKeys.free();
    this.revocations.free();
    this.settings.free();
  }

  get previous(): u32 {
    return this.settings.previous;
  }

  /** Takes the settings, and what decides about resumptions, as they are now. To be called before that is asked for. */
  readSettings(): bool {
    this.settingsRead = this.clock.nowNanoseconds();
    return this.settings.load();
  }

  /** As `readSettings`, for what need only be right within a second: what was read a moment ago will do. */
  readSettingsOfLate(): void {
    // A clock that was set back makes a very long time of it.
    if (this.clock.nowNanoseconds() - this.settingsRead >= OF_LATE_NANOSECONDS) this.readSettings();
  }

  /** What is due now and then; to be called several times a second. */
  tick(): void {
    this.pages.tick();
    this.ticketKeys.tick();
    const now = this.clock.nowSeconds();
    if (now == this.agedAt) return;
    this.agedAt = now;
    this.settings.changes.age();
  }

  changeMode(mode: u32): bool {
    return this.settings.changeMode(mode);
  }

  /** A smaller size is in force for every later add at once; `Shrink` carries out what it means for what is held. */
  changeCacheSize(size: u32): bool {
    if (!this.settings.changeCacheSize(size)) return false;
    this.metrics.record(Metric.CACHE_SIZE, size);
    return true;
  }

  changeEnforcement(enforcement: u32): bool {
    return this.settings.changeEnforcement(enforcement);
  }

  /** Holds for sessions that are stored from now on. */
  changeTimeout(seconds: u32): bool {
    return this.settings.changeTimeout(seconds);
  }

  nowSeconds(): u64 {
    return this.clock.nowSeconds();
  }

  /** Sessions held, expired but unswept ones included. */
  number(): u64 {
    const number = this.metrics.read(Metric.SESSIONS);
    const size = <u64>this.settings.cacheSize;
    // The gauge also counts sessions that are about to be stored.
    return size != 0 && number > size ? size : number;
  }

  /** Looks at a session without using it: counts nothing. Fills `found` where it is held, expired or not. */
  peek(id: usize, idLength: i32): Lookup {
    this.readSettings();
    return this.look(id, idLength);
  }

  /** As `peek`, where `readSettings` was called before. Of a removed session `found` has the upstream, if it was known. */
  look(id: usize, idLength: i32): Lookup {
    const page = this.pages.open(id, idLength);
    return page ? this.lookIn(page, id, idLength, this.clock.nowSeconds()) : Lookup.Unavailable;
  }

  /**
   * Adds or changes a session by hand: SSL_CTX_add_session. Only the fields in `change.known` and `change.cleared`
   * count. A removed session is lifted by it. Fills `found` with what is stored then.
   */
  put(change: Session): PutOutcome {
    this.readSettings();
    return this.store(change, ORIGIN_API);
  }

  /**
   * Stores a session that a completed handshake issued; one that is held under its ID is replaced. Under
   * NO_INTERNAL_STORE it is told as an event and not stored, as OpenSSL calls new_cb for an external cache.
   */
  learn(issued: Session): PutOutcome {
    const mode = this.settings.mode;
    if (learns(mode)) return this.store(issued, ORIGIN_ISSUED);
    if ((mode & Mode.SERVER) != 0 && storable(issued)) {
      const now = this.clock.nowNanoseconds();
      this.pages.tell(now, EventType.NEW, EventCause.HANDSHAKE, issued.id, issued.idLength);
    }
    return PutOutcome.NotStored;
  }

  /**
   * Notes that an upstream has accepted a session: a hit where it is held, a timeout where it is held but expired, else
   * a miss; what is not held is learned. Fills in what was unknown of a held one; never changes its time, issuer or
   * origin, and never lifts a tombstone. `accepted` says what the handshake showed; who has accepted it is asked of
   * `server` where it is not known yet. Needs `readSettings` before.
   */
  resume(accepted: Session, server: PeerAddress | null = null): Lookup {
    const counts = looksUp(this.settings.mode);
    const lookup = this.touch(accepted, server, counts);
    if (lookup == Lookup.Absent && learns(this.settings.mode)) {
      if (server) accepted.tellUpstream(server);
      this.store(accepted, ORIGIN_ACCEPTED);
    }
    if (counts) this.count(lookup);
    return lookup;
  }

  /**
   * Notes that an upstream has not accepted a session that was offered to it. An ID that may have been made up for
   * compatibility (`certain` false) counts only where the cache knows it. Needs `readSettings` before.
   */
  decline(id: usize, idLength: i32, upstream: usize, upstreamLength: i32, certain: bool): Lookup {
    if (!looksUp(this.settings.mode)) return Lookup.Absent;
    const lookup = this.look(id, idLength);
    if (lookup == Lookup.Absent && !certain) return lookup;
    if (lookup != Lookup.Found) {
      this.count(lookup);
      return lookup;
    }
    this.metrics.increase(Metric.DECLINED, 1);
    const issuer = this.found;
    if (issuer.knows(Known.UPSTREAM) && !equal(issuer.upstream, issuer.upstreamLength, upstream, upstreamLength)) {
      this.metrics.increase(Metric.LOST, 1);
    }
    return lookup;
  }

  /** Counts and tells that a session was refused on the wire. `cause` is one of `EventCause`. */
  refused(id: usize, idLength: i32, cause: u8): void {
    this.metrics.increase(Metric.REFUSED, 1);
    // One of very many identities is refused without being known.
    if (idLength == 0) return;
    this.pages.tell(this.clock.nowNanoseconds(), EventType.REFUSED, cause, id, idLength);
  }

  /** Removes a session and refuses its ID from now on, also where it is not held: SSL_CTX_remove_session. */
  remove(id: usize, idLength: i32, cause: u8): RemoveOutcome {
    this.readSettings();
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(id, idLength);
      if (!page) break;
      const nowNanoseconds = this.clock.nowNanoseconds();
      const now = nowNanoseconds / NANOSECONDS_PER_SECOND;
      const grave = this.tombstone;
      grave.id = id;
      grave.idLength = idLength;
      grave.upstreamName = NO_NAME;
      grave.time = now;
      grave.until = now + <u64>this.settings.removedSeconds;
      grave.cause = cause;
      const held = this.bury(page, grave, nowNanoseconds);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.countDisplaced();
        if (held) this.metrics.increase(Metric.REMOVES, 1);
        return held ? RemoveOutcome.Removed : RemoveOutcome.NotFound;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return RemoveOutcome.Contended;
  }

  /** Puts a tombstone in the place of whatever a page has of its ID. Answers whether a session was held. */
  private bury(page: Page, grave: Tombstone, nowNanoseconds: u64): bool {
    this.displaced = 0;
    this.gone = NONE_GONE;
    let held = false;
    const entry = page.find(grave.id, grave.idLength);
    if (entry) {
      held = !entry.isTombstone && !this.settings.flushed(entry.generation, entry.expiry);
      if (!held && !entry.isTombstone) this.gone = Metric.FLUSHED;
      const until = entry.isTombstone ? entry.until : entry.expiry;
      if (until > grave.until) grave.until = until;
      entry.copyUpstream(grave);
      page.remove(entry);
    }
    const hasRoom = this.makeRoom(page, tombstoneSize(grave), nowNanoseconds);
    grave.version = this.pages.version(page, nowNanoseconds);
    this.pages.note(grave.version, grave.time, EventType.REMOVED, EventCause.API, grave.id, grave.idLength);
    if (hasRoom && page.appendTombstone(grave)) return held;
    // Nothing but tombstones: from now on, whatever this page does not hold counts as removed.
    if (grave.until > page.saturatedUntil) page.saturatedUntil = grave.until;
    return held;
  }

  private lookIn(page: Page, id: usize, idLength: i32, now: u64): Lookup {
    const entry = page.find(id, idLength);
    if (entry && !entry.isTombstone) {
      entry.readSession(this.found, this.names);
      if (this.found.expiredAt(now)) return Lookup.Expired;
      return this.settings.flushed(entry.generation, entry.expiry) ? Lookup.Removed : Lookup.Found;
    }
    const refused = page.saturatedAt(now) || (entry != null && now <= entry.until);
    if (!refused) return Lookup.Absent;
    this.found.clear();
    if (entry) entry.readUpstream(this.found, this.names);
    return Lookup.Removed;
  }

  /** Counts a hit in the record of an accepted session, if it is held. */
  private touch(accepted: Session, server: PeerAddress | null, counts: bool): Lookup {
    let lookup = Lookup.Unavailable;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(accepted.id, accepted.idLength);
      if (!page) return Lookup.Unavailable;
      const now = this.clock.nowSeconds();
      lookup = this.lookIn(page, accepted.id, accepted.idLength, now);
      if (lookup != Lookup.Found || !counts) return lookup;
      const entry = page.find(accepted.id, accepted.idLength);
      if (!entry) return lookup;
      entry.countHit(now);
      this.fillIn(page, entry, accepted, server);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) return lookup;
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return lookup;
  }

  /** Completes a held session by what a handshake showed; leaves it as it is where the page has no room for more. */
  private fillIn(page: Page, entry: Entry, accepted: Session, server: PeerAddress | null): void {
    const held = this.copy(entry);
    if (server && !held.knows(Known.UPSTREAM)) accepted.tellUpstream(server);
    const news = accepted.known & ~held.known & FILLED_IN;
    if (news == 0) return;
    const size = entry.size;
    const generation = entry.generation;
    overlay(held, accepted, news);
    this.lookUpNames(held);
    if (!page.hasRoom(sessionSize(held) - size)) return;
    page.remove(entry);
    held.version = this.pages.version(page, this.clock.nowNanoseconds());
    page.appendSession(held, generation);
  }

  /** The common way of all additions. `origin` says how they differ. */
  private store(change: Session, origin: i32): PutOutcome {
    if (!storable(change)) return PutOutcome.NotStored;
    let reserved = 0;
    let outcome = PutOutcome.Contended;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(change.id, change.idLength);
      if (!page) break;
      const nowNanoseconds = this.clock.nowNanoseconds();
      const now = nowNanoseconds / NANOSECONDS_PER_SECOND;
      const entry = page.find(change.id, change.idLength);
      const holds = entry != null && !entry.isTombstone;
      outcome = this.judge(page, entry, change, origin, now);
      if (outcome == PutOutcome.Identical || outcome == PutOutcome.Refused || outcome == PutOutcome.NotStored) {
        if (outcome == PutOutcome.Identical) this.touchTime(entry, now);
        break;
      }
      if (!holds && reserved == 0) {
        const admission = this.admissions.reserve(this.settings.cacheSize);
        if (admission == Admission.Denied) {
          outcome = PutOutcome.Contended;
          break;
        }
        reserved = 1;
        if (admission == Admission.Evicted) {
          // Evicting has used the page's buffer.
          outcome = PutOutcome.Contended;
          continue;
        }
      }
      if (!this.compose(page, entry, change, origin, outcome, nowNanoseconds)) {
        outcome = PutOutcome.NoRoom;
        break;
      }
      const result = this.pages.commit(reserved);
      if (result == StoreResult.Ok) {
        this.countDisplaced();
        this.metrics.increase(outcome == PutOutcome.Added ? Metric.ADDS : Metric.REPLACES, 1);
        this.overtakeFlush(change);
        return outcome;
      }
      outcome = PutOutcome.Contended;
      if (result != StoreResult.Conflict) break;
    }
    if (reserved != 0) this.admissions.release();
    if (outcome == PutOutcome.Contended) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    else if (outcome == PutOutcome.NoRoom) this.metrics.increase(Metric.NOT_STORED_NO_ROOM, 1);
    else if (outcome == PutOutcome.Refused) this.metrics.increase(Metric.NOT_STORED_REMOVED, 1);
    return outcome;
  }

  /**
   * A flush that began between the look at the settings and the storing did not reach this session, but would make it
   * count as flushed: unless it is given the new generation, as if it had been stored after the flush.
   */
  private overtakeFlush(stored: Session): void {
    const generation = this.settings.generation;
    const version = this.found.version;
    if (!this.settings.load() || this.settings.generation == generation) return;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(stored.id, stored.idLength);
      if (!page) return;
      const entry = page.find(stored.id, stored.idLength);
      // Where it is gone, the flush came after it, and has carried it out.
      if (!entry || entry.isTombstone || entry.version != version) return;
      entry.generation = this.settings.generation;
      entry.readSession(this.found, this.names);
      if (this.pages.commit(0) != StoreResult.Conflict) return;
    }
  }

  /** What an addition would be, in view of what the page has of its ID. */
  private judge(page: Page, entry: Entry | null, change: Session, origin: i32, now: u64): PutOutcome {
    if (entry && !entry.isTombstone) {
      if (origin == ORIGIN_ACCEPTED) return PutOutcome.NotStored;
      entry.readSession(this.found, this.names);
      if (this.found.expiredAt(now)) return PutOutcome.Added;
      if (this.settings.flushed(entry.generation, entry.expiry)) {
        return origin == ORIGIN_API ? PutOutcome.Added : PutOutcome.Refused;
      }
      if (origin == ORIGIN_ISSUED) return PutOutcome.Replaced;
      return changesNothing(this.found, change) ? PutOutcome.Identical : PutOutcome.Replaced;
    }
    if (origin == ORIGIN_API) return PutOutcome.Added;
    const refused = page.saturatedAt(now) || (entry != null && now <= entry.until);
    return refused ? PutOutcome.Refused : PutOutcome.Added;
  }

  /** Writes the new record into the page, in the place of the entry; false where no room could be made for it. */
  private compose(
    page: Page,
    entry: Entry | null,
    change: Session,
    origin: i32,
    outcome: PutOutcome,
    nowNanoseconds: u64,
  ): bool {
    const now = nowNanoseconds / NANOSECONDS_PER_SECOND;
    let record = this.next;
    if (entry && outcome == PutOutcome.Replaced && origin == ORIGIN_API) {
      record = this.copy(entry);
    } else {
      record.clear();
      record.id = change.id;
      record.idLength = change.idLength;
      record.timeoutSeconds = this.settings.timeoutSeconds;
    }
    overlay(record, change, change.known);
    record.known &= ~change.cleared;
    record.time = now;
    record.origin = origin == ORIGIN_API ? Origin.API : Origin.OBSERVED;
    if (origin == ORIGIN_ACCEPTED) {
      record.known |= Known.LAST_USED;
      record.lastUsed = now;
    }
    this.gone = NONE_GONE;
    if (entry && !entry.isTombstone && outcome == PutOutcome.Added) {
      this.gone = now > entry.expiry ? Metric.EXPIRED : Metric.FLUSHED;
    }
    this.lookUpNames(record);
    if (entry) page.remove(entry);
    this.displaced = 0;
    if (!this.makeRoom(page, sessionSize(record), nowNanoseconds)) return false;
    record.version = this.pages.version(page, nowNanoseconds);
    const type = outcome == PutOutcome.Added ? EventType.NEW : EventType.REPLACED;
    const cause = origin == ORIGIN_API ? EventCause.API : EventCause.HANDSHAKE;
    this.pages.note(record.version, now, type, cause, record.id, record.idLength);
    const stored = page.appendSession(record, this.settings.generation);
    if (!stored) return false;
    stored.readSession(this.found, this.names);
    return true;
  }

  /** OpenSSL's SSL_SESS_CACHE_UPDATE_TIME: adding the identical session makes it young again. Best effort. */
  private touchTime(entry: Entry | null, now: u64): void {
    if (!entry || (this.settings.mode & Mode.UPDATE_TIME) == 0) return;
    entry.time = now;
    entry.readSession(this.found, this.names);
    if (this.pages.commit(0) != StoreResult.Ok) this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
  }

  /**
   * Frees room in a page: first of tombstones that have ended, then of sessions, the earliest to expire first.
   * Never of a tombstone that still refuses something.
   */
  private makeRoom(page: Page, size: i32, nowNanoseconds: u64): bool {
    const now = nowNanoseconds / NANOSECONDS_PER_SECOND;
    while (!page.hasRoom(size)) {
      const lapsed = page.lapsedTombstone(now);
      if (lapsed) {
        page.remove(lapsed);
        continue;
      }
      const displaced = page.earliestToExpire();
      if (!displaced) return false;
      this.pages.noteGone(page, displaced, nowNanoseconds, EventType.EVICTED, EventCause.ROOM);
      page.remove(displaced);
      this.displaced++;
    }
    return true;
  }

  /** Finds the numbers of the names that a record brings. */
  private lookUpNames(record: Session): void {
    const known = record.known;
    const names = this.names;
    if (known & Known.SNI && record.sniName == NO_NAME) record.sniName = names.numberOf(record.sni, record.sniLength);
    if (known & Known.UPSTREAM && record.upstreamName == NO_NAME) {
      record.upstreamName = names.numberOf(record.upstream, record.upstreamLength);
    }
    if (known & Known.TICKET_KEY && record.ticketKeyName == NO_NAME) {
      record.ticketKeyName = names.numberOf(record.ticketKey, TICKET_KEY_LENGTH);
    }
  }

  /** A view of an entry that stays valid while its page is edited. */
  private copy(entry: Entry): Session {
    memory.copy(ENTRY_COPY, changetype<usize>(entry), entry.size);
    changetype<Entry>(ENTRY_COPY).readSession(this.next, this.names);
    return this.next;
  }

  private count(lookup: Lookup): void {
    if (lookup == Lookup.Found) this.metrics.increase(Metric.HITS, 1);
    else if (lookup == Lookup.Expired) this.metrics.increase(Metric.TIMEOUTS, 1);
    else if (lookup != Lookup.Unavailable) this.metrics.increase(Metric.MISSES, 1);
  }

  private countDisplaced(): void {
    if (this.displaced > 0) this.metrics.increase(Metric.CACHE_FULL, this.displaced);
    if (this.gone != NONE_GONE) this.metrics.increase(this.gone, 1);
  }
}

/** Copies the given fields of a change. */
function overlay(record: Session, change: Session, fields: u32): void {
  if (fields & Known.KIND) record.kind = change.kind;
  if (fields & Known.PROTOCOL) record.protocol = change.protocol;
  if (fields & Known.CIPHER) record.cipher = change.cipher;
  if (fields & Known.TIMEOUT) record.timeoutSeconds = change.timeoutSeconds;
  if (fields & Known.TICKET_KEY) {
    record.ticketKey = change.ticketKey;
    record.ticketKeyName = NO_NAME;
  }
  if (fields & Known.SNI) {
    record.sni = change.sni;
    record.sniLength = change.sniLength;
    record.sniName = NO_NAME;
  }
  if (fields & Known.UPSTREAM) {
    record.upstream = change.upstream;
    record.upstreamLength = change.upstreamLength;
    record.upstreamName = NO_NAME;
  }
  record.known |= fields;
}

/** Whether every given field of a change equals the stored one. */
function changesNothing(stored: Session, change: Session): bool {
  const given = change.known;
  if ((given & stored.known) != given || (change.cleared & stored.known) != 0) return false;
  if (given & Known.KIND && change.kind != stored.kind) return false;
  if (given & Known.PROTOCOL && change.protocol != stored.protocol) return false;
  if (given & Known.CIPHER && change.cipher != stored.cipher) return false;
  if (given & Known.TIMEOUT && change.timeoutSeconds != stored.timeoutSeconds) return false;
  if (given & Known.SNI && !equal(change.sni, change.sniLength, stored.sni, stored.sniLength)) return false;
  if (given & Known.UPSTREAM) {
    return equal(change.upstream, change.upstreamLength, stored.upstream, stored.upstreamLength);
  }
  return true;
}

/** Whether a record is within the limits that the page's layout has. */
function storable(session: Session): bool {
  const known = session.known;
  if (session.idLength < 1 || session.idLength > MAX_ID_LENGTH) return false;
  if (known & Known.SNI && (session.sniLength < 0 || session.sniLength > MAX_SNI_LENGTH)) return false;
  return !(known & Known.UPSTREAM && (session.upstreamLength < 0 || session.upstreamLength > MAX_UPSTREAM_LENGTH));
}

function equal(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength == bLength && memory.compare(a, b, aLength) == 0;
}

const OF_LATE_NANOSECONDS: u64 = 100_000_000;
const ORIGIN_API: i32 = 0;
const ORIGIN_ISSUED: i32 = 1;
const ORIGIN_ACCEPTED: i32 = 2;
const NONE_GONE: i32 = -1;
const FILLED_IN: u32 = Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY;
/** Room for MAX_ENTRY_SIZE bytes. */
const ENTRY_COPY: usize = memory.data(512, 8);
