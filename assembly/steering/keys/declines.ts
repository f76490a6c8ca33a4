/**
 * Which upstreams have declined tickets under a key name that nobody is known to hold, so that the next attempt goes to
 * another one. A decline may have another cause, such as an expired ticket or another server name. So declines are forgotten
 * after FORGET_SECONDS, and all at once when every upstream has declined.
 *
 * A fixed array like that of `sources.ts`. Layout of a place, 16 bytes: u32 hash of the key name, u32 time of the last
 * decline (Unix seconds), u64 a bit for each of the first 64 upstreams.
 */
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoreKey } from "../../shared/store_key";

export class Declines {
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    family: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, family + "/declines", true);
  }

  free(): void {
    this.key.free();
  }

  /** Returns a bit for each upstream that has declined. */
  of(name: u32, nowSeconds: u64): u64 {
    return this.read(name) ? declinesAt(placeOf(name), name, nowSeconds) : 0;
  }

  /** Stores that an upstream has declined; with `forget`, all other declines of the name go. */
  add(name: u32, upstream: i32, forget: bool, nowSeconds: u64): void {
    if (upstream < 0 || upstream >= 64) return;
    const bit = (<u64>1) << (<u64>upstream);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.read(name);
      const mark = this.sharedStore.mark;
      if (!exists) memory.fill(SEGMENT, 0, SEGMENT_SIZE);
      const place = placeOf(name);
      const declines = forget ? bit : declinesAt(place, name, nowSeconds) | bit;
      store<u32>(place, name);
      store<u32>(place, <u32>nowSeconds, 4);
      store<u64>(place, declines, 8);
      const result = exists
        ? this.sharedStore.replace(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE, mark)
        : this.sharedStore.create(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
      if (result != StoreResult.Conflict) return;
    }
  }

  private read(name: u32): bool {
    this.key.select(name % SEGMENTS);
    const result = this.sharedStore.read(this.key.start, this.key.length, SEGMENT, SEGMENT_SIZE);
    return result == StoreResult.Ok && this.sharedStore.length == SEGMENT_SIZE;
  }
}

function declinesAt(place: usize, name: u32, nowSeconds: u64): u64 {
  if (load<u32>(place) != name) return 0;
  const age = nowSeconds - <u64>load<u32>(place, 4);
  return age > FORGET_SECONDS ? 0 : load<u64>(place, 8);
}

function placeOf(name: u32): usize {
  return SEGMENT + <usize>(((name / SEGMENTS) % SLOTS_A_SEGMENT) << 4);
}

const FORGET_SECONDS: u64 = 300;
/** 4,096 names in 64 KiB. */
const SEGMENTS: u32 = 64;
const SLOTS_A_SEGMENT: u32 = 64;
const MAX_TRIES: i32 = 8;
const SEGMENT_SIZE: i32 = 1024;
const SEGMENT: usize = memory.data(SEGMENT_SIZE, 8);
