/**
 * The cache of TLS sessions: OpenSSL's SSL_CTX_add_session(3) and SSL_CTX_remove_session(3), shared by all workers.
 *
 * Promises:
 * - The number of sessions never exceeds the size (0 = unlimited within the pages' memory); see `admission.ts`.
 * - A removed session stays removed until its tombstone ends or it is added again by hand. No learning, no load and no
 *   clock that is set ahead or back lifts a tombstone (`moment.ts`): tombstones displace sessions, never the other way
 *   round, and a page that can hold no more of them is saturated: every ID that it does not hold counts as removed.
 * - A session that a configuration removes is refused as long as it stands there (`configured_removals.ts`).
 * - A removal of one handle of a session removes all that are held, and those that it is given later (`removals.ts`).
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
import { KeyedHash } from "../shared/keyed_hash";
import { Names } from "../shared/names";
import { instant } from "../shared/instant";
import { Deadline, SLICE_NANOSECONDS } from "../work/job";
import { Rush } from "../work/rush";
import { Admissions } from "./admission";
import { Addition, Additions, PutOutcome } from "./additions";
import { ConfiguredRemovals } from "./configured/configured_removals";
import { Counts } from "./counting/counts";
import { divertedFor, Metric, refusedFor } from "./counting/statistics";
import { UpstreamTally } from "./counting/upstream_tally";
import { EntryCopy } from "./entry_copy";
import { EventType } from "./events/event";
import { Sequencer } from "./events/sequencer";
import { ForeignRecords } from "./foreign_records";
import { Graves, Removal } from "./graves";
import { Issuers } from "./issuers";
import { beginCounts } from "./pages/census";
import { Entry, sessionSize } from "./pages/entry";
import { Page } from "./pages/page";
import { MAX_TRIES, Pages } from "./pages/pages";
import { PastFlushes } from "./past_flushes";
import { EventCause } from "./record/event_cause";
import { Moment } from "./record/moment";
import { Known, MAX_ID_LENGTH, Origin, sameBytes, Session, Tombstone } from "./record/session";
import { Removals, RemoveOutcome } from "./removals";
import { PLACES, RepeatedHits } from "./repeated_hits";
import { FILLED_IN, isStorable, overlay } from "./session_merge";
import { Revocations } from "./revocation/revocations";
import { KeyState, TicketKeys } from "./revocation/ticket_keys";
import { learns, looksUp, Mode } from "./settings/mode";
import { Settings } from "./settings/settings";
export { PutOutcome } from "./additions";
export { RemoveOutcome } from "./removals";

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

/** Whether a session is held, expired or not. */
export function isHeld(lookup: Lookup): bool {
  return lookup == Lookup.Found || lookup == Lookup.Expired;
}

export class Cache {
  /**
   * The session that the last call found or stored; its pointers are valid until the next one. Of a removed session only the
   * upstream can be relied on, if it is known.
   */
  readonly found: Session;
  /** The removed session that a walk has come to. */
  readonly tombstone: Tombstone = new Tombstone();
  readonly pages: Pages;
  /** Events of sessions, in order, over all workers. */
  readonly events: Sequencer;
  /** Whatever configurations remove. */
  readonly configured: ConfiguredRemovals;
  readonly ticketKeys: TicketKeys;
  readonly revocations: Revocations;
  /** Upstreams that resume their own sessions, and those that never do. */
  readonly issuers: Issuers;
  /** Gives everything its place in the store, for this cache only. */
  readonly hash: KeyedHash;
  /** Names that many sessions share. */
  readonly names: Names;
  /** How sessions leave pages. */
  readonly graves: Graves;
  readonly removals: Removals;
  /** Takes in records of other proxies. */
  readonly foreign: ForeignRecords;
  /** The last flushes, of this proxy and of others. */
  readonly pastFlushes: PastFlushes;
  /** How much the cache holds. */
  readonly counts: Counts;
  /** Tells whether so many handshakes come that some changes wait for the next tick. */
  readonly rush: Rush = new Rush();
  /** Lost and refused resumptions by upstream. */
  readonly upstreamTally: UpstreamTally;
  private readonly moment: Moment;
  private readonly additions: Additions;
  private readonly copy: EntryCopy;
  private readonly relief: Deadline;
  private readonly repeated: RepeatedHits = new RepeatedHits();
  /** Of the last `read` in an instant: that instant, the opening of its page, and the length of the ID at READ_ID. */
  private readIn: u32 = 0;
  private readOpening: u32 = 0;
  private readLength: i32 = 0;
  private settingsRead: u64 = 0;
  private agedAt: u64 = 0;

