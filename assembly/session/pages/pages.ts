/**
 * The pages of one cache in the shared store: find the one in which an ID lives, edit it in place, commit it with
 * compare-and-set, and keep the numbers that follow from it exact (`counts.ts`).
 *
 * Pages are split as they fill (extendible hashing), so a cache takes memory as it grows, up to its bound, and a page stays
 * small however many there are. A page of level L with the number P holds the IDs whose hash ends with the L bits of P.
 * It is split in two steps: a page P + 2^L of level L + 1 is stored with its half, as *pending*, then the page itself
 * with the other half and level L + 1. The second step alone decides: a pending page counts only where the page it comes from
 * says that it was split. So no machine ever sees an ID in both, or in none, whoever is interrupted where; and one that
 * has not heard of a split finds its way by the level of the page it comes to (`directory.ts`).
 *
 * A page that is not whole (see `page.ts`) is replaced by an empty one, and counted. One of the layout before this one is
 * read as one of this, and stored so with its next change (`page_upgrade.ts`); where it no longer fits, live sessions give
 * way, which is counted then.
 *
 * All caches of a virtual machine edit in one static buffer, one page at a time: a page, and every view into it, is
 * valid until the next `open` or `read`; `lookAside` leaves it alone. Cost: one access to the store each for `open` and `commit`; a page is split about
 * once in 25 additions while a cache grows, which takes about four more reads and writes each.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { Metrics } from "../../ports/metrics";
import { PeerAddress } from "../../ports/peer_address";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Counts } from "../counting/counts";
import { Directory } from "./directory";
import { EventType } from "../events/event";
import { EventCause } from "../record/event_cause";
import { Outbox } from "../events/outbox";
import { KeyedHash } from "../../shared/keyed_hash";
import { StoreKey } from "../../shared/store_key";
import { Moment } from "../record/moment";
import { Names } from "../../shared/names";
import { Entry, Page, PAGE_CAPACITY, storedLength, versionAt } from "./page";
import { saturateWhatIsTooMuch, upgraded } from "./page_upgrade";
import { MAX_UPSTREAM_LENGTH, Session } from "../record/session";
import { Metric } from "../counting/statistics";

export class Pages {
  readonly directory: Directory;
  readonly outbox: Outbox;
  /** By which what is over is told; whoever asks takes it first. */
  readonly moment: Moment;
  /** Whether the page that was read last was one of the layout before: to store it is of use, whatever it holds. */
  upgrades: bool = false;
  /** By which events tell of whom they are; without it they do not. */
  names: Names | null = null;
  private readonly key: StoreKey;
  private readonly gone: Session = new Session();
  private number: u32 = 0;
  private sought: u32 = 0;
  private exists: bool = false;
  private mark: u32 = 0;
  private length: i32 = 0;
  private sessionsBefore: i32 = 0;
  private tombstonesBefore: i32 = 0;
  private saturatedBefore: bool = false;
  /** Sessions that the page that was read last has lost as it was upgraded; tombstones likewise. */
  private sessionsLost: i32 = 0;
  private tombstonesLost: i32 = 0;
  /** Whether that one was saturated before. */
  private wasSaturated: bool = false;
  /** Whether the page that was read last is one of the cache's, and not the trace of a split that was not finished. */
  private counts: bool = false;

  constructor(
    cacheName: string,
    readonly count: u32,
    private readonly hash: KeyedHash,
    private readonly sharedStore: SharedStore,
    clock: Clock,
    private readonly metrics: Metrics,
    private readonly numbers: Counts,
  ) {
    this.directory = new Directory(cacheName, sharedStore, count);
    this.outbox = new Outbox(cacheName, sharedStore, clock, metrics);
    this.key = new StoreKey(cacheName, "page", true);
    this.moment = new Moment(clock);
  }

  free(): void {
    this.directory.free();
    this.outbox.free();
    this.key.free();
  }

  /**
   * Reads the page in which an ID lives, if it lives at all, for editing. One that does not exist yet reads as empty. Null
   * where the store does not answer.
   */
  open(id: usize, idLength: i32): Page | null {
    const page = this.seek(id, idLength, EDITED);
    if (page) this.begin(page);
    return page;
  }

  /**
   * The same, only to look at it: the page that is being edited stays as it is, and can be committed afterwards. Valid
   * until the next call.
   */
  lookAside(id: usize, idLength: i32): Page | null {
    const exists = this.exists;
    const mark = this.mark;
    const length = this.length;
    const counts = this.counts;
    const upgrades = this.upgrades;
    const sessionsLost = this.sessionsLost;
    const tombstonesLost = this.tombstonesLost;
    const page = this.seek(id, idLength, ASIDE);
    this.exists = exists;
    this.mark = mark;
    this.length = length;
    this.counts = counts;
    this.upgrades = upgrades;
    this.sessionsLost = sessionsLost;
    this.tombstonesLost = tombstonesLost;
    return page;
  }

  /** Reads the page in which an ID lives; its number is in `sought`. */
  private seek(id: usize, idLength: i32, buffer: usize): Page | null {
    const hash = this.hash.of(id, idLength);
    let number = this.directory.deepest(hash);
    for (let step = 0; step < MAX_STEPS; step++) {
      const page = this.loadInto(number, buffer);
      if (!page) return null;
      this.sought = number;
      if (!this.counts) {
        number = originOf(number);
        continue;
      }
      const strange = (hash ^ number) & (((<u32>1) << page.level) - 1);
      if (strange == 0) return page;
      // It was split since: the lowest bit in which the hash is not the page's tells with which page it goes on.
      number |= strange & (0 - strange);
      this.directory.learn(number);
    }
    return null;
  }

  /** Reads a page by its number, for editing. One that does not exist, or not yet, reads as empty. */
  read(number: u32): Page | null {
    const page = this.load(number);
    if (page && this.counts) this.directory.learnFrom(number, page.level);
    return page;
  }

  /** Reads a page by its number into a buffer of PAGE_CAPACITY bytes, only to look at it. */
  readInto(number: u32, buffer: usize): Page | null {
    const page = this.loadInto(number, buffer);
    if (page && this.counts) this.directory.learnFrom(number, page.level);
    return page;
  }

  private load(number: u32): Page | null {
    const page = this.loadInto(number, EDITED);
    if (!page) return null;
    this.sought = number;
    this.begin(page);
    return page;
  }

  /** The page `sought` is edited from now on. */
  private begin(page: Page): void {
    this.number = this.sought;
    this.sessionsBefore = <i32>page.sessions + this.sessionsLost;
    this.tombstonesBefore = <i32>page.tombstones + this.tombstonesLost;
    this.saturatedBefore = this.upgrades ? this.wasSaturated : page.saturatedUntil != 0;
  }

  /** Fills `exists`, `mark`, `length` and `counts` too. */
  private loadInto(number: u32, buffer: usize): Page | null {
    this.key.select(number);
    const page = changetype<Page>(buffer);
    if (buffer == EDITED) this.outbox.clear();
    this.upgrades = false;
    this.sessionsLost = 0;
    this.tombstonesLost = 0;
    const result = this.sharedStore.read(this.key.start, this.key.length, buffer, PAGE_CAPACITY);
    // What is longer than any page is none, and there is no telling what it held.
    const isTooLong = result == StoreResult.TooLarge;
    this.exists = result == StoreResult.Ok || isTooLong;
    if (this.exists) {
      this.mark = isTooLong ? NO_MARK : this.sharedStore.mark;
      this.length = isTooLong ? 0 : this.sharedStore.length;
      this.counts = true;
      if (isTooLong) page.reset();
      if (!page.isWhole(this.length) && !this.upgrade(page, this.length)) this.rebuild(number, page);
      if (page.pending != 0) {
        this.counts = this.wasSplitOff(number);
        if (this.counts) page.pending = 0;
        else page.reset();
      }
      return page;
    }
    if (result != StoreResult.Absent) return null;
    this.length = 0;
    this.counts = number >> this.directory.rootLevel == 0;
    page.reset();
    page.level = <u8>this.directory.rootLevel;
    return page;
  }

  /**
   * The version that the next change of a page is to carry: ascending for the page and for this virtual machine, so
   * that events can be put in order (`events/outbox.ts`).
   */
  version(page: Page, nowNanoseconds: u64): u64 {
    const next = page.nextVersion(nowNanoseconds);
    return next > this.outbox.lastVersion ? next : this.outbox.lastVersion + 1;
  }

  /**
   * Notes an event of a session whose change carries `version`; it happens when the page is stored. `held`: of a removal,
   * whether the cache had the session.
   */
  note(version: u64, nowSeconds: u64, type: u8, cause: u8, id: usize, idLength: i32, held: bool = true): void {
    this.outbox.note(version, nowSeconds, type, cause, id, idLength, held);
  }

  /** Notes an event that leaves no record behind, with a version of its own. Before the entry is removed. */
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

  /** Tells of an event that changes no page: of a session, as far as it is known, and of the client that has offered it. */
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

  /** To be called now and then. */
  tick(): void {
    this.numbers.settle();
    this.outbox.tick();
  }

  /**
   * Stores the page that was read last, as it is now. With `Ok`, the numbers of sessions, tombstones and saturated pages
   * have followed; `reserved` says how many of its new sessions are counted already, or, below zero, how many that are gone are to go on
   * being counted (see `admission.ts`).
   * With `Conflict` nothing was stored: read again and retry.
   */
  commit(reserved: i32): StoreResult {
    const page = changetype<Page>(EDITED);
    const length = lengthFor(page, this.length);
    page.seal();
    this.key.select(this.number);
    this.outbox.announce();
    const result = this.exists
      ? this.sharedStore.replace(this.key.start, this.key.length, EDITED, length, this.mark)
      : this.sharedStore.create(this.key.start, this.key.length, EDITED, length);
    if (result == StoreResult.Ok) {
      this.outbox.confirm();
      this.follow(page, reserved);
      if (this.sessionsLost > 0) this.metrics.increase(Metric.CACHE_FULL, this.sessionsLost);
      if (page.used > splitAt(this.number) && <u32>page.level < this.directory.lastLevel)
        this.split(this.number, page.level);
      return result;
    }
    this.outbox.retract();
    if (result == StoreResult.Conflict) this.metrics.increase(Metric.CAS_CONFLICTS, 1);
    return result;
  }

  /**
   * Splits a page that has grown too large. Touches neither the page that is being edited nor what was read of it. Where
   * others change the page meanwhile nothing is done: they come here too.
   */
  private split(number: u32, level: u32): void {
    const whole = changetype<Page>(WHOLE);
    const low = changetype<Page>(LOW);
    const high = changetype<Page>(HIGH);
    const other = number | ((<u32>1) << level);
    // What stands there now is read before the page itself: so it cannot be that of a split which is already in force.
    const otherIsThere = this.look(other, HIGH) == StoreResult.Ok;
    const otherMark = this.sharedStore.mark;
    if (!this.lookWhole(number, whole)) return;
    const mark = this.sharedStore.mark;
    if (<u32>whole.level != level || whole.used <= splitAt(number)) return;

    low.resetLike(whole, level + 1);
    high.resetLike(whole, level + 1);
    high.pending = 1;
    let entry = whole.first();
    while (entry) {
      const hash = this.hash.of(entry.id, entry.idLength);
      if ((hash >> level) & 1) high.append(entry);
      else low.append(entry);
      entry = whole.after(entry);
    }
    if (!this.directory.add(other)) return;
    if (this.write(other, high, 0, otherIsThere, otherMark) != StoreResult.Ok) return;
    if (this.write(number, low, 0, true, mark) != StoreResult.Ok) return;
    this.directory.learn(other);
    if (whole.saturatedUntil != 0) this.numbers.move(0, 0, 1);
    // From now on nobody needs to ask where it comes from. Who writes to it before has done the same.
    if (!this.lookWhole(other, high) || high.pending == 0) return;
    high.pending = 0;
    this.write(other, high, this.sharedStore.length, true, this.sharedStore.mark);
  }

  /** Whether a pending page counts. */
  private wasSplitOff(number: u32): bool {
    const whole = changetype<Page>(WHOLE);
    if (!this.lookWhole(originOf(number), whole)) return false;
    return (<u32>1) << whole.level > number;
  }

  private look(number: u32, buffer: usize): StoreResult {
    this.key.select(number);
    return this.sharedStore.read(this.key.start, this.key.length, buffer, PAGE_CAPACITY);
  }

  /** As `look`; false where there is no page, or one that is not whole. */
  private lookWhole(number: u32, page: Page): bool {
    if (this.look(number, changetype<usize>(page)) != StoreResult.Ok) return false;
    if (page.isWhole(this.sharedStore.length)) return true;
    const upgrades = this.upgrades;
    const sessionsLost = this.sessionsLost;
    const tombstonesLost = this.tombstonesLost;
    const wasSaturated = this.wasSaturated;
    const isWhole = this.upgrade(page, this.sharedStore.length);
    this.wasSaturated = wasSaturated;
    this.upgrades = upgrades;
    this.sessionsLost = sessionsLost;
    this.tombstonesLost = tombstonesLost;
    return isWhole;
  }

  /**
   * Makes a page of the layout before one of this, in its buffer; false where it is none. Sessions that are to expire first
   * give way where it has become too large, and are told as evicted if it is the page to be edited.
   */
  private upgrade(page: Page, length: i32): bool {
    this.moment.take();
    const whole = upgraded(page, length, this.moment);
    if (!whole) return false;
    this.wasSaturated = page.saturatedUntil != 0;
    const isEdited = changetype<usize>(page) == EDITED;
    const sessions = <i32>whole.sessions;
    const tombstones = <i32>whole.tombstones;
    while (!whole.hasRoom(0)) {
      const displaced = whole.earliestToExpire();
      if (!displaced) break;
      if (isEdited) this.noteGone(whole, displaced, this.moment.nanoseconds, EventType.EVICTED, EventCause.ROOM);
      whole.remove(displaced);
    }
    saturateWhatIsTooMuch(whole);
    this.upgrades = true;
    this.sessionsLost = sessions - <i32>whole.sessions;
    this.tombstonesLost = tombstones - <i32>whole.tombstones;
    memory.copy(changetype<usize>(page), changetype<usize>(whole), whole.used);
    return true;
  }

  private write(number: u32, page: Page, lengthBefore: i32, exists: bool, mark: u32): StoreResult {
    const length = lengthFor(page, lengthBefore);
    page.seal();
    this.key.select(number);
    return exists
      ? this.sharedStore.replace(this.key.start, this.key.length, changetype<usize>(page), length, mark)
      : this.sharedStore.create(this.key.start, this.key.length, changetype<usize>(page), length);
  }

  /**
   * Makes a page that is not whole an empty one, here and in the store, and counts it, once. Its sessions and tombstones are
   * lost; the numbers follow as far as it can be told how many they were.
   */
  private rebuild(number: u32, page: Page): void {
    const sessions = page.likelySessions;
    const tombstones = page.likelyTombstones;
    // How far it was split can be told by the pages that were split off.
    let level = this.directory.firstLevelOf(number);
    while (level < this.directory.lastLevel && this.look(number | ((<u32>1) << level), WHOLE) == StoreResult.Ok)
      level++;
    page.reset();
    page.level = <u8>level;
    page.pending = <u8>(number >> this.directory.rootLevel != 0);
    if (this.putInPlace(number, page) != StoreResult.Ok) return;
    this.metrics.increase(Metric.CORRUPTED_PAGES, 1);
    this.numbers.move(-sessions, -tombstones, 0);
    // Its mark is another now.
    if (this.look(number, WHOLE) == StoreResult.Ok) this.mark = this.sharedStore.mark;
  }

  private putInPlace(number: u32, page: Page): StoreResult {
    if (this.mark != NO_MARK) return this.write(number, page, this.length, true, this.mark);
    page.seal();
    this.key.select(number);
    return this.sharedStore.overwrite(this.key.start, this.key.length, changetype<usize>(page), lengthFor(page, 0));
  }

  private follow(page: Page, reserved: i32): void {
    const sessions = <i32>page.sessions - this.sessionsBefore - reserved;
    const tombstones = <i32>page.tombstones - this.tombstonesBefore;
    const saturated = <i32>(page.saturatedUntil != 0) - <i32>this.saturatedBefore;
    if (sessions != 0 || tombstones != 0 || saturated != 0) this.numbers.move(sessions, tombstones, saturated);
  }
}

