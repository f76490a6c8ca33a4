/**
 * The life of one filter among the registered filters of its cache: which configuration is in force.
 *
 * Envoy keeps a plugin by its name and text as long as a listener uses it, even one that drains (ten minutes by default). It
 * does not configure the plugin again when the same text comes back, and never reports that a listener drains. So the
 * filters conclude it:
 *
 * - Filters of one name and role are a family. A filter with a new text or module is pending until its first tick, as Envoy
 *   also configures a plugin only to try it. Then it is in force, and the earlier ones of its family are superseded.
 * - A new connection comes only to a listener that does not drain. A superseded filter that gets one claims to be in force,
 *   before it judges that connection: its configuration was rolled back.
 * - Filters of one family that go on claiming in turn serve listeners side by side: they are all in force. If only their
 *   modules differ, two claims of one show that: not all listeners are upgraded.
 * - Until the first tick of a cache nothing can drain: all configured filters are in force.
 * - A filter that ends everywhere, or whose leases have run out (`presence.ts`), is taken out. A family of which none is in
 *   force goes back to its latest.
 *
 * Bounded by MAX_FILTERS places (`registered_filters.ts`); if all are taken, the oldest superseded filter gives way.
 */
import { FNV_BASIS, fnvStep, fnvText } from "../../bytes/fnv";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { ConflictReport, contradictionOf, memoryRefusalOf } from "./contradictions";
import { ENFORCEMENT, GivenSettings, SETTINGS, UNSET } from "./given_settings";
import { LEASE_SECONDS } from "./presence";
import { filterAt, RegisteredFilters, takeNumber } from "./registered_filters";
import { MISPLACED, Registration, REGISTRATION_SIZE, REMOVES, Role, roleOf, spoken, State } from "./registration";

export class Registrations extends RegisteredFilters {
  /** False after another filter of its family has taken this one's place. */
  inForce: bool = true;
  /** Whether any filter in force runs on the module of this one, as of the last tick. */
  moduleInForce: bool = false;
  /** Whether a configuration has changed the enforcement: then one that was set over HTTP before ends. */
  enforcementChanged: bool = false;
  /**
   * The enforcement that its text gives for its own listener; UNSET if the text has none, or gives it for the whole cache.
   */
  ownEnforcement: u32 = UNSET;
  /** The place of this filter as of its last tick, -1 before. */
  ownPlace: i32 = -1;
  /** The version of the module that runs this filter. */
  version: string = "";
  /** The build of that module, 64 hex digits; empty if it has none. */
  build: string = "";
  private name: string = "";
  /** One of `Role`, or 0. */
  private role: u32 = 0;
  private given: GivenSettings = new GivenSettings();
  private identity: u64 = 0;
  private family: u64 = 0;
  /** The number of this virtual machine. */
  private machine: u32 = 0;
  private active: bool = false;
  private ended: bool = false;
  private misplaced: bool = false;
  private renewed: u32 = 0;
  private readonly conflicts: ConflictReport = new ConflictReport();

  constructor(cacheName: string, sharedStore: SharedStore, changes: Changes) {
    super(cacheName, sharedStore, changes);
  }

  /** Takes the filter to register. `text`: a hash of the whole configuration; `machine`: a random number. */
  introduce(name: string, text: u64, given: GivenSettings, machine: u32, version: string, build: string): void {
    this.name = name;
    this.given = given;
    this.version = version;
    this.build = build;
    this.machine = machine;
    this.family = fnvText(FNV_BASIS, name);
    this.role = roleOf(name);
    OWN.give(given);
    this.ownEnforcement = this.role == Role.ADMIN ? UNSET : OWN.given(ENFORCEMENT);
    let identity = this.family ^ text;
    for (let setting = 0; setting < SETTINGS; setting++) identity = fnvStep(identity, OWN.given(setting));
    // An upgrade often changes the module alone. With one identity, the old module's row would stand for both.
    OWN.build = build;
    OWN.textIdentity = identity;
    this.identity = OWN.identity;
  }