  /** Opens the cache that `settings` were configured for. */
  constructor(
    readonly settings: Settings,
    readonly sharedStore: SharedStore,
    readonly clock: Clock,
    readonly metrics: Metrics,
  ) {
    const found = new Session();
    this.found = found;
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
    const configured = new ConfiguredRemovals(settings, sharedStore);
    this.configured = configured;
    this.ticketKeys = new TicketKeys(settings.cacheName, sharedStore, clock, hash, settings.changes, configured.set);
    this.revocations = new Revocations(settings.cacheName, sharedStore, clock, hash, settings.changes, configured.set);
    this.issuers = new Issuers(settings.cacheName, sharedStore, clock, hash, settings.changes);
    this.upstreamTally = new UpstreamTally(settings.cacheName, sharedStore, clock, hash, settings.changes);
    const graves = new Graves(pages, settings, metrics);
    const removals = new Removals(pages, graves, settings, metrics, names);
    this.graves = graves;
    this.removals = removals;
    this.copy = new EntryCopy(names);
    this.moment = pages.moment;
    this.relief = new Deadline(clock);
    const admissions = new Admissions(pages, counts, metrics, graves);
    const flushes = new PastFlushes(settings.cacheName, sharedStore, settings.changes);
    this.pastFlushes = flushes;
    const set = configured.set;
    this.foreign = new ForeignRecords(pages, graves, admissions, settings, set, flushes, metrics, names);
    this.additions = new Additions(pages, admissions, graves, removals, settings, flushes, metrics, names, found);
    if (settings.created) counts.begin(0, 0, 0);
    else if (!counts.exist) beginCounts(pages, counts);
    metrics.record(Metric.CACHE_SIZE, settings.cacheSize);
  }

  /** Frees the memory that is not collected; the cache must not be used afterwards. */
  free(): void {
    this.writeRepeatedHits();
    this.repeated.free();
    this.counts.settle();
    this.counts.free();
    this.pages.free();
    this.events.free();
    this.names.free();
    this.ticketKeys.free();
    this.revocations.free();
    this.issuers.free();
    this.upstreamTally.free();
    this.configured.free();
    this.pastFlushes.free();
    this.settings.free();
  }

  /** Whether the host refuses to store anything. */
  get deniesWrites(): bool {
    return this.sharedStore.deniesWrites;
  }

  /**
   * Reads the settings, and everything that decides about resumptions, if they have changed. To be called before they are
   * used.
   */
  readSettings(): bool {
    this.settingsRead = this.clock.nowNanoseconds();
    const loaded = this.settings.load();
    this.configured.follow();
    return loaded;
  }

  /**
   * Reads the settings unless that was done within the last 100 ms: for decisions that need only be right within a second.
   */
  readSettingsIfStale(): void {
    // If the clock was set back, the difference is huge.
    if (this.clock.nowNanoseconds() - this.settingsRead >= STALE_NANOSECONDS) this.readSettings();
  }

  /** Does what is due from time to time; to be called several times a second. */
  tick(): void {
    this.rush.tick(this.clock.nowNanoseconds());
    this.writeRepeatedHits();
    this.pages.tick();
    this.relieve(HALF_A_SLICE);
    this.ticketKeys.tick();
    this.countLearnedKeys();
    this.upstreamTally.tick();
    this.names.follow();
    const now = this.clock.nowSeconds();
    if (now == this.agedAt) return;
    this.agedAt = now;
    this.settings.changes.age();
    this.issuers.tick();
  }

  /**
   * Sets the gauges of removed ticket keys and revoked names. Costs a read of each page of two tables; if one cannot be read,
   * its gauge stays.
   */
  showRemovals(): void {
    this.readSettingsIfStale();
    const removedKeys = this.ticketKeys.countRemoved();
    if (removedKeys >= 0) this.metrics.record(Metric.REMOVED_TICKET_KEYS, removedKeys);
    this.metrics.record(Metric.REVOKED_NAMES, this.revocations.countInForce());
  }

