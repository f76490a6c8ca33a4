/**
 * The registered filters of a cache as they stand in the shared store, and the settings that those in force give together.
 *
 * Layout, little-endian: `Head`, then up to MAX_FILTERS places of REGISTRATION_SIZE bytes, see `registration.ts`. Nothing
 * here is read on the path of a connection.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { StoredValue } from "../../shared/stored_value";
import { Enforcement } from "./enforcement";
import { ENFORCEMENT, MODE, stricter, UNSET, wholeMode } from "./given_settings";
import { Presence } from "./presence";
import { MISPLACED, Registration, REGISTRATION_SIZE, REMOVES, Role, State } from "./registration";

export class RegisteredFilters {
  protected readonly presence: Presence;
  private readonly value: StoredValue;
  private readonly removals: StoredValue;

  constructor(
    readonly cacheName: string,
    sharedStore: SharedStore,
    private readonly changes: Changes,
  ) {
    this.value = new StoredValue(cacheName, "filters", sharedStore);
    this.removals = new StoredValue(cacheName, "removals_changed", sharedStore);
    this.presence = new Presence(cacheName, sharedStore);
  }

  free(): void {
    this.value.free();
    this.removals.free();
    this.presence.free();
  }

  /** Reads the registrations, for the questions below; false if that fails. */
  read(): bool {
    return this.readValue() == StoreResult.Ok;
  }

  /** Whether the registrations are complete enough to conclude anything from them. */
  settled(now: u32): bool {
    const until = HEAD.settledFrom;
    return now >= until || until - now > SETTLE_SECONDS;
  }

  /** Another number after each change of filters, or of lists, that may change which things configurations remove. */
  get removalsMark(): u32 {
    return this.removals.readMark();
  }

  /** Tells all virtual machines that the lists of removed things are others. */
  announceRemovals(): void {
    this.removals.overwrite(VALUE, 0);
    this.changes.announce();
  }

  /** Places that may be taken; `registered` returns by whom. */
  get places(): u32 {
    return HEAD.places;
  }

  /** Returns the filter of a place, valid until the next read. A free place has the identity 0. */
  registered(place: u32): Registration {
    return filterAt(place);
  }

  /**
   * Returns the workers on which a filter runs. The host's main thread runs each filter as well, but serves no connections.
   */
  workers(place: u32, now: u32): u32 {
    const machines = this.presence.count(place, filterAt(place).identity, now);
    return machines <= 1 ? <u32>max(machines, 0) : <u32>machines - 1;
  }

  /** Returns how many filters of a role are in force in a chain to which their traffic comes. */
  serving(role: u32): u32 {
    let count: u32 = 0;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.counts && other.is(role) && !other.is(MISPLACED)) count++;
    }
    return count;
  }

  /** Whether any filter in force runs on a module, as of the last read. Allocates. */
  runsInForce(version: string, build: string): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.counts && other.version == version && other.build == build) return true;
    }
    return false;
  }

  /**
   * Returns the value that the configurations in force give to a setting, UNSET if none; of different values the stricter.
   * An enforcement belongs to the filter whose text has it. Filters that leave it out take that of an admin filter, or else
   * the strictest of the others, but at least the default: one filter's `observe` never spreads to another.
   */
  configured(setting: i32): u32 {
    let value = UNSET;
    let others = UNSET;
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
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

  /** Whether any registered filter gives a bound on memory. */
  boundsMemory(): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.identity != 0 && other.maxMemoryMib != UNSET) return true;
    }
    return false;
  }

  /** Whether no filter of the cache has had a tick yet: then none has served a connection either. */
  get starting(): bool {
    return !this.ticked;
  }

  /** Whether any filter of the cache has had a tick. */
  protected get ticked(): bool {
    return (HEAD.flags & TICKED) != 0;
  }

  protected set ticked(yes: bool) {
    if (yes) HEAD.flags |= TICKED;
  }

  /** The place of the filter with an identity, -1 if there is none. */
  protected find(identity: u64): i32 {
    for (let place: u32 = 0; place < this.places; place++) if (filterAt(place).identity == identity) return <i32>place;
    return -1;
  }

  /** Whether any filter is in force. */
  protected get anyInForce(): bool {
    for (let place: u32 = 0; place < this.places; place++) if (filterAt(place).counts) return true;
    return false;
  }

  /** Whether any filter of a family is registered. */
  protected hasFamily(family: u64): bool {
    for (let place: u32 = 0; place < this.places; place++) {
      const other = filterAt(place);
      if (other.identity != 0 && other.family == family) return true;
    }
    return false;
  }

  /** The place of the superseded filter that has been in force the longest ago, -1 if there is none. */
  protected oldestSuperseded(): i32 {
    let oldest = -1;
    for (let place: u32 = 0; place < this.places; place++) {
      if (filterAt(place).state != State.SUPERSEDED) continue;
      if (oldest < 0 || filterAt(place).sequence < filterAt(oldest).sequence) oldest = <i32>place;
    }
    return oldest;
  }

  /**
   * Reads the registrations, or begins an empty list. Returns Ok, Absent (the list is empty) or Failed. `upgraded`:
   * see `register`.
   */
  protected readOrBegin(upgraded: bool, now: u32): StoreResult {
    const result = this.readValue();
    if (result != StoreResult.Absent) return result;
    memory.fill(VALUE, 0, HEAD_SIZE);
    HEAD.nextNumber = 1;
    if (upgraded) HEAD.settledFrom = now + SETTLE_SECONDS;
    return StoreResult.Absent;
  }

  /** Stores the registrations, and announces the change. */
  protected write(): StoreResult {
    const result = this.value.put(VALUE, HEAD_SIZE + <i32>this.places * <i32>REGISTRATION_SIZE);
    if (result != StoreResult.Ok) return result;
    if (this.anyRemoves) this.removals.overwrite(VALUE, 0);
    this.changes.announce();
    return result;
  }

  /** Whether a place has, or had last, a filter whose configuration removes something. */
  private get anyRemoves(): bool {
    for (let place: u32 = 0; place < this.places; place++) if (filterAt(place).is(REMOVES)) return true;
    return false;
  }

  /** Returns Ok, Absent or Failed; a value that is not well-formed counts as failed. */
  private readValue(): StoreResult {
    const result = this.value.read(VALUE, VALUE_CAPACITY);
    if (result == StoreResult.Absent) return result;
    const isWhole = result == StoreResult.Ok && this.value.length >= HEAD_SIZE && HEAD.places <= MAX_FILTERS;
    return isWhole ? result : StoreResult.Failed;
  }

  /** Finds a free place for a filter, or the place of the oldest that is superseded; -1 if there is none. */
  protected freePlace(): i32 {
    const free = this.find(0);
    if (free >= 0) return free;
    if (this.places == MAX_FILTERS) return this.oldestSuperseded();
    HEAD.places += 1;
    return <i32>this.places - 1;
  }
}

