/**
 * The pages of one cache in the shared store: finds the page in which an ID lives, edits it in place, commits it with
 * compare-and-set, and keeps the numbers that follow from it exact (`counts.ts`).
 *
 * Pages are split as they fill (extendible hashing, `page_split.ts`). So a cache takes memory as it grows, up to its bound,
 * and a page stays small however many there are. A page of level L with the number P holds the IDs whose hash ends with the
 * L bits of P. A machine that has not heard of a split finds its way by the level of the page that it comes to
 * (`directory.ts`).
 *
 * A page that is not whole (see `page.ts`) is replaced by an empty one, and counted. A page of the earlier layout is read as
 * one of this, and its next change stores it so (`page_upgrade.ts`). If it no longer fits, live sessions give way, which is
 * counted then. A page of a later layout stays as it is: it counts as one that the store does not give, at each read.
 *
 * All caches of a virtual machine edit in one static buffer, one page at a time: a page, and every view into it, is valid
 * until the next `open` or `read`; `lookAside` leaves it alone. Cost: one access to the store each for `open` and `commit`.
 * A growing cache splits a page about once in 25 additions.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { PeerAddress } from "../../ports/peer_address";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { KeyedHash } from "../../shared/keyed_hash";
import { Names } from "../../shared/names";
import { StoredValue } from "../../shared/stored_value";
import { Counts } from "../counting/counts";
import { Metric } from "../counting/statistics";
import { EventType } from "../events/event";
import { Outbox } from "../events/outbox";
import { EventCause } from "../record/event_cause";
import { Moment } from "../record/moment";
import { MAX_UPSTREAM_LENGTH, Session } from "../record/session";
import { ASIDE, EDITED } from "./buffers";
import { Directory } from "./directory";
import { Entry, versionAt } from "./entry";
import { Page, PAGE_CAPACITY } from "./page";
import { lengthFor, originOf, PageSplit, putPage } from "./page_split";
import { saturateExcess, upgraded } from "./page_upgrade";

export class Pages {
  readonly directory: Directory;
  readonly outbox: Outbox;
  /** The clocks by which pages judge expiry; each caller takes it first. */
  readonly moment: Moment;
  /** Whether the page that is edited was stored in the earlier layout: to store it is of use, whatever it holds. */
  upgrades: bool = false;
  /** Whether the page that was read last is of a later layout, so it could not be read. */
  isLater: bool = false;
  /** Another number after each page that was read for editing. */
  openings: u32 = 0;
  /** Gives events the names of their sessions; without it they have none. */
  names: Names | null = null;
  private readonly value: StoredValue;
  private readonly aside: StoredValue;
  private readonly splits: PageSplit;
  private readonly gone: Session = new Session();
  /** The page that is edited, and the one that was found last. */
  private number: u32 = 0;
  private sought: u32 = 0;
  private sessionsBefore: i32 = 0;
  private tombstonesBefore: i32 = 0;
  private saturatedBefore: bool = false;
  /** Sessions and tombstones that the page that is edited has lost as it was upgraded; whether it was saturated before. */
  private sessionsLost: i32 = 0;
  private tombstonesLost: i32 = 0;
  private wasSaturated: bool = false;
  /** Whether the page that was loaded last is one of the cache's, and not the trace of a split that was not finished. */
  private counts: bool = false;

  constructor(
    cacheName: string,
    readonly count: u32,
    private readonly hash: KeyedHash,
    sharedStore: SharedStore,
    clock: Clock,
    private readonly metrics: Metrics,
    private readonly numbers: Counts,
  ) {
    const directory = new Directory(cacheName, sharedStore, count);
    const moment = new Moment(clock);
    this.directory = directory;
    this.moment = moment;
    this.outbox = new Outbox(cacheName, sharedStore, clock, metrics);
    this.value = new StoredValue(cacheName, "page", sharedStore);
    this.aside = new StoredValue(cacheName, "page", sharedStore);
    this.splits = new PageSplit(cacheName, sharedStore, hash, directory, numbers);
  }

  free(): void {
    this.directory.free();
    this.outbox.free();
    this.value.free();
    this.aside.free();
    this.splits.free();
  }

  /**
   * Reads the page in which an ID lives, if it lives at all, for editing. A page that does not exist yet reads as empty.
   * Null if the store does not answer.
   */
  open(id: usize, idLength: i32): Page | null {
    const page = this.seek(id, idLength, this.value, EDITED);
    if (page) this.begin(page);
    return page;
  }

  /** The page that was opened last, if it was not changed since. */
  get edited(): Page {
    this.outbox.clear();
    return changetype<Page>(EDITED);
  }

  /**
   * Reads the page in which an ID lives, only to look at it: the page that is edited stays as it is, and can be committed
   * afterwards. Valid until the next call.
   */
  lookAside(id: usize, idLength: i32): Page | null {
    return this.seek(id, idLength, this.aside, ASIDE);
  }

  /** Reads the page in which an ID lives; its number is in `sought`. */
  private seek(id: usize, idLength: i32, value: StoredValue, buffer: usize): Page | null {
    const hash = this.hash.of(id, idLength);
    let number = this.directory.deepest(hash);
    for (let step = 0; step < MAX_STEPS; step++) {
      const page = this.load(number, value, buffer);
      if (!page) return null;
      this.sought = number;
      if (!this.counts) {
        number = originOf(number);
        continue;
      }
      const strange = (hash ^ number) & (((<u32>1) << page.level) - 1);
      if (strange == 0) return page;
      // The page was split since: the lowest bit in which the hash differs from its number leads to the page to go on with.
      number |= strange & (0 - strange);
      this.directory.learn(number);
    }
    return null;
  }

  /** Reads a page by its number, for editing. A page that does not exist, or does not count yet, reads as empty. */
  read(number: u32): Page | null {
    const page = this.load(number, this.value, EDITED);
    if (!page) return null;
    this.sought = number;
    this.begin(page);
    if (this.counts) this.directory.learnFrom(number, page.level);
    return page;
  }

  /** Reads a page by its number into a buffer of PAGE_CAPACITY bytes, only to look at it. */
  readInto(number: u32, buffer: usize): Page | null {
    const page = this.load(number, this.aside, buffer);
    if (page && this.counts) this.directory.learnFrom(number, page.level);
    return page;
  }

  /** The page `sought` is edited from now on. */
  private begin(page: Page): void {
    this.number = this.sought;
    this.sessionsBefore = <i32>page.sessions + this.sessionsLost;
    this.tombstonesBefore = <i32>page.tombstones + this.tombstonesLost;
    this.saturatedBefore = this.upgrades ? this.wasSaturated : page.saturatedUntil != 0;
  }

  /** Reads a page by its number, rebuilt or upgraded if need be; `counts` describes it. */
  private load(number: u32, value: StoredValue, buffer: usize): Page | null {
    const page = changetype<Page>(buffer);
    if (buffer == EDITED) {
      this.openings++;
      this.outbox.clear();
      this.upgrades = false;
      this.sessionsLost = 0;
      this.tombstonesLost = 0;
    }
    value.select(number);
    const result = value.read(buffer, PAGE_CAPACITY);
    this.isLater = false;
    // A value longer than any page is not a page, and nobody can tell how many sessions it held.
    const isTooLong = result == StoreResult.TooLarge;
    if (value.exists || isTooLong) {
      this.counts = true;
      if (isTooLong) page.reset();
      if (!page.isWhole(value.length) && !this.upgrade(page, value.length)) {
        this.isLater = page.isLater(value.length);
        if (this.isLater) {
          this.metrics.increase(Metric.LATER_PAGES, 1);
          return null;
        }
        this.rebuild(number, page, value);
      }
      if (page.pending != 0) {
        this.counts = this.splits.isInForce(number);
        if (this.counts) page.pending = 0;
        else page.reset();
      }
      return page;
    }
    if (result != StoreResult.Absent) return null;
    this.counts = number >> this.directory.rootLevel == 0;
    page.reset();
    page.level = <u8>this.directory.rootLevel;
    return page;
  }

  /**
   * Returns the version that the next change of a page is to carry: ascending for the page and for this virtual machine, so
   * that events can be put in order (`events/outbox.ts`).
   */
  version(page: Page, nowNanoseconds: u64): u64 {
    const next = page.nextVersion(nowNanoseconds);
    return next > this.outbox.lastVersion ? next : this.outbox.lastVersion + 1;
  }

  /** Notes an event of a session whose change carries `version`; it happens when the page is stored. */
  note(version: u64, nowSeconds: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    this.outbox.note(version, nowSeconds, type, cause, id, idLength);
  }

  /** Notes an event that leaves no record behind, with a version of its own. To be called before the entry is removed. */
  noteGone(page: Page, entry: Entry, nowNanoseconds: u64, type: u8, cause: u8): void {
    const version = this.version(page, nowNanoseconds);
    page.lastVersion = version;
    const names = this.names;
    if (names && !entry.isTombstone) {
      entry.readSession(this.gone, names);
      this.outbox.about.take(this.gone);
    }
    this.note(version, nowNanoseconds / NANOSECONDS_PER_SECOND, type, cause, entry.id, entry.idLength);
  }

  /**
   * Stores an event that changes no page, with the names of its session and the client that has offered it, as far as known.
   */
  tell(
    nowNanoseconds: u64,
    type: u8,
    cause: u8,
    id: usize,
    idLength: i32,
    about: Session | null = null,
    client: PeerAddress | null = null,
  ): void {
    const next = this.outbox.lastVersion + 1;
    const now = versionAt(nowNanoseconds);
    const version = now > next ? now : next;
    this.outbox.clear();
    if (about) this.outbox.about.take(about);
    if (client) this.outbox.about.takeClient(CLIENT, client.read(CLIENT, MAX_UPSTREAM_LENGTH));
    this.note(version, nowNanoseconds / NANOSECONDS_PER_SECOND, type, cause, id, idLength);
    this.outbox.announce();
    this.outbox.confirm();
  }

  /** Settles what is owed to the numbers, and keeps the outbox alive. To be called with each tick. */
  tick(): void {
    this.numbers.settle();
    this.outbox.tick();
  }

  /**
   * Stores the page that is edited. With `Ok`, the numbers of sessions, tombstones and saturated pages have followed.
   * `reserved` is how many of its new sessions are counted already; below zero, how many that are gone go on being counted
   * (see `admission.ts`). With `Conflict` nothing was stored: read again and retry.
   */
  commit(reserved: i32): StoreResult {
    const page = changetype<Page>(EDITED);
    this.outbox.announce();
    const result = putPage(this.value, page, this.value.length);
    if (result == StoreResult.Ok) {
      this.outbox.confirm();
      this.follow(page, reserved);
      if (this.sessionsLost > 0) this.metrics.increase(Metric.CACHE_FULL, this.sessionsLost);
      if (this.splits.isDue(this.number, page)) this.splits.split(this.number, page.level);
      return result;
    }
    this.outbox.retract();
    if (result == StoreResult.Conflict) this.metrics.increase(Metric.CAS_CONFLICTS, 1);
    return result;
  }

  /**
   * Makes a page of the earlier layout one of this, in its buffer; false if it is not such a page. If it has become too
   * large, the sessions that expire first give way. Each is noted as an event if it is the page that is edited.
   */
  private upgrade(page: Page, length: i32): bool {
    const whole = upgraded(page, length);
    if (!whole) return false;
    this.moment.take();
    const isEdited = changetype<usize>(page) == EDITED;
    const sessions = <i32>whole.sessions;
    const tombstones = <i32>whole.tombstones;
    for (let displaced = whole.excess; displaced; displaced = whole.excess) {
      if (isEdited) this.noteGone(whole, displaced, this.moment.nanoseconds, EventType.EVICTED, EventCause.ROOM);
      whole.remove(displaced);
    }
    saturateExcess(whole);
    if (isEdited) {
      this.upgrades = true;
      this.wasSaturated = page.saturatedUntil != 0;
      this.sessionsLost = sessions - <i32>whole.sessions;
      this.tombstonesLost = tombstones - <i32>whole.tombstones;
    }
    memory.copy(changetype<usize>(page), changetype<usize>(whole), whole.used);
    return true;
  }

  /**
   * Makes a page that is not whole an empty one, here and in the store, and counts it, once. Its sessions and tombstones are
   * lost; the numbers follow as far as its header is possible.
   */
  private rebuild(number: u32, page: Page, value: StoredValue): void {
    const sessions = page.likelySessions;
    const tombstones = page.likelyTombstones;
    const level = this.splits.levelOf(number);
    page.reset();
    page.level = <u8>level;
    page.pending = <u8>(number >> this.directory.rootLevel != 0);
    if (putInPlace(value, page) != StoreResult.Ok) return;
    this.metrics.increase(Metric.CORRUPTED_PAGES, 1);
    this.numbers.move(-sessions, -tombstones, 0);
    // It carries another mark now. A change of another machine meanwhile is read as well.
    value.read(changetype<usize>(page), PAGE_CAPACITY);
  }

  private follow(page: Page, reserved: i32): void {
    const sessions = <i32>page.sessions - this.sessionsBefore - reserved;
    const tombstones = <i32>page.tombstones - this.tombstonesBefore;
    const saturated = <i32>(page.saturatedUntil != 0) - <i32>this.saturatedBefore;
    if (sessions != 0 || tombstones != 0 || saturated != 0) this.numbers.move(sessions, tombstones, saturated);
  }
}

/** Stores an empty page in the place of a value that was read, or that was too long to read. */
function putInPlace(value: StoredValue, page: Page): StoreResult {
  if (value.exists) return putPage(value, page, value.length);
  page.seal();
  return value.overwrite(changetype<usize>(page), lengthFor(page, 0));
}

/** Tries of one change against other writers of the same page before it is given up, counted and reported. */
export const MAX_TRIES: i32 = 32;
/** A way through a page for each bit of a number, and back from some that did not exist yet. */
const MAX_STEPS: i32 = 64;
/** Where a client's address is read to. */
const CLIENT: usize = memory.data(64);
