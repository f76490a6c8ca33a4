/**
 * The upstream that each source has talked to last: the first guess for an offer whose session and ticket key are unknown,
 * as F5 and NetScaler advise. A source is an address without its port, together with a server name.
 *
 * A fixed array in SEGMENTS values of the shared store. A source takes one of two places beside each other: only a third
 * source of such a pair displaces another. A place is written only when its source's upstream changes. Layout of a place: u32
 * hash of the source, u32 upstream + 1; that is 0 if the place is free.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Sources {
  private readonly value: StoredValue;

  constructor(cacheName: string, family: string, sharedStore: SharedStore) {
    this.value = new StoredValue(cacheName, family + "/sources", sharedStore);
  }

  free(): void {
    this.value.free();
  }

  /** Returns the number of the upstream that a source has talked to last, -1 if it is not known. */
  lastOf(source: u32): i32 {
    if (!this.read(source)) return -1;
    const place = placeOf(source);
    return isOf(place, source) ? <i32>load<u32>(place, 4) - 1 : -1;
  }

  /** Stores the upstream of a source. */
  learn(source: u32, upstream: i32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.read(source);
      if (!exists) memory.fill(SEGMENT, 0, SEGMENT_SIZE);
      const place = placeOf(source);
      if (isOf(place, source) && load<u32>(place, 4) == <u32>upstream + 1) return;
      store<u32>(place, source);
      store<u32>(place, <u32>upstream + 1, 4);
      if (this.value.put(SEGMENT, SEGMENT_SIZE) != StoreResult.Conflict) return;
    }
  }

  private read(source: u32): bool {
    this.value.select(source % SEGMENTS);
    return this.value.readWhole(SEGMENT, SEGMENT_SIZE);
  }
}

/** The place that a source has in the segment that was read, else a free one of its two, else its first. */
function placeOf(source: u32): usize {
  const first = SEGMENT + <usize>(((source / SEGMENTS) % SLOTS_A_SEGMENT) << 3);
  const second = first ^ 8;
  if (isOf(first, source)) return first;
  if (isOf(second, source)) return second;
  return load<u32>(first, 4) != 0 && load<u32>(second, 4) == 0 ? second : first;
}

function isOf(place: usize, source: u32): bool {
  return load<u32>(place) == source && load<u32>(place, 4) != 0;
}

/** 65,536 sources in 512 KiB. */
const SEGMENTS: u32 = 512;
const SLOTS_A_SEGMENT: u32 = 128;
const MAX_TRIES: i32 = 8;
const SEGMENT_SIZE: i32 = 1024;
const SEGMENT: usize = memory.data(SEGMENT_SIZE, 16);
