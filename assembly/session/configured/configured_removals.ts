/**
 * Sessions, ticket keys and server names that configurations remove: as long as they stand in the text of a filter that is
 * in force, nothing of them resumes at any filter of the cache. They are in force before the first handshake, survive a
 * restart with the text, and end when the text no longer has them.
 *
 * A filter's own list counts here from the beginning. It stores it under the number of its registration, for the other
 * virtual machines. They read all lists of filters in force when anything about them has changed, which an empty value tells
 * (`RegisteredFilters.removalsChanged`). If a list cannot be read, the last set stays, and the next epoch tries again.
 *
 * Cost: one small host call for each epoch of `Changes`, and some milliseconds for 15,000 entries when they change. Looks cost
 * no host call, and nothing while nobody removes anything.
 */
import { SharedStore } from "../../ports/shared_store";
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
  /** The place at which its list was stored last, -1 for none. */
  private storedAt: i32 = NOWHERE;
  private epoch: u32 = 0;
  private mark: u32 = 0;
  private countsOwn: bool = false;

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
  }

  /** Takes the list of this filter's own configuration, in force since a second. */
  give(list: RemovalList, since: u64): void {
    this.own = list;
    list.since = since;
    if (list.isEmpty) return;
    this.publish();
    this.rebuild();
  }

  /** Stores the own list again if its registration has moved. To be called about once a second. */
  keepStored(): void {
    if (!this.own.isEmpty && this.settings.registrations.ownPlace != this.storedAt) this.publish();
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
    const countsOwn = !this.own.isEmpty && registrations.inForce;
    if (mark == this.mark && countsOwn == this.countsOwn) return;
    if (this.rebuild()) this.mark = mark;
  }

  /** Stores the own list under the number of its registration. */
  private publish(): void {
    const registrations = this.settings.registrations;
    if (!registrations.read()) return;
    const place = registrations.findOwnPlace();
    if (place < 0) return;
    this.value.select(<u32>place);
    if (!this.own.store(this.value, registrations.registered(<u32>place).identity)) return;
    this.storedAt = place;
    registrations.announceRemovals();
  }

  /** Makes the set from the lists of all filters in force; false if one could not be read. */
  private rebuild(): bool {
    const registrations = this.settings.registrations;
    if (!registrations.read()) return false;
    const countsOwn = !this.own.isEmpty && registrations.inForce;
    const lists: RemovalList[] = [];
    if (countsOwn) lists.push(this.own);
    const ownPlace = registrations.findOwnPlace();
    for (let place: u32 = 0; place < registrations.places; place++) {
      const filter = registrations.registered(place);
      if (<i32>place == ownPlace || !filter.counts || !filter.is(REMOVES)) continue;
      const list = new RemovalList();
      list.since = filter.since;
      this.value.select(place);
      if (!list.read(this.value, filter.identity)) return false;
      lists.push(list);
    }
    this.countsOwn = countsOwn;
    this.set.build(lists);
    return true;
  }
}

const NOWHERE: i32 = -1;
