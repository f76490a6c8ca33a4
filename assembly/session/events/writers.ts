/**
 * Which virtual machines write events, each to an outbox of its own: a table of WRITERS places in the shared store.
 * A place whose writer has shown no sign of life for STALE_SECONDS may be taken over, so the table never runs full
 * of the dead.
 *
 * Value, little-endian: for each place u64 last sign of life (Unix seconds), 0 where it was never taken.
 * Changed when a machine writes its first event, and by each writer once in SIGN_OF_LIFE_SECONDS: never in a handshake
 * but a machine's first.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../keys";

export class Writers {
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, "events/writers", false);
  }

  free(): void {
    this.key.free();
  }

  /** Reads the table; false where there is none. `taken` is valid until the next use of any `Writers`. */
  load(): bool {
    const result = this.sharedStore.read(this.key.start, this.key.length, TABLE, TABLE_SIZE);
    return result == StoreResult.Ok && this.sharedStore.length == TABLE_SIZE;
  }

  /** Whether a place was ever taken. */
  taken(place: i32): bool {
    return load<u64>(TABLE + ((<usize>place) << 3)) != 0;
  }

  /** Takes a place; -1 where all are in use. */
  take(nowSeconds: u64): i32 {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.load();
      const mark = this.sharedStore.mark;
      if (!exists) memory.fill(TABLE, 0, TABLE_SIZE);
      const place = freePlace(nowSeconds);
      if (place < 0) return -1;
      store<u64>(TABLE + ((<usize>place) << 3), nowSeconds);
      if (this.write(exists, mark) == StoreResult.Ok) return place;
    }
    return -1;
  }

  /** Shows that the writer of a place is alive. */
  signOfLife(place: i32, nowSeconds: u64): void {
    if (!this.load()) return;
    const mark = this.sharedStore.mark;
    store<u64>(TABLE + ((<usize>place) << 3), nowSeconds);
    // A conflict is another writer's sign of life: there is time for the next try.
    this.write(true, mark);
  }

  private write(exists: bool, mark: u32): StoreResult {
    if (exists) return this.sharedStore.replace(this.key.start, this.key.length, TABLE, TABLE_SIZE, mark);
    return this.sharedStore.create(this.key.start, this.key.length, TABLE, TABLE_SIZE);
  }
}

function freePlace(nowSeconds: u64): i32 {
  for (let place = 0; place < WRITERS; place++) {
    const seen = load<u64>(TABLE + ((<usize>place) << 3));
    if (seen == 0 || seen + STALE_SECONDS < nowSeconds) return place;
  }
  return -1;
}

/** More than the virtual machines of an Envoy with 30 workers and two filters. */
export const WRITERS: i32 = 64;
export const SIGN_OF_LIFE_SECONDS: u64 = 60;
const STALE_SECONDS: u64 = 600;
const MAX_TRIES: i32 = 64;
const TABLE_SIZE: i32 = 512;
const TABLE: usize = memory.data(512, 8);
