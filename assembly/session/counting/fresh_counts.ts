/**
 * Lost and refused resumptions by upstream, as this virtual machine has counted them since it last wrote them. A fixed
 * number of places: an upstream takes a free one among the PROBES places from its hash on. If all of them are taken, its
 * counts go to `rest`, together with those of unknown upstreams.
 *
 * Cost of a count: a hash of the address and a look at PROBES places. No host call. The places take some 23 KB from the first
 * count on: most machines never count any.
 */
import { zeroed } from "../../bytes/zeroed";
import { KeyedHash } from "../../shared/keyed_hash";
import { MAX_UPSTREAM_LENGTH } from "../record/session";

export class FreshCounts {
  /** 0 until something is counted. */
  private places: usize = 0;
  private next: u32 = 0;

  constructor(private readonly hash: KeyedHash) {}

  free(): void {
    if (this.places != 0) heap.free(this.places);
    this.places = 0;
  }

  /** Returns the place where an upstream is counted; whoever gets it counts at once. */
  placeFor(upstream: usize, length: i32): FreshCount {
    if (this.places == 0) this.places = zeroed(<usize>(PLACES + 1) * PLACE_SIZE);
    if (length <= 0 || length > MAX_UPSTREAM_LENGTH) return this.rest;
    const hash = this.hash.of(upstream, length);
    let free: FreshCount | null = null;
    for (let i: u32 = 0; i < PROBES; i++) {
      const place = this.at(hash + i);
      if (place.isEmpty) {
        if (!free) free = place;
      } else if (place.isOf(hash, upstream, length)) {
        return place;
      }
    }
    if (!free) return this.rest;
    free.take(hash, upstream, length);
    return free;
  }

  /** Returns the next place that holds counts, in turn, or null if none does. */
  nextInUse(): FreshCount | null {
    if (this.places == 0) return null;
    for (let i: u32 = 0; i <= PLACES; i++) {
      const number = this.next;
      this.next = (number + 1) % (PLACES + 1);
      const place = number == PLACES ? this.rest : this.at(number);
      if (!place.isEmpty) return place;
    }
    return null;
  }

  /** Counts of unknown upstreams, and of those that have found no place: its address is empty. */
  private get rest(): FreshCount {
    return changetype<FreshCount>(this.places + <usize>PLACES * PLACE_SIZE);
  }

  private at(number: u32): FreshCount {
    return changetype<FreshCount>(this.places + <usize>(number % PLACES) * PLACE_SIZE);
  }
}

/** PLACE_SIZE bytes: these fields, then the address. */
@unmanaged
export class FreshCount {
  lost: u64;
  refused: u64;
  private hash: u32;
  length: i32;

  get address(): usize {
    return changetype<usize>(this) + ADDRESS_OFFSET;
  }

  get isEmpty(): bool {
    return (this.lost | this.refused) == 0;
  }

  isOf(hash: u32, upstream: usize, length: i32): bool {
    return this.hash == hash && this.length == length && memory.compare(this.address, upstream, length) == 0;
  }

  take(hash: u32, upstream: usize, length: i32): void {
    this.hash = hash;
    this.length = length;
    memory.copy(this.address, upstream, length);
  }

  clear(): void {
    this.lost = 0;
    this.refused = 0;
  }
}

/** A power of two; as many upstreams as are steered to. */
const PLACES: u32 = 256;
const PROBES: u32 = 16;
const ADDRESS_OFFSET: usize = offsetof<FreshCount>();
const PLACE_SIZE: usize = ADDRESS_OFFSET + <usize>MAX_UPSTREAM_LENGTH;