  /** Collects events for at most so many nanoseconds, if this machine has written more than are collected in passing. */
  relieve(nanoseconds: u64): void {
    if (!this.pages.outbox.isCrowded) return;
    this.relief.start(nanoseconds);
    this.events.relieve(this.pages.outbox, this.relief);
  }

  /**
   * Changes the size. A smaller one holds at once for every later addition; `Shrink` brings down the number that is held.
   */
  changeCacheSize(size: u32): bool {
    if (!this.settings.changeCacheSize(size)) return false;
    this.metrics.record(Metric.CACHE_SIZE, size);
    return true;
  }

  /** Sessions held, expired but unswept ones included. */
  number(): u64 {
    this.counts.read();
    const number = <u64>this.counts.sessions;
    const size = <u64>this.settings.cacheSize;
    // Sessions that are about to be stored are counted as well.
    return size != 0 && number > size ? size : number;
  }

  /** Reads the settings and a session, without using it: counts nothing. Fills `found` if it is held, expired or not. */
  peek(id: usize, idLength: i32): Lookup {
    this.readSettings();
    return this.read(id, idLength);
  }

  /**
   * Reads a session, as `peek` after `readSettings`. Of a removed session `found` has the upstream and the session's name, if they were
   * known.
   */
  read(id: usize, idLength: i32): Lookup {
    const page = this.pages.open(id, idLength);
    if (!page) return Lookup.Unavailable;
    if (instant != 0) this.noteRead(id, idLength);
    this.moment.take();
    return this.findIn(page, id, idLength);
  }

  /**
   * The name that the session of a handle takes when it gets a second one: all its handles are stored with it from then on.
   * Never 0; nobody outside can foresee it.
   */
  sessionName(id: usize, idLength: i32): u64 {
    return this.hash.nameOf(id, idLength);
  }

  /**
   * Adds or changes a session by hand: SSL_CTX_add_session. Only the fields in `change.known` and `change.cleared`
   * count. Lifts a removal. Fills `found` with the stored session.
   */
  put(change: Session): PutOutcome {
    this.readSettings();
    return this.additions.store(change, Addition.ByHand);
  }

  /**
   * Takes in a session that another cache held, or this one before a restart, with its times, hits and origin. A session that is held
   * here stays as it is (`Identical`), and a removal here wins (`Refused`). `NotStored`: it is expired, or the mode forbids to learn it.
   * Needs `readSettings` before.
   */
  takeIn(session: Session): PutOutcome {
    if (session.expiredAt(this.clock.nowSeconds())) return PutOutcome.NotStored;
    if (session.origin != Origin.API && !learns(this.settings.mode)) return PutOutcome.NotStored;
    return this.additions.store(session, Addition.Imported);
  }

  /**
   * Stores a session that a completed handshake issued, in the place of one that is held under its ID. Under
   * NO_INTERNAL_STORE it is only reported as an event, as OpenSSL calls new_cb for an external cache.
   *
   * `issued.session`, if given, is the name that it shares with other handles: each of them is learned by itself. A handle
   * of a removed session is refused from then on, as if it had been removed with the others.
   */
  learn(issued: Session): PutOutcome {
    const mode = this.settings.mode;
    if (learns(mode)) return this.additions.store(issued, Addition.Issued);
    const removal = this.removals.removalOf(issued);
    if (removal == Removal.InForce) {
      this.removals.follow(issued, removal);
      return PutOutcome.Refused;
    }
    if ((mode & Mode.SERVER) != 0 && isStorable(issued)) {
      const now = this.clock.nowNanoseconds();
      this.pages.tell(now, EventType.NEW, EventCause.HANDSHAKE, issued.id, issued.idLength, issued);
    }
    return PutOutcome.NotStored;
  }