/** The head of the value, HEAD_SIZE bytes. */
@unmanaged
class Head {
  places: u32;
  /** TICKED, or 0. */
  flags: u32;
  /** The sequence number for the next filter that comes into force. */
  nextNumber: u64;
  /** Nothing is concluded before that second. */
  settledFrom: u32;
}

/** The filter of a place, valid until the next read. */
@inline
export function filterAt(place: u32): Registration {
  return changetype<Registration>(VALUE + <usize>HEAD_SIZE + <usize>place * REGISTRATION_SIZE);
}

/** Takes a sequence number for a filter that comes into force. */
export function takeNumber(): u64 {
  const number = HEAD.nextNumber;
  HEAD.nextNumber = number + 1;
  return number;
}

/** Filters of one cache, including those that drain. */
const MAX_FILTERS: u32 = 128;
/** While an earlier module is replaced, its filters are registered one by one. */
const SETTLE_SECONDS: u32 = 3;
/** A flag: any filter of the cache has had a tick. */
const TICKED: u32 = 1;
const HEAD_SIZE: i32 = 32;
/** HEAD_SIZE + MAX_FILTERS x REGISTRATION_SIZE. */
const VALUE_CAPACITY: i32 = 32_800;
const VALUE: usize = memory.data(32_800, 8);
const HEAD: Head = changetype<Head>(VALUE);
