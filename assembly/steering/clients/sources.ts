/**
 * The upstream that each source has talked to last: the first guess for an offer whose session and ticket key are unknown,
 * as F5 and NetScaler advise. A source is an address without its port, together with a server name.
 *
 * A fixed array in SEGMENTS values of the shared store. Sources that share a place displace each other. A place is written
 * only when its source's upstream changes. Layout of a place: u32 hash of the source, u32 upstream + 1.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../../shared/store_key";

export class Sources {
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    family: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, family + "/sources", true);
  }

  free(): void {
    this.key.free();
  }

  /** Returns the number of the upstream that a source has talked to last, -1 if it is not known. */
  lastOf(source: u32): i32 {
    if (!this.read(source)) return -1;
    const place = placeOf(source);
    return load<u32>(place) == source ? <i32>load<u32>(place, 4) - 1 : -1;
  }

  /** Stores the upstream of a source. */
  learn(source: u32, upstream: i32): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.read(source);
      const mark = this.sharedStore.mark;
      const place = placeOf(source);
      if (exists && load<u32>(place) == source && load<u32>(place, 4) == <u32>upstream + 1) return;
      if (!exists) memory.fill(SEGMENT, 0, SEGMENT_SIZE);
      store<u32>(place, source);
      store<u32>(place, <u32>upstream + 1, 4);
      const result = exists
        ? this.sharedStore.replace(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE, mark)
        : this.sharedStore.create(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
      if (result != StoreResult.Conflict) return;
    }
  }

  private read(source: u32): bool {
    this.key.select(source % SEGMENTS);
    const result = this.sharedStore.read(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
    return result == StoreResult.Ok && this.sharedStore.length == SEGMENT_SIZE;
  }
}

function placeOf(source: u32): usize {
  return SEGMENT + <usize>(((source / SEGMENTS) % SLOTS_A_SEGMENT) << 3);
}

/** 65,536 sources in 512 KiB. */
const SEGMENTS: u32 = 512;
const SLOTS_A_SEGMENT: u32 = 128;
const MAX_TRIES: i32 = 8;
const SEGMENT_SIZE: i32 = 1024;
const SEGMENT: usize = memory.data(SEGMENT_SIZE, 8);
