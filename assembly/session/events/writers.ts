/**
 * Which filters of which virtual machines write events, each to an outbox of its own: a table of WRITERS places in the shared
 * store. A writer gives its place back when it ends, and when it has had nothing to write for a while; one that has shown
 * no sign of life for STALE_SECONDS loses it. So neither updates nor machines that trapped use the places up.
 *
 * Value, little-endian: 0 u64 events that were lost as no place was free, then for each place:
 *   0 u64 last sign of life (Unix seconds), 0 where it is free     8 u64 index of the next event, as of when it was given back
 * Changed when a place is taken and given back, and by each writer once in SIGN_OF_LIFE_SECONDS.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Writers {
  /** Of the place that was taken last: whether its last holder gave it back, so that `end` is where it stopped. */
  wasGivenBack: bool = false;
  private readonly value: StoredValue;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "events/2/writers", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Reads the table; false where there is none. What it says is valid until the next use of any `Writers`. */
  load(): bool {
    return this.value.readWhole(TABLE, TABLE_SIZE);
  }

  /** Whether a place is in use, or may hold events from an index on. */
  mayHold(place: i32, position: u64): bool {
    return signOf(place) != 0 || endOf(place) > position;
  }

  /** How many events were lost as no place was free. */
  get lost(): u64 {
    return load<u64>(TABLE);
  }

  /** Where the last holder of the place that was taken last stopped. */
  end(place: i32): u64 {
    return endOf(place);
  }

  /** Takes a place; -1 where all are in use. */
  take(nowSeconds: u64): i32 {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.load()) memory.fill(TABLE, 0, TABLE_SIZE);
      const place = freePlace(nowSeconds);
      if (place < 0) return -1;
      this.wasGivenBack = signOf(place) == 0;
      setSign(place, nowSeconds);
      if (this.write() == StoreResult.Ok) return place;
    }
    return -1;
  }

  /**
   * Shows that the writer of a place is alive, whose last sign was at `before`. False where the place was taken from it
   * meanwhile. Answers true also where others came first: there is time for the next try, `shown` tells.
   */
  signOfLife(place: i32, before: u64, nowSeconds: u64): bool {
    this.shown = false;
    if (!this.load()) return true;
    if (signOf(place) != before) return false;
    setSign(place, nowSeconds);
    this.shown = this.write() == StoreResult.Ok;
    return true;
  }

  /** Whether the last `signOfLife` was stored. */
  shown: bool = false;

  /** Gives a place back, whose writer's last sign was at `before` and whose next event has the index `end`. */
  giveBack(place: i32, before: u64, end: u64): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.load() || signOf(place) != before) return;
      setSign(place, 0);
      store<u64>(TABLE + placeAt(place), end, 8);
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  /** Counts events that were lost as no place was free. */
  lose(count: u64): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.load()) memory.fill(TABLE, 0, TABLE_SIZE);
      store<u64>(TABLE, this.lost + count);
      if (this.write() != StoreResult.Conflict) return;
    }
  }

  private write(): StoreResult {
    return this.value.put(TABLE, TABLE_SIZE);
  }
}

/** One that was given back; where there is none, one whose holder is gone. */
function freePlace(nowSeconds: u64): i32 {
  for (let place = 0; place < WRITERS; place++) {
    if (signOf(place) == 0) return place;
  }
  for (let place = 0; place < WRITERS; place++) {
    const sign = signOf(place);
    // One from far ahead is of a clock that was set back since.
    if (sign + STALE_SECONDS < nowSeconds || nowSeconds + STALE_SECONDS < sign) return place;
  }
  return -1;
}


@inline
function placeAt(place: i32): usize {
  return 8 + ((<usize>place) << 4);
}


@inline
function signOf(place: i32): u64 {
  return load<u64>(TABLE + placeAt(place));
}


@inline
function setSign(place: i32, seconds: u64): void {
  store<u64>(TABLE + placeAt(place), seconds);
}


@inline
function endOf(place: i32): u64 {
  return load<u64>(TABLE + placeAt(place), 8);
}

/** More than the filters of an Envoy with 40 workers. */
export const WRITERS: i32 = 128;
export const SIGN_OF_LIFE_SECONDS: u64 = 20;
export const STALE_SECONDS: u64 = 120;
const MAX_TRIES: i32 = 64;
const TABLE_SIZE: i32 = 8 + WRITERS * 16;
const TABLE: usize = memory.data(2056, 8);
