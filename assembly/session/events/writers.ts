/**
 * The filters of virtual machines that write events, each to an outbox of its own: a table of WRITERS places in the shared
 * store. A writer gives its place back when it ends, and when it has had nothing to write for a while. A writer that has
 * shown no sign of life for STALE_SECONDS loses its place. So neither updates nor machines that trapped use the places up.
 *
 * Value, little-endian: 0 u64 events that were lost as no place was free, then the places, see `Place`.
 * It changes when a place is taken or given back, and once in SIGN_OF_LIFE_SECONDS for each writer.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Writers {
  /** Whether the last holder of the place that was taken last gave it back, so that it stopped at `end`. */
  wasGivenBack: bool = false;
  /** Whether the last `signOfLife` was stored. */
  shown: bool = false;
  private readonly value: StoredValue;

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "events/2/writers", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Reads the table; false if there is none. Its contents are valid until the next use of any `Writers`. */
  load(): bool {
    return this.value.readWhole(TABLE, TABLE_SIZE);
  }

  /** Whether a place is in use, or may hold events from an index on. */
  mayHold(place: i32, position: u64): bool {
    const held = placeAt(place);
    return held.seen != 0 || held.end > position;
  }

  /** Events that were lost as no place was free. */
  get lost(): u64 {
    return load<u64>(TABLE);
  }

  /** The index at which the last holder of a place stopped. */
  end(place: i32): u64 {
    return placeAt(place).end;
  }

  /** Takes a place; -1 if all are in use. */
  take(nowSeconds: u64): i32 {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.load()) memory.fill(TABLE, 0, TABLE_SIZE);
      const place = freePlace(nowSeconds);
      if (place < 0) return -1;
      const taken = placeAt(place);
      this.wasGivenBack = taken.seen == 0;
      taken.seen = nowSeconds;
      if (this.write() == StoreResult.Ok) return place;
    }
    return -1;
  }

  /**
   * Shows that the writer of a place is alive, whose last sign was at `before`. Returns false if the place was taken from it
   * meanwhile; true also if other writers came first, as there is time for another try: then `shown` is false.
   */
  signOfLife(place: i32, before: u64, nowSeconds: u64): bool {
    this.shown = false;
    if (!this.load()) return true;
    const held = placeAt(place);
    if (held.seen != before) return false;
    held.seen = nowSeconds;
    this.shown = this.write() == StoreResult.Ok;
    return true;
  }

  /** Gives back a place whose writer's last sign was at `before` and whose next event has the index `end`. */
  giveBack(place: i32, before: u64, end: u64): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const held = placeAt(place);
      if (!this.load() || held.seen != before) return;
      held.seen = 0;
      held.end = end;
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

/** Returns a place that was given back, else one whose holder is gone; -1 if there is none. */
function freePlace(nowSeconds: u64): i32 {
  for (let place = 0; place < WRITERS; place++) {
    if (placeAt(place).seen == 0) return place;
  }
  for (let place = 0; place < WRITERS; place++) {
    const seen = placeAt(place).seen;
    // A sign from far ahead was given before the clock was set back.
    if (seen + STALE_SECONDS < nowSeconds || nowSeconds + STALE_SECONDS < seen) return place;
  }
  return -1;
}

/** A place of the table. Valid until the next use of any `Writers`. */
@inline
function placeAt(place: i32): Place {
  return changetype<Place>(TABLE + PLACES_OFFSET + ((<usize>place) << 4));
}

/** A place, 16 bytes, little-endian. */
@unmanaged
class Place {
  /** The last sign of life (Unix seconds), 0 if the place is free. */
  seen: u64;
  /** The index of the next event when the place was given back. */
  end: u64;
}

/** More than the filters of an Envoy with 40 workers. */
export const WRITERS: i32 = 128;
export const SIGN_OF_LIFE_SECONDS: u64 = 20;
export const STALE_SECONDS: u64 = 120;
const MAX_TRIES: i32 = 64;
const PLACES_OFFSET: usize = 8;
const TABLE_SIZE: i32 = <i32>PLACES_OFFSET + WRITERS * 16;
const TABLE: usize = memory.data(2056, 8);
