/**
 * How often each setting was set over HTTP, also to the value that it had: a small value in the shared store, beside the
 * settings, as the layout of those has no room and earlier modules write it. Only a fleet needs it, for which setting a value
 * again is a later decision; without a fleet filter nobody reads or writes it. Earlier modules do not count.
 *
 * Cost: one read for `read`, one read and one write for a try of `add`.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { SETTINGS } from "./given_settings";

export class SetCounts {
  private readonly value: StoredValue;
  /** A u32 for each setting. */
  private readonly counts: usize = heap.alloc(SIZE);

  constructor(cacheName: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, "settings_set", sharedStore);
    memory.fill(this.counts, 0, SIZE);
  }

  free(): void {
    this.value.free();
    heap.free(this.counts);
  }

  /** Reads the counts. False if there are none yet, or the store does not answer; then the last known ones stay. */
  read(): bool {
    return this.value.readWhole(this.counts, SIZE);
  }

  /** The count of a setting, as of the last read. It wraps. */
  of(setting: i32): u32 {
    return load<u32>(this.counts + ((<usize>setting) << 2));
  }

  /** Counts that a setting was set. False if that could not be stored. */
  add(setting: i32): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.read();
      store<u32>(this.counts + ((<usize>setting) << 2), this.of(setting) + 1);
      const result = this.value.put(this.counts, SIZE);
      if (result == StoreResult.Ok) return true;
      if (result != StoreResult.Conflict) return false;
    }
    return false;
  }
}

const SIZE: i32 = SETTINGS * 4;
const MAX_TRIES: i32 = 64;