  /**
   * Notes that an upstream has accepted a session: a hit if it is held, a timeout if it is held but expired, else a miss. A
   * session that is not held is learned, with an unknown time of issue. Unknown fields of a held one are filled in; but one
   * that was put in by hand gets no server name: that is the client's word, and would decide which revocation reaches the
   * session. Never changes time, issuer or origin, and never lifts a tombstone. `accepted` is what the handshake showed;
   * `server` is asked who has accepted it if that is not known yet. Needs `readSettings` before.
   *
   * `sure` false: something else may explain the acceptance, such as a session of the client's own that nobody has seen.
   * Then it counts as this one's, and nothing is believed: nothing is filled in or learned, and its issuer does not count as
   * one that resumes.
   *
   * If it gets a second handle, `accepted.session` is its `sessionName`; a held session that has a name keeps its own.
   * Afterwards `found.session` is the name of its row, for `learn` of the other; 0 if it has none. The name of a removed
   * session counts as removed, so that the other handle is refused too.
   */
  resume(accepted: Session, server: PeerAddress | null = null, sure: bool = true): Lookup {
    const counts = looksUp(this.settings.mode);
    const lookup = this.touch(accepted, server, counts, sure);
    if (lookup == Lookup.Absent && sure) {
      const learned = learns(this.settings.mode);
      if (server && learned) accepted.readUpstream(server);
      if (accepted.knows(Known.UPSTREAM)) this.issuers.noteAccepted(accepted.upstream, accepted.upstreamLength);
      if (learned) this.additions.store(accepted, Addition.Accepted);
    }
    if (counts) this.countLookup(lookup);
    return lookup;
  }

  /**
   * Gives a held handle the name `handle.session`, unless it has one: it may be of the session that another handle is learned
   * for. Counts nothing, and believes nothing else. If it was removed meanwhile, its name counts as removed. Needs
   * `readSettings` before.
   */
  nameHandle(handle: Session): void {
    const counts = false;
    const sure = false;
    this.touch(handle, null, counts, sure);
  }

  /**
   * Notes that an upstream has not accepted a session that was offered to it. An ID that may be made up (`certain` false)
   * counts only if the cache knows it. Needs `readSettings` before.
   */
  decline(id: usize, idLength: i32, upstream: usize, upstreamLength: i32, certain: bool): Lookup {
    if (!looksUp(this.settings.mode)) return Lookup.Absent;
    const lookup = this.read(id, idLength);
    if (lookup == Lookup.Absent && !certain) return lookup;
    if (lookup != Lookup.Found) {
      this.countLookup(lookup);
      return lookup;
    }
    this.metrics.increase(Metric.DECLINED, 1);
    const issuer = this.found;
    if (issuer.knows(Known.UPSTREAM) && !issuer.isOfUpstream(upstream, upstreamLength)) {
      // A server that never resumes would not have taken it up either.
      if (!this.issuers.neverResumes(issuer.upstream, issuer.upstreamLength)) this.countLost(issuer);
    }
    return lookup;
  }

  /**
   * Counts a session that was refused on the wire, and writes the event. `cause` is an `EventCause`. A session that could
   * not be followed may have no ID, 0 bytes long. `about` is the session as far as it is known; `client`, who has offered
   * it, is asked only here.
   */
  noteRefusal(
    id: usize,
    idLength: i32,
    cause: u8,
    about: Session | null = null,
    client: PeerAddress | null = null,
  ): void {
    this.metrics.increase(Metric.REFUSED, 1);
    this.metrics.increase(refusedFor(cause), 1);
    if (about && about.knows(Known.UPSTREAM)) this.upstreamTally.countRefused(about.upstream, about.upstreamLength);
    else this.upstreamTally.countRefused(0, 0);
    this.pages.tell(this.clock.nowNanoseconds(), EventType.REFUSED, cause, id, idLength, about, client);
  }

  /**
   * The same for one that was steered away from its issuer, where it would be refused, and got a full handshake. Its upstream
   * is that issuer, as far as it is known. Needs `readSettings` before.
   */
  noteDiversion(offered: Session, cause: u8, client: PeerAddress | null): void {
    this.metrics.increase(Metric.DIVERTED, 1);
    this.metrics.increase(divertedFor(cause), 1);
    this.addIssuer(offered);
    const now = this.clock.nowNanoseconds();
    this.pages.tell(now, EventType.DIVERTED, cause, offered.id, offered.idLength, offered, client);
  }

  /**
   * Removes a session and refuses its ID from now on, whether it is held or not: SSL_CTX_remove_session. Other handles of
   * the session are refused from now on as well; see `Removals.removedSession`.
   */
  remove(id: usize, idLength: i32, cause: u8): RemoveOutcome {
    this.readSettings();
    return this.removals.remove(id, idLength, cause);
  }

