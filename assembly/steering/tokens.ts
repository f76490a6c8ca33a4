/**
 * Which token leads to which upstream. Envoy chooses the host by hashing a text (RING_HASH or MAGLEV); the filter may
 * choose the text. So it keeps TOKENS texts and learns, from the answers it sees, where each of them leads: to reach an
 * upstream it takes one of the tokens that lead there. Health checks, weights and failover stay Envoy's, and when the
 * hosts change, each token is learned anew the first time it leads elsewhere.
 *
 * The table is one value in the shared store, changed only when a token leads elsewhere than it is known to; each
 * virtual machine has a copy, which ticks refresh.
 *
 * Layout, little-endian: 0 u32 upstreams known, 4 u32 zero, 8 for each of 255 upstreams: u8 length, 63 bytes of address;
 * then for each of TOKENS: u8 number of its upstream + 1, 0 = not known.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { StoreKey } from "../session/keys";

export class Tokens {
  private readonly key: StoreKey;
  /** This machine's copy. */
  private readonly table: usize;

  constructor(
    cacheName: string,
    private readonly sharedStore: SharedStore,
  ) {
    this.key = new StoreKey(cacheName, "steering/tokens", false);
    const table = heap.alloc(TABLE_SIZE);
    memory.fill(table, 0, TABLE_SIZE);
    this.table = table;
  }

  free(): void {
    this.key.free();
    heap.free(this.table);
  }

  /** Takes what other machines have learned. */
  refresh(): bool {
    const result = this.sharedStore.read(this.key.start, this.key.length, this.table, TABLE_SIZE);
    return result == StoreResult.Ok && this.sharedStore.length == TABLE_SIZE;
  }

  /** Number of upstreams that were ever seen. */
  get upstreams(): i32 {
    return <i32>load<u32>(this.table);
  }

  /** Number of an upstream by its address, -1 where it is not known. */
  numberOf(address: usize, length: i32): i32 {
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      const place = this.placeOf(number);
      if (load<u8>(place) == <u8>length && memory.compare(place + 1, address, length) == 0) return number;
    }
    return -1;
  }

  /** A token that leads to an upstream, the first one from `start` on, or -1. */
  leadingTo(upstream: i32, start: u32): i32 {
    for (let i: u32 = 0; i < TOKENS; i++) {
      const token = (start + i) % TOKENS;
      if (<i32>load<u8>(this.table + LEADS_OFFSET + token) == upstream + 1) return token;
    }
    return -1;
  }

  /** A token of which nobody knows yet where it leads, the first one from `start` on, or -1. */
  unknown(start: u32): i32 {
    return this.leadingTo(-1, start);
  }

  /** Whether any token leads to an upstream: whether it is still there, as far as is known. */
  reaches(upstream: i32): bool {
    return this.leadingTo(upstream, 0) >= 0;
  }

  /** Notes where a token led; -1 for what was no token. Answers with the number of the upstream, -1 where not known. */
  learn(token: i32, address: usize, length: i32): i32 {
    if (length <= 0 || length > MAX_ADDRESS) return -1;
    let number = this.numberOf(address, length);
    if (number >= 0 && (token < 0 || this.leads(token) == number)) return number;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const exists = this.refresh();
      const mark = this.sharedStore.mark;
      number = this.numberOf(address, length);
      if (number < 0) number = this.append(address, length);
      if (number < 0) return -1;
      if (token >= 0) store<u8>(this.table + LEADS_OFFSET + token, <u8>(number + 1));
      const result = exists
        ? this.sharedStore.replace(this.key.start, this.key.length, this.table, TABLE_SIZE, mark)
        : this.sharedStore.create(this.key.start, this.key.length, this.table, TABLE_SIZE);
      if (result == StoreResult.Ok) return number;
      if (result != StoreResult.Conflict) return number;
    }
    return number;
  }

  private leads(token: i32): i32 {
    return <i32>load<u8>(this.table + LEADS_OFFSET + token) - 1;
  }

  /** Where all numbers are taken, that of an upstream which no token leads to any more is used again. */
  private append(address: usize, length: i32): i32 {
    let number = this.upstreams;
    if (number == MAX_UPSTREAMS) {
      number = 0;
      while (number < MAX_UPSTREAMS && this.reaches(number)) number++;
      if (number == MAX_UPSTREAMS) return -1;
    } else {
      store<u32>(this.table, <u32>number + 1);
    }
    const place = this.placeOf(number);
    store<u8>(place, <u8>length);
    memory.copy(place + 1, address, length);
    return number;
  }

  private placeOf(upstream: i32): usize {
    return this.table + UPSTREAMS_OFFSET + ((<usize>upstream) << 6);
  }
}

export const TOKENS: u32 = 256;
const MAX_UPSTREAMS: i32 = 254;
const MAX_ADDRESS: i32 = 63;
const MAX_TRIES: i32 = 16;
const UPSTREAMS_OFFSET: usize = 8;
const LEADS_OFFSET: usize = 8 + 255 * 64;
const TABLE_SIZE: i32 = 8 + 255 * 64 + 256;
