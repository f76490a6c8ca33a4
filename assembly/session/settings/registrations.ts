/**
 * The filters of a cache: who was configured, what each gives, and whose configuration is in force.
 *
 * Envoy keeps a plugin by its name and text for as long as a listener uses it, also one that drains (ten minutes by default), does not
 * configure it again when the same text comes back, and never says that a listener drains. So this is told from what is seen:
 *
 * - Filters of one name and role are a family. A filter with a new text is pending until its first tick, as Envoy also configures a
 *   plugin only to try it. Then it is in force, and those of its family that were before are superseded.
 * - A new connection comes only to a listener that does not drain. A superseded filter that gets one claims to be in force, before it
 *   judges that connection: its configuration was rolled back.
 * - Filters of one family that go on claiming in turn serve listeners side by side: they are all in force.
 * - Until the first tick of a cache nothing can drain: all that are configured are in force.
 * - A filter that ends everywhere, or whose leases have run out (`presence.ts`), is taken out. A family of which none is in force goes
 *   back to its latest.
 *
 * Value, little-endian: 0 u32 places, 4 u32 flags (1: there was a tick), 8 u64 next number, 16 u32 until when nothing is concluded
 * (seconds), 32 places of REGISTRATION_SIZE bytes, see `registration.ts`. Bounded by MOST places; where all are taken, the oldest that is
 * superseded gives way. Nothing here is read on the path of a connection.
 */
import { FNV_BASIS, fnvStep, fnvText } from "../../bytes/fnv";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { Enforcement } from "./enforcement";
import { ENFORCEMENT, GivenSettings, MODE, SETTINGS, settingName } from "./given_settings";
import { stricter, UNSET, valueText, wholeMode } from "./given_settings";
import { StoredValue } from "../../shared/stored_value";
import { LEASE_SECONDS, Presence } from "./presence";
import { MISPLACED, Registration, REGISTRATION_SIZE, Role, roleOf, spoken, State } from "./registration";

export class Registrations {
  /** False once another of its family has taken this filter's place. */
  inForce: bool = true;
  /** The enforcement that a configuration gives was changed: what was set over HTTP before ends. */
  enforcementChanged: bool = false;
  /** The enforcement that its text gives for its own listener; UNSET where it leaves it out, or speaks for the whole cache. */
  ownEnforcement: u32 = UNSET;
  private name: string = "";
  /** One of `Role`, or 0. */
  private role: u32 = 0;
  private given: GivenSettings = new GivenSettings();
  private version: string = "";
  private identity: u64 = 0;
  private family: u64 = 0;
  /** Of this filter in this virtual machine. */
  private machine: u32 = 0;
  private active: bool = false;
  private ended: bool = false;
  private misplaced: bool = false;
  private renewed: u32 = 0;
  private reported: string = "";
  private suspected: string = "";
  private suspectedAt: u32 = 0;
  private readonly value: StoredValue;
  private readonly presence: Presence;

  constructor(
    private readonly cacheName: string,
    sharedStore: SharedStore,
    private readonly changes: Changes,
  ) {
    this.value = new StoredValue(cacheName, "filters", sharedStore);
    this.presence = new Presence(cacheName, sharedStore);
  }

  free(): void {
    this.value.free();
    this.presence.free();
  }

  /** Who is to be registered. `text`: a hash of the whole configuration; `machine`: a random number. */
  introduce(name: string, text: u64, given: GivenSettings, machine: u32, version: string): void {
    this.name = name;
    this.given = given;
    this.version = version;
    this.machine = machine;
    this.family = fnvText(FNV_BASIS, name);
    this.role = roleOf(name);
    OWN.give(given);
    this.ownEnforcement = this.role == Role.ADMIN ? UNSET : OWN.given(ENFORCEMENT);
    let identity = this.family ^ text;
    for (let setting = 0; setting < SETTINGS; setting++) identity = fnvStep(identity, OWN.given(setting));
    this.identity = identity == 0 ? 1 : identity;
  }