  /** Finds the numbers of names that a record has brought without one. */
  findNames(record: Session): void {
    this.copy.findNames(record);
  }

  /** Needs the present moment. */
  private findIn(page: Page, id: usize, idLength: i32): Lookup {
    const entry = page.find(id, idLength);
    if (this.configured.set.removesSession(id, idLength)) return this.findRefused(entry);
    if (entry && !entry.isTombstone) {
      entry.readSession(this.found, this.names);
      if (this.found.session != 0) {
        if (this.configured.set.removesSessionOf(this.found.session)) return this.findRefused(entry);
        const removal = this.graves.removalOf(this.found.session);
        if (removal == Removal.Unknown) return Lookup.Unavailable;
        if (removal != Removal.None) return this.findRefused(entry);
      }
      if (this.found.expiredAt(this.moment.seconds)) return Lookup.Expired;
      return this.settings.flushed(entry.generation, entry.expiry) ? Lookup.Removed : Lookup.Found;
    }
    if ((entry && entry.refusesAt(this.moment)) || page.saturatedAt(this.moment)) return this.findRefused(entry);
    this.found.session = 0;
    return Lookup.Absent;
  }

  /** Leaves in `found` as much as is known of a session that is refused. */
  private findRefused(entry: Entry | null): Lookup {
    const found = this.found;
    found.clear();
    if (!entry) return Lookup.Removed;
    entry.readUpstream(found, this.names);
    found.session = entry.session;
    if (found.session != 0) found.known |= Known.SESSION;
    return Lookup.Removed;
  }

  /** The page of an ID was read in this instant, and nothing in it was changed. */
  private noteRead(id: usize, idLength: i32): void {
    this.readIn = instant;
    this.readOpening = this.pages.openings;
    this.readLength = idLength;
    memory.copy(READ_ID, id, idLength);
  }

  /**
   * Opens the page of a session, without reading it again if `read` has just done that: if another machine has changed it
   * since, storing it fails, and it is read again.
   */
  private reopen(session: Session): Page | null {
    const isRead =
      instant != 0 &&
      !this.pages.upgrades &&
      this.readIn == instant &&
      this.readOpening == this.pages.openings &&
      sameBytes(READ_ID, this.readLength, session.id, session.idLength);
    this.readIn = 0;
    return isRead ? this.pages.edited : this.pages.open(session.id, session.idLength);
  }

  /** Writes the hits that were counted aside. Those of a session that is no longer held have no record to go to. */
  private writeRepeatedHits(): void {
    if (!this.repeated.isUsed) return;
    for (let number: u32 = 0; number < PLACES; number++) {
      const place = this.repeated.at(number);
      if (place.hits != 0) this.writeHits(place.id, place.idLength, place.hits);
    }
    this.repeated.clear();
  }