/** Of a value whose mark is not known; no value has it. */
const NO_MARK: u32 = 0;
/** Tries of one change against other writers of the same page before it is given up, counted and reported. */
export const MAX_TRIES: i32 = 32;
/** The page that a page was split off: its number without the highest bit. */
function originOf(number: u32): u32 {
  return number ^ ((<u32>1) << (31 - clz(number | 1)));
}

/** The length to store a page with. It gives memory back only where there is much of it: see `storedLength`. */
function lengthFor(page: Page, before: i32): i32 {
  const length = storedLength(page.used);
  return length < before && length > before / 2 ? before : length;
}

/**
 * A page with more bytes is split. Pages differ in it, by up to a factor of two, so that they are not all split at once: then
 * at any time some are new and some nearly full, and what one gives back to the host's allocator another takes.
 */
@inline
function splitAt(number: u32): u32 {
  return LATEST_SPLIT - (number % SPLIT_STEPS) * SPLIT_STEP;
}

/** Leaves room below a page's capacity for one more of the largest entries, so that nothing has to give way before a split. */
const LATEST_SPLIT: u32 = 3071;
const SPLIT_STEPS: u32 = 16;
const SPLIT_STEP: u32 = 98;
/** A way through a page for each bit of a number, and back from some that were not there yet. */
const MAX_STEPS: i32 = 64;
/** Where pages are edited and split. */
export const BUFFERS: usize = memory.data(16384, 8);
export const BUFFERS_SIZE: usize = 16384;
const EDITED: usize = BUFFERS;
const WHOLE: usize = BUFFERS + 4096;
const LOW: usize = BUFFERS + 8192;
const HIGH: usize = BUFFERS + 12288;
/** Where a client's address is read to. */
const CLIENT: usize = memory.data(64);
/** Of no use to a split, which happens when the page at hand is stored, and not before. */
const ASIDE: usize = LOW;
