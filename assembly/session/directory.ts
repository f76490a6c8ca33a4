/**
 * Which pages of a cache have ever been written. The store cannot list its keys, and reading every page that could
 * exist would make a listing of ten sessions as dear as one of a million; so one bit for each page is kept beside
 * them. Bits are only ever set: an empty page stays in the directory.
 *
 * A bit is set *before* its page is written, so that no session can exist which listing, flushing and sweeping do not
 * see. Each virtual machine remembers the bits it has seen, so a page that is known costs no access to the store.
 *
 * Memory: one bit for each page, here and in the store.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoreKey } from "./keys";

export class Directory {
  private readonly known: usize;
  private readonly key: StoreKey;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
    readonly pages: u32,
  ) {
    const bytes = shardsFor(pages) * SHARD_BYTES;
    const known = heap.alloc(bytes);
    memory.fill(known, 0, bytes);
    this.known = known;
    this.key = new StoreKey(cacheName, "directory", true);
  }

  free(): void {
    heap.free(this.known);
    this.key.free();
  }

  /** Makes sure that a page is listed; false where a bounded number of tries did not succeed. */
  add(page: u32): bool {
    if (this.knows(page)) return true;
    const shard = page / PAGES_PER_SHARD;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.refresh(shard)) {
        // No such shard yet: the first one to come makes it.
        memory.fill(SCRATCH, 0, SHARD_BYTES);
        setBit(SCRATCH, page % PAGES_PER_SHARD);
        this.key.select(shard);
        if (this.sharedStore.create(this.key.start, this.key.length, SCRATCH, SHARD_BYTES) == StoreResult.Ok) {
          setBit(this.known, page);
          return true;
        }
        continue;
      }
      if (this.knows(page)) return true;
      setBit(SCRATCH, page % PAGES_PER_SHARD);
      const mark = this.sharedStore.mark;
      if (this.sharedStore.replace(this.key.start, this.key.length, SCRATCH, SHARD_BYTES, mark) == StoreResult.Ok) {
        setBit(this.known, page);
        return true;
      }
    }
    return false;
  }

  /** Learns what other workers have listed. Cost: one read for each 4096 pages. */
  refreshAll(): void {
    const shards = shardsFor(this.pages);
    for (let shard: u32 = 0; shard < shards; shard++) this.refresh(shard);
  }

  /** The first listed page at or after `page`, or `pages` if there is none. As of the last refresh. */
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


  @inline
  private knows(page: u32): bool {
    return ((load<u8>(this.known + (page >> 3)) >> (<u8>(page & 7))) & 1) != 0;
  }

  /** Reads a shard into SCRATCH and into what is known. False where it does not exist. */
  private refresh(shard: u32): bool {
    this.key.select(shard);
    const result = this.sharedStore.read(this.key.start, this.key.length, SCRATCH, SHARD_BYTES);
    if (result != StoreResult.Ok || this.sharedStore.length != SHARD_BYTES) return false;
    const known = this.known + <usize>(shard * SHARD_BYTES);
    for (let i: usize = 0; i < <usize>SHARD_BYTES; i += 8) {
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

const PAGES_PER_SHARD: u32 = 4096;
const SHARD_BYTES: i32 = 512;
/** A conflict means that another worker listed another page for the first time: rare, and ever rarer. */
const MAX_TRIES: i32 = 16;
const SCRATCH: usize = memory.data(512, 8);
