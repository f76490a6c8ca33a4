/**
 * Sessions, ticket keys and server names that configurations remove: as long as they stand in the text of a filter that is
 * in force, nothing of them resumes at any filter of the cache. They are in force before the first handshake, survive a
 * restart with the text, and end when the text no longer has them.
 *
 * A filter's own list counts here from the beginning. It stores it under the number of its registration, for the other
 * virtual machines. They read all lists of filters in force when anything about them has changed, which an empty value tells
 * (`RegisteredFilters.removalsChanged`). If a list cannot be read, the last set stays, and the next epoch tries again.
 *
 * A stored list: u64 identity of its registration, then a `RemovalList`.
 *
 * Cost: one small host call for each epoch of `Changes`, and some milliseconds for 15,000 entries when they change. Looks cost
 * no host call, and nothing while nobody removes anything.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { REMOVES } from "../settings/registration";
import { Settings } from "../settings/settings";
import { RemovalList } from "./removal_list";
import { RemovalSet } from "./removal_set";

export class ConfiguredRemovals {
  readonly set: RemovalSet;
  private readonly value: StoredValue;
  /** What the configuration of this filter removes. */
  private own: RemovalList = new RemovalList();
  /** When it was configured, in Unix seconds. */
  private since: u64 = 0;
  /** The place at which its list was stored last, -1 for none. */
  private storedAt: i32 = NOWHERE;
  private epoch: u32 = 0;
  private mark: u32 = 0;
  private countsOwn: bool = false;
  /** Room for a list of another filter, while they are read. */
  private buffer: usize = 0;
  private capacity: i32 = 0;

  constructor(
    private readonly settings: Settings,
    sharedStore: SharedStore,
  ) {
    this.set = new RemovalSet(settings.hash);
    this.value = new StoredValue(settings.cacheName, "removed", sharedStore);
  }

  free(): void {
    this.value.free();
    this.set.free();
    this.freeBuffer();
  }

  /** Takes the list of this filter's own configuration, in force since a second. */
  give(list: RemovalList, since: u64): void {
    this.own = list;
    this.since = since;
    if (list.length == 0) return;
    this.publish();
    this.rebuild();
  }

  /** Stores the own list again if its registration has moved. To be called about once a second. */
  keepStored(): void {
    if (this.own.length > 0 && this.settings.registrations.ownPlace != this.storedAt) this.publish();
  }

  /** Takes over changes of other filters. Needs settings that were just read. */
  @inline
  follow(): void {
    if (this.epoch != this.settings.changes.epoch) this.followChanges();
  }

  private followChanges(): void {
    this.epoch = this.settings.changes.epoch;
    const registrations = this.settings.registrations;
    const mark = registrations.removalsMark;
    const countsOwn = this.own.length > 0 && registrations.inForce;
    if (mark == this.mark && countsOwn == this.countsOwn) return;
    if (this.rebuild()) this.mark = mark;
  }

  /** Stores the own list under the number of its registration. */
  private publish(): void {
    const registrations = this.settings.registrations;
    if (!registrations.read()) return;
    const place = registrations.findOwnPlace();
    if (place < 0) return;
    const own = this.own;
    const size = HEAD_SIZE + own.length;
    const stored = heap.alloc(size);
    store<u64>(stored, registrations.registered(<u32>place).identity);
    memory.copy(stored + <usize>HEAD_SIZE, own.start, own.length);
    this.value.select(<u32>place);
    if (this.value.overwrite(stored, size) == StoreResult.Ok) {
      this.storedAt = place;
      registrations.announceRemovals();
    }
    heap.free(stored);
  }

  /** Makes the set from the lists of all filters in force; false if one could not be read. */
  private rebuild(): bool {
    const registrations = this.settings.registrations;
    if (!registrations.read()) return false;
    const countsOwn = this.own.length > 0 && registrations.inForce;
    const ownPlace = registrations.findOwnPlace();
    let total = countsOwn ? this.own.length : 0;
    for (let place: u32 = 0; place < registrations.places; place++) {
      if (!this.isGiven(place, ownPlace)) continue;
      const length = this.readList(place);
      if (length < 0) return false;
      total += length;
    }
    this.countsOwn = countsOwn;
    const set = this.set;
    set.begin(total);
    if (countsOwn) set.add(this.own.start, this.own.length, this.since);
    for (let place: u32 = 0; place < registrations.places; place++) {
      if (!this.isGiven(place, ownPlace)) continue;
      const length = this.readList(place);
      const since = registrations.registered(place).since;
      if (length > 0) set.add(this.buffer + <usize>HEAD_SIZE, length, since);
    }
    this.freeBuffer();
    return true;
  }

  /** Whether a place has another filter in force whose configuration removes something. */
  private isGiven(place: u32, ownPlace: i32): bool {
    const filter = this.settings.registrations.registered(place);
    return <i32>place != ownPlace && filter.counts && filter.is(REMOVES);
  }

  /**
   * Reads the list of a place to `buffer`, behind its head; returns its length, 0 if it is not there yet, -1 if it cannot be
   * read.
   */
  private readList(place: u32): i32 {
    if (this.capacity == 0) this.allocate(USUAL_SIZE);
    this.value.select(place);
    let result = this.value.read(this.buffer, this.capacity);
    if (result == StoreResult.TooLarge && this.capacity < MAX_STORED_SIZE) {
      this.allocate(MAX_STORED_SIZE);
      result = this.value.read(this.buffer, this.capacity);
    }
    if (result == StoreResult.Absent || result == StoreResult.TooLarge) return 0;
    if (result != StoreResult.Ok) return FAILED;
    if (this.value.length < HEAD_SIZE) return 0;
    const isOfFilter = load<u64>(this.buffer) == this.settings.registrations.registered(place).identity;
    return isOfFilter ? this.value.length - HEAD_SIZE : 0;
  }

  private allocate(capacity: i32): void {
    this.freeBuffer();
    this.buffer = heap.alloc(capacity);
    this.capacity = capacity;
  }

  private freeBuffer(): void {
    if (this.capacity > 0) heap.free(this.buffer);
    this.capacity = 0;
  }
}

const NOWHERE: i32 = -1;
const FAILED: i32 = -1;
const HEAD_SIZE: i32 = 8;
/** A list is shorter than the text that has it, which is 1 MiB at most. */
const MAX_STORED_SIZE: i32 = 1_048_576;
const USUAL_SIZE: i32 = 16_384;