  /**
   * Registers the filter. Returns an empty text, or why it is refused. `upgraded`: the cache existed before any filter was
   * registered.
   */
  register(upgraded: bool, now: u32, unix: u64): string {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(upgraded, now);
      if (found == StoreResult.Failed) break;
      if (this.find(this.identity) >= 0) return "";
      const refusal = this.contradiction;
      if (refusal.length > 0) return refusal;
      const boot = !this.ticked;
      this.enroll(boot || !this.anyInForce ? State.IN_FORCE : State.PENDING, now, unix);
      const result = this.write();
      if (result == StoreResult.Ok) return "";
      if (result == StoreResult.Failed) break;
    }
    return 'cache "' + this.cacheName + '": its filters could not be stored, as others kept changing them: try again';
  }

  /**
   * Renews the lease if that is due, and puts a pending filter in force. The machine that is `elected` takes out filters
   * that have gone. Returns false if the registrations could not be read.
   */
  tick(elected: bool, now: u32, unix: u64): bool {
    if (this.identity == 0) return false;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(NOT_UPGRADED, now);
      if (found == StoreResult.Failed) return false;
      let changed = found == StoreResult.Absent || !this.ticked;
      this.ticked = true;
      let place = this.find(this.identity);
      if (place < 0) {
        this.rejoin(now, unix);
        place = this.find(this.identity);
        changed = true;
      }
      this.ownPlace = place;
      if (place < 0) return true;
      const own = filterAt(place);
      if (own.state == State.PENDING) {
        this.activate(own, unix);
        changed = true;
      }
      if (this.misplaced && (own.flags & MISPLACED) == 0) {
        own.flags |= MISPLACED;
        changed = true;
      }
      if (elected && this.reap(now)) changed = true;
      if (changed && this.write() != StoreResult.Ok) continue;
      this.active = true;
      this.inForce = own.state == State.IN_FORCE;
      this.moduleInForce = this.runsInForce(this.version, this.build);
      const age = now >= this.renewed ? now - this.renewed : RENEWAL_SECONDS;
      if (this.renewed == 0 || age >= RENEWAL_SECONDS) {
        if (this.presence.renew(<u32>place, this.identity, this.machine, now)) this.renewed = now;
      }
      return true;
    }
    return false;
  }

  /** Puts a superseded filter in force again, as a new connection has come to it; false if that could not be stored. */
  claim(now: u32, unix: u64): bool {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(NOT_UPGRADED, now);
      if (found == StoreResult.Failed) return false;
      let place = this.find(this.identity);
      if (place < 0) {
        this.enroll(State.SUPERSEDED, now, unix);
        place = this.find(this.identity);
      }
      if (place < 0) return false;
      const own = filterAt(place);
      if (own.state == State.IN_FORCE) {
        this.inForce = true;
        return true;
      }
      const upgrade = this.differsInModule(own);
      const enough = upgrade ? HALF_UPGRADED : SIDE_BY_SIDE;
      own.claims = upgrade || now - own.claimedAt <= QUICK_SECONDS ? own.claims + 1 : 1;
      own.claimedAt = now;
      if (own.claims < enough) this.supersede(own);
      else own.claims = enough;
      own.state = State.IN_FORCE;
      own.sequence = takeNumber();
      own.since = unix;
      if (this.write() != StoreResult.Ok) continue;
      this.inForce = true;
      return true;
    }
    return false;
  }

  /** The filter ends in this virtual machine. */
  leave(now: u32): void {
    if (this.identity == 0 || this.ended) return;
    this.ended = true;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (!this.read()) return;
      const place = this.find(this.identity);
      if (place < 0 || this.presence.leave(<u32>place, this.identity, this.machine, now) != 0) return;
      this.takeOut(place);
      if (this.write() == StoreResult.Ok) return;
    }
  }

  /**
   * Notes that the filter stands in a chain of the wrong kind, to which its traffic never comes. Returns whether that is
   * news.
   */
  misplace(): bool {
    const news = !this.misplaced;
    this.misplaced = true;
    return news;
  }

  /** Returns the place of this filter as of the last read, -1 if it has none. */
  findOwnPlace(): i32 {
    return this.find(this.identity);
  }

  get spokenName(): string {
    return spoken(this.name);
  }

  /** Returns a line about filters in force that contradict each other, or an empty text: see `ConflictReport`. */
  report(now: u32): string {
    return this.conflicts.next(this, now);
  }

  /** Returns why a bound on memory is refused, in a cache that has another one. */
  memoryRefusal(given: u32, current: u32): string {
    return memoryRefusalOf(this, this.identity, this.name, given, current);
  }

  /** Why the filter cannot be registered beside the others; empty if it can. */
  private get contradiction(): string {
    // All filters are often updated at once, one after the other; `report` finds differences that stay.
    if (this.ticked && this.hasFamily(this.family)) return "";
    OWN.give(this.given);
    return contradictionOf(this, OWN, this.name, this.role);
  }

  /** Registers a running filter again: it has lost its lease, or given way, or passed for one that was only tried. */
  private rejoin(now: u32, unix: u64): void {
    let lives = false;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.counts && other.family == this.family) lives = true;
    }
    if (!this.active) this.enroll(State.PENDING, now, unix);
    else this.enroll(lives ? State.SUPERSEDED : State.IN_FORCE, now, unix);
  }

  /** Writes the filter to a free place, or to that of the oldest superseded one; if there is none, nowhere. */
  private enroll(state: u32, now: u32, unix: u64): void {
    const place = this.freePlace();
    if (place < 0) return;
    const own = filterAt(place);
    memory.fill(own.start, 0, REGISTRATION_SIZE);
    own.identity = this.identity;
    own.family = this.family;
    own.sequence = takeNumber();
    own.state = state;
    own.flags = this.given.removes ? this.role | REMOVES : this.role;
    own.since = unix;
    own.seen = now;
    own.give(this.given);
    own.name = this.name;
    own.version = this.version;
    own.build = this.build;
  }

  /** Puts a pending filter in force, unless a later one of its family is. */
  private activate(own: Registration, unix: u64): void {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      const later = other.counts && other.family == own.family && other.sequence > own.sequence;
      if (!later) continue;
      own.state = State.SUPERSEDED;
      return;
    }
    this.supersede(own);
    own.state = State.IN_FORCE;
    own.since = unix;
  }

  /** Supersedes the other filters of a filter's family. */
  private supersede(own: Registration): void {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (!other.counts || other.family != own.family || other.identity == own.identity) continue;
      other.state = State.SUPERSEDED;
      if (other.given(ENFORCEMENT) != own.given(ENFORCEMENT)) this.enforcementChanged = true;
    }
  }

  /** Whether the filters in force of a filter's family have its text, and another module. */
  private differsInModule(own: Registration): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.counts && other.family == own.family && other.textIdentity != own.textIdentity) return false;
    }
    return true;
  }

  /** Takes out the filters that have gone without giving notice. Returns whether there were any. */
  private reap(now: u32): bool {
    let found = false;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.identity == 0 || other.identity == this.identity) continue;
      const patience = other.state == State.PENDING ? TRIAL_SECONDS : LEASE_SECONDS;
      const age = now >= other.seen ? now - other.seen : other.seen - now;
      if (age < patience || this.presence.count(place, other.identity, now) != 0) continue;
      this.takeOut(place);
      found = true;
    }
    return found;
  }

  /** Takes out a filter; its family goes back to its latest if none is in force. */
  private takeOut(place: u32): void {
    const family = filterAt(place).family;
    filterAt(place).identity = 0;
    filterAt(place).state = State.PENDING;
    let latest = -1;
    for (let other: u32 = 0; other < this.places; other++) {
      const left = filterAt(other);
      if (left.identity == 0 || left.family != family || left.state == State.PENDING) continue;
      if (left.counts) return;
      if (latest < 0 || left.sequence > filterAt(latest).sequence) latest = <i32>other;
    }
    if (latest >= 0) filterAt(latest).state = State.IN_FORCE;
  }
}

const TRIES: i32 = 32;
const NOT_UPGRADED: bool = false;
const RENEWAL_SECONDS: u32 = 2;
/** A pending filter that has no tick for so long was only tried. */
const TRIAL_SECONDS: u32 = 5;
/** So many claims, each within QUICK_SECONDS of the one before, are those of listeners side by side. */
const SIDE_BY_SIDE: u32 = 8;
const QUICK_SECONDS: u32 = 1;
/**
 * So many claims of a filter, however far apart, are those of a listener that still uses the other module. All have the same
 * settings, so nothing but their states depends on it.
 */
const HALF_UPGRADED: u32 = 2;
const OWN_BYTES: usize = memory.data(256, 8);
/** The settings of this filter. */
const OWN: Registration = changetype<Registration>(OWN_BYTES);
