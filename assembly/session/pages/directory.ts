/**
 * Lists the pages of a cache. The store cannot list its keys, and a listing of ten sessions must not read every page that
 * could exist. So one bit for each page that was split off another is kept beside the pages. Bits are only ever set.
 *
 * A bit is set *before* its page is stored, so listing, flushing and sweeping see every session. Each virtual machine
 * remembers the bits that it has seen, and the splits that it has met: none of that ever becomes wrong. A page that is not
 * known yet costs one more read, once (see `pages.ts`).
 *
 * Memory: one bit for each page that there can be, here and in the store.
 */
import { zeroed } from "../../bytes/zeroed";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";

export class Directory {
  /** The level of the roots: the number of bits of the hash that tell them apart. */
  readonly rootLevel: u32;
  /** The level at which a page is not split further. */
  readonly lastLevel: u32;
  private readonly known: usize;
  private readonly value: StoredValue;

  /** `pages`: how many there can be, a power of two. */
  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    readonly pages: u32,
  ) {
    this.known = zeroed(shardsFor(pages) * SHARD_SIZE);
    this.value = new StoredValue(cacheName, "directory", sharedStore);
    this.lastLevel = 31 - clz(pages);
    this.rootLevel = this.lastLevel < MAX_ROOT_LEVEL ? this.lastLevel : MAX_ROOT_LEVEL;
    for (let root: u32 = 0; root < (<u32>1) << this.rootLevel; root++) this.learn(root);
  }

  free(): void {
    heap.free(this.known);
    this.value.free();
  }

  /** Lists a page; false if a bounded number of tries did not succeed. */
  add(page: u32): bool {
    const shard = page / PAGES_PER_SHARD;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.refresh(shard)) memory.fill(SCRATCH, 0, SHARD_SIZE);
      else if (isSet(SCRATCH, page % PAGES_PER_SHARD)) return true;
      setBit(SCRATCH, page % PAGES_PER_SHARD);
      if (this.value.put(SCRATCH, SHARD_SIZE) == StoreResult.Ok) return true;
    }
    return false;
  }

  /** Learns the pages that other workers have listed. Cost: one read for each 4096 pages. */
  refreshAll(): void {
    const shards = shardsFor(this.pages);
    for (let shard: u32 = 0; shard < shards; shard++) this.refresh(shard);
  }

  /** Notes a page that was split off. */
  learn(page: u32): void {
    if (page < this.pages) setBit(this.known, page);
  }

  /** Notes all pages that were split off a page that has come to a level. */
  learnFrom(page: u32, level: u32): void {
    for (let at = this.firstLevelOf(page); at < level && at < this.lastLevel; at++) this.learn(page | ((<u32>1) << at));
  }

  /** Returns the level with which a page begins. */
  firstLevelOf(page: u32): u32 {
    const bits: u32 = 32 - clz(page);
    return bits > this.rootLevel ? bits : this.rootLevel;
  }

  /** Of the known pages whose IDs may have this hash, returns the one of the highest level. */
  deepest(hash: u32): u32 {
    let level = this.lastLevel;
    while (level > this.rootLevel) {
      const page = hash & (((<u32>1) << level) - 1);
      if (this.knows(page)) return page;
      level--;
    }
    return hash & (((<u32>1) << level) - 1);
  }

  /** Returns the first known page at or after `page`, or `pages` if there is none. */
  next(page: u32): u32 {
    while (page < this.pages) {
      if ((page & 63) == 0 && load<u64>(this.known + (page >> 3)) == 0) {
        page += 64;
        continue;
      }
      if (this.knows(page)) return page;
      page++;
    }
    return this.pages;
  }

  /** Whether a page is known to be there. */
  @inline
  private knows(page: u32): bool {
    return isSet(this.known, page);
  }

  /** Reads a shard into SCRATCH, and learns its bits; false if there is none. */
  private refresh(shard: u32): bool {
    this.value.select(shard);
    if (!this.value.readWhole(SCRATCH, SHARD_SIZE)) return false;
    const known = this.known + <usize>(shard * SHARD_SIZE);
    for (let i: usize = 0; i < <usize>SHARD_SIZE; i += 8) {
      store<u64>(known + i, load<u64>(known + i) | load<u64>(SCRATCH + i));
    }
    return true;
  }
}

function shardsFor(pages: u32): u32 {
  return (pages + PAGES_PER_SHARD - 1) / PAGES_PER_SHARD;
}

function setBit(bits: usize, index: u32): void {
  const address = bits + (index >> 3);
  const bit = 1 << (index & 7);
  store<u8>(address, <u8>(load<u8>(address) | bit));
}

/** Whether a bit is set. */
@inline
function isSet(bits: usize, index: u32): bool {
  return ((load<u8>(bits + (index >> 3)) >> (<u8>(index & 7))) & 1) != 0;
}

const PAGES_PER_SHARD: u32 = 4096;
const SHARD_SIZE: i32 = 512;
/** A conflict means that another worker listed another page for the first time: rare, and rarer as the cache grows. */
const MAX_TRIES: i32 = 16;
const SCRATCH: usize = memory.data(512, 8);

/** 16 roots: enough that workers rarely meet at one in a cache that is new. */
const MAX_ROOT_LEVEL: u32 = 4;