  private writeHits(id: usize, idLength: i32, hits: u32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = this.pages.open(id, idLength);
      const entry = page ? page.find(id, idLength) : null;
      if (!entry || entry.isTombstone) return;
      this.moment.take();
      entry.countHits(hits, this.moment.seconds);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) return;
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
  }

  /** Counts a hit in the record of an accepted session, if it is held, and gives it the name that it has not got yet. */
  private touch(accepted: Session, server: PeerAddress | null, counts: bool, sure: bool): Lookup {
    const repeats = this.rush.isOn && counts && sure && !accepted.knows(Known.SESSION);
    const hash = repeats ? this.hash.of(accepted.id, accepted.idLength) : 0;
    if (repeats && this.repeated.count(hash, accepted.id, accepted.idLength)) return Lookup.Found;
    let lookup = Lookup.Unavailable;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const page = attempt == 0 ? this.reopen(accepted) : this.pages.open(accepted.id, accepted.idLength);
      if (!page) return Lookup.Unavailable;
      this.moment.take();
      lookup = this.findIn(page, accepted.id, accepted.idLength);
      if (lookup == Lookup.Removed) {
        // If a saturated page refuses it, there is no entry: one more tombstone would add nothing.
        const isConfigured = this.configured.set.removesSession(accepted.id, accepted.idLength);
        if (!isConfigured && accepted.knows(Known.SESSION) && page.find(accepted.id, accepted.idLength)) {
          if (this.found.session == 0) this.found.session = accepted.session;
          this.removals.buryName(this.found.session);
        }
        return lookup;
      }
      const held = isHeld(lookup);
      if (held && sure && this.found.knows(Known.UPSTREAM)) {
        this.issuers.noteAccepted(this.found.upstream, this.found.upstreamLength);
      }
      // Modes govern learning and counting; a removal reaches every handle in any mode.
      const takesName = held && accepted.knows(Known.SESSION) && this.found.session == 0;
      const hit = lookup == Lookup.Found && counts;
      if (!hit && !takesName) return lookup;
      const entry = page.find(accepted.id, accepted.idLength);
      if (!entry) return lookup;
      if (hit) entry.countHits(1, this.moment.seconds);
      this.fillIn(page, entry, accepted, server, hit && sure ? FILLED_IN : Known.SESSION);
      const result = this.pages.commit(0);
      if (result == StoreResult.Ok) {
        this.graves.countDisplaced();
        if (repeats && hit) this.repeated.begin(hash, accepted.id, accepted.idLength);
        if (!takesName || this.removals.removalOf(accepted) != Removal.InForce) return lookup;
        this.removals.buryAfter(accepted);
        return Lookup.Removed;
      }
      if (result != StoreResult.Conflict) break;
    }
    this.metrics.increase(Metric.NOT_STORED_CONTENDED, 1);
    return lookup;
  }

  /** Fills in unknown fields of a held session from a handshake; leaves it as it is if the page has no room for more. */
  private fillIn(page: Page, entry: Entry, accepted: Session, server: PeerAddress | null, fields: u32): void {
    const held = this.copy.take(entry);
    if (server && fields != Known.SESSION && !held.knows(Known.UPSTREAM)) accepted.readUpstream(server);
    const believed = held.origin == Origin.API ? fields & ~Known.SNI : fields;
    const news = accepted.known & ~held.known & believed;
    this.graves.displaced = 0;
    if (news == 0) return;
    const size = entry.size;
    const generation = entry.generation;
    overlay(held, accepted, news);
    this.copy.findNames(held);
    const more = sessionSize(held) - size;
    // A removal of another handle finds it by this name: for that, other sessions give way.
    const isUrgent = (news & Known.SESSION) != 0;
    if (!page.hasRoom(more) && !isUrgent) return;
    page.remove(entry);
    if (!this.graves.makeRoom(page, sessionSize(held))) this.copy.restore();
    held.version = this.pages.version(page, this.moment.nanoseconds);
    page.appendSession(held, generation);
    this.found.session = held.session;
  }

  private countLearnedKeys(): void {
    const learned = this.ticketKeys.learnedNew;
    if (learned == 0) return;
    this.ticketKeys.learnedNew = 0;
    this.metrics.increase(Metric.TICKET_KEYS_LEARNED, learned);
  }

  private countLost(session: Session): void {
    this.metrics.increase(Metric.LOST, 1);
    this.upstreamTally.countLost(session.upstream, session.upstreamLength);
  }

  /** Adds the upstream that has issued an offered session, if a record or the row of its ticket key has it. */
  private addIssuer(offered: Session): void {
    const lookup = this.read(offered.id, offered.idLength);
    if (lookup != Lookup.Absent && lookup != Lookup.Unavailable && this.found.knows(Known.UPSTREAM)) {
      offered.upstream = this.found.upstream;
      offered.upstreamLength = this.found.upstreamLength;
    } else if (offered.knows(Known.TICKET_KEY)) {
      const row = this.ticketKeys.look(offered.ticketKey);
      if (!row || row.state == KeyState.SHARED) return;
      offered.upstream = row.upstream;
      offered.upstreamLength = row.upstreamLength;
    } else {
      return;
    }
    offered.known |= Known.UPSTREAM;
  }

  private countLookup(lookup: Lookup): void {
    if (lookup == Lookup.Found) this.metrics.increase(Metric.HITS, 1);
    else if (lookup == Lookup.Expired) this.metrics.increase(Metric.TIMEOUTS, 1);
    else if (lookup != Lookup.Unavailable) this.metrics.increase(Metric.MISSES, 1);
  }
}

const READ_ID: usize = memory.data(MAX_ID_LENGTH);
const HALF_A_SLICE: u64 = SLICE_NANOSECONDS / 2;
const STALE_NANOSECONDS: u64 = 100_000_000;