  /**
   * Registers the filter: an empty text, or why it is refused. `upgraded`: the cache was there before any filter was registered.
   */
  register(upgraded: bool, now: u32, unix: u64): string {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(upgraded, now);
      if (found == StoreResult.Failed) break;
      if (this.find(this.identity) >= 0) return "";
      const refusal = this.contradiction();
      if (refusal.length > 0) return refusal;
      const boot = !this.ticked;
      this.enroll(boot || !this.anyInForce() ? State.IN_FORCE : State.PENDING, now, unix);
      const result = this.write();
      if (result == StoreResult.Ok) return "";
      if (result == StoreResult.Failed) break;
    }
    return 'cache "' + this.cacheName + '": its filters could not be stored, as others kept changing them: try again';
  }

  /**
   * What is due: renews the lease, puts a pending filter in force, and, of the machine that is `elected`, takes out who has gone.
   * False where nothing could be read.
   */
  tick(elected: bool, now: u32, unix: u64): bool {
    if (this.identity == 0) return false;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(false, now);
      if (found == StoreResult.Failed) return false;
      let changed = found == StoreResult.Absent || !this.ticked;
      this.ticked = true;
      let place = this.find(this.identity);
      if (place < 0) {
        this.rejoin(now, unix);
        place = this.find(this.identity);
        changed = true;
      }
      if (place < 0) return true;
      const own = at(place);
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
      const age = now >= this.renewed ? now - this.renewed : RENEWAL_SECONDS;
      if (this.renewed == 0 || age >= RENEWAL_SECONDS) {
        if (this.presence.renew(<u32>place, this.identity, this.machine, now)) this.renewed = now;
      }
      return true;
    }
    return false;
  }

  /** A new connection has come to the filter though it is superseded: it is in force again. */
  claim(now: u32, unix: u64): bool {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = this.readOrBegin(false, now);
      if (found == StoreResult.Failed) return false;
      let place = this.find(this.identity);
      if (place < 0) {
        this.enroll(State.SUPERSEDED, now, unix);
        place = this.find(this.identity);
      }
      if (place < 0) return false;
      const own = at(place);
      if (own.state == State.IN_FORCE) {
        this.inForce = true;
        return true;
      }
      own.claims = now - own.claimedAt <= QUICK_SECONDS ? own.claims + 1 : 1;
      own.claimedAt = now;
      if (own.claims < SIDE_BY_SIDE) this.supersede(own);
      else own.claims = SIDE_BY_SIDE;
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

  /** What it is made for never gets to the filter: it stands in a chain of the wrong kind. True where that is new. */
  misplace(): bool {
    const news = !this.misplaced;
    this.misplaced = true;
    return news;
  }

  get spokenName(): string {
    return spoken(this.name);
  }

  /** Takes the registrations from the store, for the questions below. */
  read(): bool {
    return this.readValue() == StoreResult.Ok;
  }

  /** Whether something may be concluded yet from who is registered. */
  settled(now: u32): bool {
    const until = load<u32>(VALUE, SETTLE_OFFSET);
    return now >= until || until - now > SETTLE_SECONDS;
  }

  /** Places that may be taken; `registered` says by whom. */
  get places(): u32 {
    return load<u32>(VALUE);
  }

  /** Valid until the next read; a free place has the identity 0. */
  registered(place: u32): Registration {
    return at(place);
  }

  /** Workers on which a filter runs; the host's main thread runs each as well, but serves no connections. */
  workers(place: u32, now: u32): u32 {
    const machines = this.presence.count(place, at(place).identity, now);
    return machines <= 1 ? <u32>max(machines, 0) : <u32>machines - 1;
  }

  /** Filters of a role that are in force, and where what they are for gets to them. */
  serving(role: u32): u32 {
    let count: u32 = 0;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.counts && other.is(role) && !other.is(MISPLACED)) count++;
    }
    return count;
  }

  /**
   * What the configurations in force say of a setting, UNSET where none does; of different ones the stricter. An enforcement is that of
   * the filter whose text has it; for those that leave it out, it is what an admin filter gives, or else the strictest of the others,
   * but never less than the default: nobody's `observe` is anybody else's.
   */
  configured(setting: i32): u32 {
    let value = UNSET;
    let others = UNSET;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (!other.counts) continue;
      const given = other.given(setting);
      if (given == UNSET) continue;
      if (setting == ENFORCEMENT && !other.is(Role.ADMIN)) {
        others = others == UNSET ? given : stricter(setting, others, given);
      } else {
        value = value == UNSET ? given : stricter(setting, value, given);
      }
    }
    if (value == UNSET && others != UNSET) return max(others, Enforcement.REVOKED);
    return setting == MODE && value != UNSET ? wholeMode(value) : value;
  }

  /**
   * A line about filters in force that contradict each other for longer than an update of all of them takes; empty where there is none,
   * or it was told before. To be called about once a second.
   */
  report(now: u32): string {
    const found = this.conflict();
    if (found != this.suspected) {
      this.suspected = found;
      this.suspectedAt = now;
    }
    if (found.length == 0) this.reported = "";
    if (found == this.reported || now - this.suspectedAt < UPDATE_SECONDS) return "";
    this.reported = found;
    return found;
  }

  private conflict(): string {
    for (let place: u32 = 0; place < this.places; place++) {
      const one = at(place);
      if (!one.counts) continue;
      for (let behind = place + 1; behind < this.places; behind++) {
        const other = at(behind);
        if (!other.counts) continue;
        for (let setting = 0; setting < SETTINGS; setting++) {
          if (!contradict(setting, one, other.given(setting), other.is(Role.ADMIN))) continue;
          return (
            contradictionText(this.cacheName, setting, one, other) +
            valueText(setting, this.configured(setting)) +
            " holds, the stricter; give the same value in all, or in one only"
          );
        }
      }
    }
    return "";
  }

  /** Why the filter cannot be registered beside those that are there; empty where it can. */
  private contradiction(): string {
    const update = this.ticked && this.hasFamily();
    // All filters are often updated at once, one after the other: what then still differs is told by `report`.
    if (update) return "";
    OWN.give(this.given);
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.identity == 0 || other.state == State.SUPERSEDED) continue;
      for (let setting = 0; setting < SETTINGS; setting++) {
        const value = OWN.given(setting);
        if (!contradict(setting, other, value, this.role == Role.ADMIN)) continue;
        return this.refusal(
          settingName(setting),
          valueText(setting, value),
          valueText(setting, other.given(setting)),
          other,
        );
      }
    }
    return "";
  }

  /** Why a bound on memory is refused: another filter gives a different one, or the cache was made before. */
  memoryRefusal(given: u32, present: u32): string {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.identity == 0 || other.maxMemoryMib == UNSET || other.identity == this.identity) continue;
      return this.refusal("max_memory_mib", given.toString(), other.maxMemoryMib.toString(), other);
    }
    return (
      'cache "' +
      this.cacheName +
      '": max_memory_mib is ' +
      given.toString() +
      " here, but the cache was made with " +
      present.toString() +
      " and keeps that as long as it lives: start Envoy anew, or give another name in `cache`"
    );
  }

  /** Whether a filter that is registered gives a bound on memory. */
  boundsMemory(): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.identity != 0 && other.maxMemoryMib != UNSET) return true;
    }
    return false;
  }

  /** Whether no filter of the cache has had a tick yet: connections have not been served either. */
  get starting(): bool {
    return !this.ticked;
  }

  private refusal(name: string, given: string, present: string, other: Registration): string {
    return (
      'cache "' +
      this.cacheName +
      '": ' +
      name +
      " is " +
      given +
      " here and " +
      present +
      " in another filter of the same cache: give the same value in all, or in one only (here: " +
      spoken(this.name) +
      "; the other: " +
      spoken(other.name) +
      ", which counts until it has drained where it was taken out)"
    );
  }

  private hasFamily(): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.identity != 0 && other.family == this.family) return true;
    }
    return false;
  }

  private anyInForce(): bool {
    for (let place: u32 = 0; place < this.places; place++) if (at(place).counts) return true;
    return false;
  }

  /** A filter that runs is not registered: it lost its lease, or gave way, or was taken for one that was only tried. */
  private rejoin(now: u32, unix: u64): void {
    let lives = false;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.counts && other.family == this.family) lives = true;
    }
    if (!this.active) this.enroll(State.PENDING, now, unix);
    else this.enroll(lives ? State.SUPERSEDED : State.IN_FORCE, now, unix);
  }

  /** Writes the filter to a free place, or to that of the oldest that is superseded; where there is none, nowhere. */
  private enroll(state: u32, now: u32, unix: u64): void {
    let place = this.find(0);
    if (place < 0 && this.places < MOST) {
      place = <i32>this.places;
      store<u32>(VALUE, this.places + 1);
    }
    if (place < 0) place = this.oldestSuperseded();
    if (place < 0) return;
    const own = at(place);
    memory.fill(own.start, 0, REGISTRATION_SIZE);
    own.identity = this.identity;
    own.family = this.family;
    own.sequence = takeNumber();
    own.state = state;
    own.flags = this.role;
    own.since = unix;
    own.seen = now;
    own.give(this.given);
    own.name = this.name;
    own.version = this.version;
  }

  private oldestSuperseded(): i32 {
    let oldest = -1;
    for (let place: u32 = 0; place < this.places; place++) {
      if (at(place).state != State.SUPERSEDED) continue;
      if (oldest < 0 || at(place).sequence < at(oldest).sequence) oldest = <i32>place;
    }
    return oldest;
  }

  private activate(own: Registration, unix: u64): void {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      const later = other.counts && other.family == own.family && other.sequence > own.sequence;
      if (!later) continue;
      own.state = State.SUPERSEDED;
      return;
    }
    this.supersede(own);
    own.state = State.IN_FORCE;
    own.since = unix;
  }

  /** The others of its family leave their place to a filter. */
  private supersede(own: Registration): void {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (!other.counts || other.family != own.family || other.identity == own.identity) continue;
      other.state = State.SUPERSEDED;
      if (other.given(ENFORCEMENT) != own.given(ENFORCEMENT)) this.enforcementChanged = true;
    }
  }

  /** Takes out who has gone without a word; true where there was one. */
  private reap(now: u32): bool {
    let found = false;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = at(place);
      if (other.identity == 0 || other.identity == this.identity) continue;
      const patience = other.state == State.PENDING ? TRIAL_SECONDS : LEASE_SECONDS;
      const age = now >= other.seen ? now - other.seen : other.seen - now;
      if (age < patience || this.presence.count(place, other.identity, now) != 0) continue;
      this.takeOut(place);
      found = true;
    }
    return found;
  }

  private takeOut(place: u32): void {
    const family = at(place).family;
    at(place).identity = 0;
    at(place).state = State.PENDING;
    let latest = -1;
    for (let other: u32 = 0; other < this.places; other++) {
      const left = at(other);
      if (left.identity == 0 || left.family != family || left.state == State.PENDING) continue;
      if (left.counts) return;
      if (latest < 0 || left.sequence > at(latest).sequence) latest = <i32>other;
    }
    if (latest >= 0) at(latest).state = State.IN_FORCE;
  }

  private find(identity: u64): i32 {
    for (let place: u32 = 0; place < this.places; place++) if (at(place).identity == identity) return <i32>place;
    return -1;
  }

  private get ticked(): bool {
    return (load<u32>(VALUE, FLAGS_OFFSET) & TICKED) != 0;
  }

  private set ticked(yes: bool) {
    if (yes) store<u32>(VALUE, load<u32>(VALUE, FLAGS_OFFSET) | TICKED, FLAGS_OFFSET);
  }

  /** Ok, Absent (then VALUE is an empty list) or Failed. */
  private readOrBegin(upgraded: bool, now: u32): StoreResult {
    const result = this.readValue();
    if (result != StoreResult.Absent) return result;
    memory.fill(VALUE, 0, HEADER);
    store<u64>(VALUE, 1, NUMBER_OFFSET);
    if (upgraded) store<u32>(VALUE, now + SETTLE_SECONDS, SETTLE_OFFSET);
    return StoreResult.Absent;
  }

  /** Ok, Absent or Failed: what is not well-formed cannot be told from what does not come. */
  private readValue(): StoreResult {
    const result = this.value.read(VALUE, CAPACITY);
    if (result == StoreResult.Absent) return result;
    const isWhole = result == StoreResult.Ok && this.value.length >= HEADER && load<u32>(VALUE) <= MOST;
    return isWhole ? result : StoreResult.Failed;
  }

  private write(): StoreResult {
    const result = this.value.put(VALUE, HEADER + <i32>this.places * <i32>REGISTRATION_SIZE);
    if (result == StoreResult.Ok) this.changes.announce();
    return result;
  }
}

