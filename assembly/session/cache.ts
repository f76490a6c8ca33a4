/**
 * The cache of TLS sessions: OpenSSL's SSL_CTX_add_session(3) and SSL_CTX_remove_session(3), shared by all workers.
 *
 * Promises:
 * - The number of sessions never exceeds the size (0 = unlimited within the pages' memory); see `admission.ts`.
 * - A removed session stays removed until its tombstone ends or it is added again by hand. No learning, no load and no
 *   clock that is set ahead or back lifts a tombstone (`moment.ts`): tombstones displace sessions, never the other way
 *   round, and a page that can hold no more of them is saturated: every ID that it does not hold counts as removed.
 * - Whoever removes one handle of a session removes all that are held, and those that it is given later (`graves.ts`).
 * - No update of one worker overwrites that of another: every change is a compare-and-set of one page, retried a
 *   bounded number of times. A change that could not be stored says so and is counted.
 * - Memory is bounded by pages x PAGE_CAPACITY, whatever clients, upstreams and callers send.
 *
 * Cost: one read and one write of a page for a change, one read for a look, and one more for a session of several
 * handles; the settings are one small read more.
 * Nothing here allocates, throws or waits.
 */
import { Clock } from "../ports/clock";
import { Metrics } from "../ports/metrics";
import { PeerAddress } from "../ports/peer_address";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Admission, Admissions } from "./admission";
import { beginCounts } from "./pages/census";
import { Counts } from "./counting/counts";
import { Graves, lengthen, Removal } from "./graves";
import { EventType } from "./events/event";
import { EventCause } from "./record/event_cause";
import { Enforcement } from "./settings/enforcement";
import { Sequencer } from "./events/sequencer";
import { Deadline, SLICE_NANOSECONDS } from "../work/job";
import { KeyedHash } from "../shared/keyed_hash";
import { learns, looksUp, Mode } from "./settings/mode";
import { Moment } from "./record/moment";
import { Entry, sessionSize } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { Issuers } from "./issuers";
import { Names, NO_NAME } from "../shared/names";
import { Cause, Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, MAX_UPSTREAM_LENGTH, Origin } from "./record/session";
import { Session, TICKET_KEY_LENGTH, Tombstone } from "./record/session";
import { Revocations } from "./revocation/revocations";
import { Settings } from "./settings/settings";
import { divertedFor, Metric, refusedFor } from "./counting/statistics";
import { TicketKeys } from "./revocation/ticket_keys";

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
  /** Which upstreams resume what they have issued. */
  readonly issuers: Issuers;
  /** By which everything finds its place in the store, for this cache only. */
  readonly hash: KeyedHash;
  /** Names that many sessions share. */
  readonly names: Names;
  /** How sessions leave pages. */
  readonly graves: Graves;
  /** How much it holds. */
  readonly counts: Counts;
  /**
   * Of the last `remove`: the name of the session that it took a handle of, 0 where it had but that one. Its other handles are
   * refused from then on; `SessionRemoval` takes them out.
   */
  removedSession: u64 = 0;
  private readonly moment: Moment;
  private readonly admissions: Admissions;
  private readonly next: Session = new Session();
  private readonly relief: Deadline;
  private settingsRead: u64 = 0;
  private agedAt: u64 = 0;
  /** What to count for the session whose place is taken though it counts as gone: expired, flushed, removed or NONE_GONE. */
  private gone: i32 = NONE_GONE;
  /** Of the addition at hand: the name of its session, which a record that counts as absent hands on. */
  private inherited: u64 = 0;

  /** Opens the cache that `settings` were configured for. */
  constructor(
    readonly settings: Settings,
    private readonly sharedStore: SharedStore,
    readonly clock: Clock,
    readonly metrics: Metrics,
  ) {
    const hash = settings.hash;
    const counts = new Counts(settings.cacheName, sharedStore, metrics);
    const pages = new Pages(settings.cacheName, settings.pages, hash, sharedStore, clock, metrics, counts);
    this.counts = counts;
    this.pages = pages;
    this.hash = hash;
    const names = new Names(settings.cacheName, sharedStore, hash);
    this.names = names;
    pages.names = names;
    this.events = new Sequencer(settings.cacheName, sharedStore, clock, metrics);
    this.ticketKeys = new TicketKeys(settings.cacheName, sharedStore, clock, hash, settings.changes);
    this.revocations = new Revocations(settings.cacheName, sharedStore, clock, hash, settings.changes);
    this.issuers = new Issuers(settings.cacheName, sharedStore, clock, hash, settings.changes);
    const graves = new Graves(pages, settings, metrics);
    this.graves = graves;
    this.moment = pages.moment;
    this.relief = new Deadline(clock);
    this.admissions = new Admissions(pages, counts, metrics, graves);
    if (settings.created) counts.begin(0, 0, 0);
    else if (!counts.exist) beginCounts(pages, counts);
    metrics.record(Metric.CACHE_SIZE, settings.cacheSize);
  }

  /** Returns the memory that is not collected. Not to be used afterwards. */
  free(): void {
    this.counts.settle();
    this.counts.free();
    this.pages.free();
    this.events.free();
    this.names.free();
    this.ticketKeys.free();
    this.revocations.free();
    this.issuers.free();
    this.settings.free();
  }

  /** Whether the host lets nothing be stored. */
  get deniesWrites(): bool {
    return this.sharedStore.deniesWrites;
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
    this.relieve(HALF_A_SLICE);
    this.ticketKeys.tick();
    this.names.follow();
    const now = this.clock.nowSeconds();
    if (now == this.agedAt) return;
    this.agedAt = now;
    this.settings.changes.age();
    this.issuers.tick();
  }

  /** Collects events for at most so many nanoseconds where more were told here than are collected by the way. */
  relieve(nanoseconds: u64): void {
    if (!this.pages.outbox.isCrowded) return;
    this.relief.start(nanoseconds);
    this.events.relieve(this.pages.outbox, this.relief);
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
    this.counts.read();
    const number = <u64>this.counts.sessions;
    const size = <u64>this.settings.cacheSize;
    // Sessions that are about to be stored are counted as well.
    return size != 0 && number > size ? size : number;
  }

  /** Looks at a session without using it: counts nothing. Fills `found` where it is held, expired or not. */
  peek(id: usize, idLength: i32): Lookup {
    this.readSettings();
    return this.look(id, idLength);
  }

  /**
   * As `peek`, where `readSettings` was called before. Of a removed session `found` has the upstream and the session's name,
   * where they were known.
   */
  look(id: usize, idLength: i32): Lookup {
    const page = this.pages.open(id, idLength);
    if (!page) return Lookup.Unavailable;
    this.moment.take();
    return this.lookIn(page, id, idLength);
  }

  /**
   * The name that the session of a handle takes when it gets a second one: what all its handles are stored with from then on.
   * Never 0; nobody can foresee it.
   */
  sessionName(id: usize, idLength: i32): u64 {
    return this.hash.nameOf(id, idLength);
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
   *
   * `issued.session`, where it is given, is the name that it shares with other handles: each of them is learned by itself. A
   * handle of a session that was removed is refused from then on, as if it had been removed with the others.
   */
  learn(issued: Session): PutOutcome {
    const mode = this.settings.mode;
    if (learns(mode)) return this.store(issued, ORIGIN_ISSUED);
    const removal = this.removalOf(issued);
    if (removal == Removal.InForce) return this.follow(issued, removal);
    if ((mode & Mode.SERVER) != 0 && storable(issued)) {
      const now = this.clock.nowNanoseconds();
      this.pages.tell(now, EventType.NEW, EventCause.HANDSHAKE, issued.id, issued.idLength, issued);
    }
    return PutOutcome.NotStored;
  }

  /**
   * Notes that an upstream has accepted a session: a hit where it is held, a timeout where it is held but expired, else
   * a miss; what is not held is learned, with an unknown time of issue. Fills in what was unknown of a held one, but for the
   * server name of one that was put in by hand: that is the client's word, and would decide which revocation reaches it. Never
   * changes its time, issuer or origin, and never lifts a tombstone. `accepted` says what the handshake showed; who has
   * accepted it is asked of `server` where it is not known yet. Needs `readSettings` before.
   *
   * `sure` false: something else may explain the acceptance, such as a session of the client's own that nobody has seen. Then it counts
   * as this one's, and nothing is believed: neither is anything filled in or learned, nor does its issuer count as one that resumes.
   *
   * Where it gets a second handle, `accepted.session` is given, its `sessionName`: a held one that has a name keeps its own.
   * Afterwards `found.session` is the name that its row has, for `learn` of the other; 0 where it has none. Of a removed one
   * the name counts as removed, so that the other is refused too.
   */
  resume(accepted: Session, server: PeerAddress | null = null, sure: bool = true): Lookup {
    const counts = looksUp(this.settings.mode);
    const lookup = this.touch(accepted, server, counts, sure);
    if (lookup == Lookup.Absent && sure) {
      const learned = learns(this.settings.mode);
      if (server && learned) accepted.tellUpstream(server);
      if (accepted.knows(Known.UPSTREAM)) this.issuers.accepted(accepted.upstream, accepted.upstreamLength);
      if (learned) this.store(accepted, ORIGIN_ACCEPTED);
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
      // A server that never resumes would not have taken it up either.
      if (!this.issuers.neverResumes(issuer.upstream, issuer.upstreamLength)) this.metrics.increase(Metric.LOST, 1);
    }
    return lookup;
  }

  /**
   * Counts and tells that a session was refused on the wire. `cause` is one of `EventCause`. What could not be followed may have no ID,
   * 0 bytes long. `about` is the session as far as it is known, `client` who has offered it: it is asked only here.
   */
  refused(id: usize, idLength: i32, cause: u8, about: Session | null = null, client: PeerAddress | null = null): void {
    this.metrics.increase(Metric.REFUSED, 1);
    this.metrics.increase(refusedFor(cause), 1);
    this.pages.tell(this.clock.nowNanoseconds(), EventType.REFUSED, cause, id, idLength, about, client);
  }

  /** The same of one that was steered away from its issuer, where it would be refused, and has got a full handshake. */
  diverted(id: usize, idLength: i32, cause: u8): void {
    this.metrics.increase(Metric.DIVERTED, 1);
    this.metrics.increase(divertedFor(cause), 1);
    this.pages.tell(this.clock.nowNanoseconds(), EventType.DIVERTED, cause, id, idLength);
  }

  /**
   * Removes a session and refuses its ID from now on, also where it is not held: SSL_CTX_remove_session. Of a session that
   * has other handles too, those are refused from now on; see `removedSession`.
   */
  remove(id: usize, idLength: i32, cause: u8): RemoveOutcome {
    this.readSettings();
    this.removedSession = 0;
    return this.bury(id, idLength, cause, 0, 0, 0);
  }

  /**
   * Puts a tombstone in the place of whatever is held of an ID, one that lasts until the given seconds at least. `session` is
   * the name of its session where that has been removed already.
   */
  private bury(id: usize, idLength: i32, cause: u8, session: u64, until: u64, monotonicUntil: u64): RemoveOutcome {
    const grave = this.tombstone;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(id, idLength);
      if (!page) break;
      this.moment.take();
      grave.id = id;
      grave.idLength = idLength;
      grave.hidden = false;
      grave.session = session;
      grave.upstreamName = NO_NAME;
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
        // First of all: from here on no handle resumes, whatever becomes of the rest.
        if (!this.graves.buryName(named, grave.until, grave.monotonicUntil, cause)) break;
        this.removedSession = named;
        continue;
      }
      const held = this.buryIn(page, entry, grave);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.countGone();
        if (held) this.metrics.increase(Metric.REMOVES, 1);
        return held ? RemoveOutcome.Removed : RemoveOutcome.NotFound;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return RemoveOutcome.Contended;
  }

  /** Puts a tombstone in the place of what a page has of its ID. Answers whether a session was held. */
  private buryIn(page: Page, entry: Entry | null, grave: Tombstone): bool {
    this.graves.displaced = 0;
    this.gone = NONE_GONE;
    let held = false;
    this.next.clear();
    if (entry) {
      this.keepAbout(entry);
      held = !entry.isTombstone && !this.settings.flushed(entry.generation, entry.expiry);
      if (!held && !entry.isTombstone) this.gone = Metric.FLUSHED;
      const session = grave.session;
      entry.copyUpstream(grave);
      if (grave.session == 0) grave.session = session;
      page.remove(entry);
    }
    this.graves.place(page, grave);
    this.pages.outbox.about.take(this.next);
    this.pages.note(grave.version, grave.time, EventType.REMOVED, EventCause.API, grave.id, grave.idLength, held);
    return held;
  }

  /** Leaves in `next` what an event can say of an entry that is about to go. */
  private keepAbout(entry: Entry): void {
    if (!entry.isTombstone) {
      this.copy(entry);
      return;
    }
    memory.copy(ENTRY_COPY, changetype<usize>(entry), entry.size);
    changetype<Entry>(ENTRY_COPY).readUpstream(this.next, this.names);
  }

  /** Needs the present moment. */
  private lookIn(page: Page, id: usize, idLength: i32): Lookup {
    const entry = page.find(id, idLength);
    if (entry && !entry.isTombstone) {
      entry.readSession(this.found, this.names);
      if (this.found.session != 0) {
        const removal = this.graves.removalOf(this.found.session);
        if (removal == Removal.Unknown) return Lookup.Unavailable;
        if (removal != Removal.None) return this.refusedFor(entry);
      }
      if (this.found.expiredAt(this.moment.seconds)) return Lookup.Expired;
      return this.settings.flushed(entry.generation, entry.expiry) ? Lookup.Removed : Lookup.Found;
    }
    if ((entry && entry.refusesAt(this.moment)) || page.saturatedAt(this.moment)) return this.refusedFor(entry);
    this.found.session = 0;
    return Lookup.Absent;
  }

  /** Leaves in `found` what is to be known of a session that is refused. */
  private refusedFor(entry: Entry | null): Lookup {
    const found = this.found;
    found.clear();
    if (!entry) return Lookup.Removed;
    entry.readUpstream(found, this.names);
    found.session = entry.session;
    if (found.session != 0) found.known |= Known.SESSION;
    return Lookup.Removed;
  }

  /** Counts a hit in the record of an accepted session, if it is held, and gives it the name that it has not got yet. */
  private touch(accepted: Session, server: PeerAddress | null, counts: bool, sure: bool): Lookup {
    let lookup = Lookup.Unavailable;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(accepted.id, accepted.idLength);
      if (!page) return Lookup.Unavailable;
      this.moment.take();
      lookup = this.lookIn(page, accepted.id, accepted.idLength);
      if (lookup == Lookup.Removed) {
        // Of a page that is saturated the entry is not there: then one more tombstone would tell nothing.
        if (accepted.knows(Known.SESSION) && page.find(accepted.id, accepted.idLength)) this.removeName(accepted);
        return lookup;
      }
      const isHeld = lookup == Lookup.Found || lookup == Lookup.Expired;
      if (isHeld && sure && this.found.knows(Known.UPSTREAM)) {
        this.issuers.accepted(this.found.upstream, this.found.upstreamLength);
      }
      // Modes govern learning and counting, not what a removal reaches.
      const takesName = isHeld && accepted.knows(Known.SESSION) && this.found.session == 0;
      const hit = lookup == Lookup.Found && counts;
      if (!hit && !takesName) return lookup;
      const entry = page.find(accepted.id, accepted.idLength);
      if (!entry) return lookup;
      if (hit) entry.countHit(this.moment.seconds);
      this.fillIn(page, entry, accepted, server, hit && sure ? FILLED_IN : Known.SESSION);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.graves.countDisplaced();
        if (!takesName || this.removalOf(accepted) != Removal.InForce) return lookup;
        this.buryAfter(accepted);
        return Lookup.Removed;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return lookup;
  }

  /** A session was removed before it was known to have several handles: what else is learned under its name is refused. */
  private removeName(accepted: Session): void {
    const found = this.found;
    if (found.session == 0) found.session = accepted.session;
    if (this.graves.removalOf(found.session) != Removal.None) return;
    const until = this.moment.seconds + <u64>this.settings.removedSeconds;
    this.graves.buryName(found.session, until, this.moment.monotonicAt(until), Cause.API);
  }

  /** Completes a held session by what a handshake showed; leaves it as it is where the page has no room for more. */
  private fillIn(page: Page, entry: Entry, accepted: Session, server: PeerAddress | null, fields: u32): void {
    const held = this.copy(entry);
    if (server && fields != Known.SESSION && !held.knows(Known.UPSTREAM)) accepted.tellUpstream(server);
    const believed = held.origin == Origin.API ? fields & ~Known.SNI : fields;
    const news = accepted.known & ~held.known & believed;
    this.graves.displaced = 0;
    if (news == 0) return;
    const size = entry.size;
    const generation = entry.generation;
    overlay(held, accepted, news);
    this.lookUpNames(held);
    const more = sessionSize(held) - size;
    // By the name it is found when another handle is removed: for that, others have to give way.
    const isUrgent = (news & Known.SESSION) != 0;
    if (!page.hasRoom(more) && !isUrgent) return;
    page.remove(entry);
    if (!this.graves.makeRoom(page, sessionSize(held))) {
      changetype<Entry>(ENTRY_COPY).readSession(held, this.names);
    }
    held.version = this.pages.version(page, this.moment.nanoseconds);
    page.appendSession(held, generation);
    this.found.session = held.session;
  }

  /** The common way of all additions. `origin` says how they differ. */
  private store(change: Session, origin: i32): PutOutcome {
    if (!storable(change)) return PutOutcome.NotStored;
    if (origin != ORIGIN_API) {
      const removal = this.removalOf(change);
      if (removal == Removal.InForce || removal == Removal.Saturated) return this.follow(change, removal);
    }
    let reserved = 0;
    let outcome = PutOutcome.Contended;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(change.id, change.idLength);
      if (!page) break;
      this.moment.take();
      const entry = page.find(change.id, change.idLength);
      const holds = entry != null && !entry.isTombstone;
      outcome = this.judge(page, entry, change, origin);
      if (outcome == PutOutcome.Identical || outcome == PutOutcome.Refused || outcome == PutOutcome.NotStored) {
        if (outcome == PutOutcome.Identical) this.touchTime(entry, this.moment.seconds);
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
      if (!this.compose(page, entry, change, origin, outcome)) {
        outcome = PutOutcome.NoRoom;
        break;
      }
      const result = this.pages.commit(reserved);
      if (result == StoreResult.Ok) {
        this.countGone();
        this.metrics.increase(outcome == PutOutcome.Added ? Metric.ADDS : Metric.REPLACES, 1);
        this.overtakeFlush(change);
        // A removal since then has either seen what was stored, or is seen here.
        if (origin == ORIGIN_API || this.removalOf(change) != Removal.InForce) return outcome;
        this.buryAfter(change);
        return PutOutcome.Refused;
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

  /** Whether the session of a handle was removed, by another handle of it. Takes the present moment. */
  private removalOf(handle: Session): Removal {
    if (!handle.knows(Known.SESSION) || handle.session == 0) return Removal.None;
    this.moment.take();
    return this.graves.removalOf(handle.session);
  }

  /**
   * A handle that a removed session is given later goes the way of the others. Not where nothing is enforced: there each
   * resumption could bring one more, and no tombstone gives way to what is learned.
   */
  private follow(handle: Session, removal: Removal): PutOutcome {
    this.metrics.increase(Metric.NOT_STORED_REMOVED, 1);
    const isEnforced = this.settings.enforcement != Enforcement.OBSERVE;
    if (removal == Removal.InForce && isEnforced && storable(handle)) this.buryAfter(handle);
    return PutOutcome.Refused;
  }

  /** Removes a handle of the session whose removal was found last. */
  private buryAfter(handle: Session): void {
    const graves = this.graves;
    const expiry = this.moment.seconds + <u64>this.lifeOf(handle);
    const until = max(expiry, graves.until);
    const monotonicUntil = max(graves.monotonicUntil, this.moment.monotonicAt(expiry));
    this.removedSession = handle.session;
    this.bury(handle.id, handle.idLength, Cause.API, handle.session, until, monotonicUntil);
  }

  private lifeOf(handle: Session): u32 {
    return handle.knows(Known.TIMEOUT) ? handle.timeoutSeconds : this.settings.timeoutSeconds;
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
  private judge(page: Page, entry: Entry | null, change: Session, origin: i32): PutOutcome {
    this.gone = NONE_GONE;
    this.inherited = 0;
    if (entry && !entry.isTombstone) {
      if (origin == ORIGIN_ACCEPTED) return PutOutcome.NotStored;
      const found = this.found;
      entry.readSession(found, this.names);
      const removal = found.session != 0 ? this.graves.removalOf(found.session) : Removal.None;
      if (removal == Removal.InForce || removal == Removal.Saturated) {
        this.gone = Metric.REMOVES;
        return origin == ORIGIN_API ? PutOutcome.Added : PutOutcome.Refused;
      }
      if (found.expiredAt(this.moment.seconds)) {
        this.gone = Metric.EXPIRED;
        if (origin == ORIGIN_API) this.inherited = found.session;
        return PutOutcome.Added;
      }
      if (this.settings.flushed(entry.generation, entry.expiry)) {
        this.gone = Metric.FLUSHED;
        return origin == ORIGIN_API ? PutOutcome.Added : PutOutcome.Refused;
      }
      if (origin == ORIGIN_ISSUED) return PutOutcome.Replaced;
      return changesNothing(found, change) ? PutOutcome.Identical : PutOutcome.Replaced;
    }
    if (origin == ORIGIN_API) return PutOutcome.Added;
    const refused = page.saturatedAt(this.moment) || (entry != null && entry.refusesAt(this.moment));
    return refused ? PutOutcome.Refused : PutOutcome.Added;
  }

  /** Writes the new record into the page, in the place of the entry; false where no room could be made for it. */
  private compose(page: Page, entry: Entry | null, change: Session, origin: i32, outcome: PutOutcome): bool {
    const now = this.moment.seconds;
    let record = this.next;
    if (entry && outcome == PutOutcome.Replaced && origin == ORIGIN_API) {
      record = this.copy(entry);
    } else {
      record.clear();
      record.id = change.id;
      record.idLength = change.idLength;
      record.timeoutSeconds = this.settings.timeoutSeconds;
      record.alone = change.alone;
      if (this.inherited != 0) {
        record.session = this.inherited;
        record.known |= Known.SESSION;
      }
    }
    overlay(record, change, change.known);
    record.known &= ~change.cleared;
    record.time = now;
    record.origin = origin == ORIGIN_API ? Origin.API : Origin.OBSERVED;
    record.unissued = origin == ORIGIN_ACCEPTED;
    if (origin == ORIGIN_ACCEPTED) {
      record.known |= Known.LAST_USED;
      record.lastUsed = now;
    }
    this.lookUpNames(record);
    if (entry) page.remove(entry);
    this.graves.displaced = 0;
    if (!this.graves.makeRoom(page, sessionSize(record))) return false;
    record.version = this.pages.version(page, this.moment.nanoseconds);
    const type = outcome == PutOutcome.Added ? EventType.NEW : EventType.REPLACED;
    const cause = origin == ORIGIN_API ? EventCause.API : EventCause.HANDSHAKE;
    this.pages.outbox.about.take(record);
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

  private countGone(): void {
    this.graves.countDisplaced();
    if (this.gone != NONE_GONE) this.metrics.increase(this.gone, 1);
  }
}

/** Copies the given fields of a change. */
function overlay(record: Session, change: Session, given: u32): void {
  const fields = change.session == 0 ? given & ~Known.SESSION : given;
  if (fields & Known.KIND) record.kind = change.kind;
  if (fields & Known.PROTOCOL) record.protocol = change.protocol;
  if (fields & Known.CIPHER) record.cipher = change.cipher;
  if (fields & Known.TIMEOUT) record.timeoutSeconds = change.timeoutSeconds;
  if (fields & Known.SESSION) record.session = change.session;
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

const HALF_A_SLICE: u64 = SLICE_NANOSECONDS / 2;
const OF_LATE_NANOSECONDS: u64 = 100_000_000;
const ORIGIN_API: i32 = 0;
const ORIGIN_ISSUED: i32 = 1;
const ORIGIN_ACCEPTED: i32 = 2;
const NONE_GONE: i32 = -1;
const FILLED_IN: u32 = Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY | Known.SESSION;
/** Room for the largest entry of a page. */
const ENTRY_COPY: usize = memory.data(512, 8);