/** Whether what a filter gives contradicts a value that another, of a role, gives. */
function contradict(setting: i32, one: Registration, value: u32, byAdmin: bool): bool {
  const given = one.given(setting);
  if (given == UNSET || value == UNSET || given == value) return false;
  // An observer's or guard's enforcement is its own.
  return setting != ENFORCEMENT || (byAdmin && one.is(Role.ADMIN));
}

function contradictionText(cacheName: string, setting: i32, one: Registration, other: Registration): string {
  return (
    'cache "' +
    cacheName +
    '": ' +
    settingName(setting) +
    " is " +
    valueText(setting, one.given(setting)) +
    " in " +
    spoken(one.name) +
    " and " +
    valueText(setting, other.given(setting)) +
    " in " +
    spoken(other.name) +
    ": "
  );
}


@inline
function at(place: u32): Registration {
  return changetype<Registration>(VALUE + <usize>HEADER + <usize>place * REGISTRATION_SIZE);
}

function takeNumber(): u64 {
  const number = load<u64>(VALUE, NUMBER_OFFSET);
  store<u64>(VALUE, number + 1, NUMBER_OFFSET);
  return number;
}

const TRIES: i32 = 32;
/** Filters of one cache, those that drain included. */
const MOST: u32 = 128;
const RENEWAL_SECONDS: u32 = 2;
/** A pending filter that has no tick for so long was only tried. */
const TRIAL_SECONDS: u32 = 5;
/** While a module of before is replaced, its filters are registered one by one. */
const SETTLE_SECONDS: u32 = 3;
/** So long one update of many filters may take. */
const UPDATE_SECONDS: u32 = 2;
/** So many claims, each within QUICK_SECONDS of the one before, are those of listeners side by side. */
const SIDE_BY_SIDE: u32 = 8;
const QUICK_SECONDS: u32 = 1;
const TICKED: u32 = 1;
const FLAGS_OFFSET: usize = 4;
const NUMBER_OFFSET: usize = 8;
const SETTLE_OFFSET: usize = 16;
const HEADER: i32 = 32;
/** HEADER + MOST x REGISTRATION_SIZE. */
const CAPACITY: i32 = 32_800;
const VALUE: usize = memory.data(32_800, 8);
const OWN_BYTES: usize = memory.data(256, 8);
const OWN: Registration = changetype<Registration>(OWN_BYTES);
