/**
 * The names of ticket keys that this virtual machine has met lately, and the tickets that it has counted under each and not
 * yet written. A fixed number of places; names that share a place displace each other.
 */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { zeroed } from "../../bytes/zeroed";
import { TICKET_KEY_LENGTH } from "../record/session";

export class SeenKeys {
  private readonly places: usize = zeroed(PLACES * SEEN_KEY_SIZE);

  free(): void {
    heap.free(this.places);
  }

  /** The place of a name; another name may be in it. */
  placeOf(name: usize): SeenKey {
    return this.at(load<u32>(name));
  }

  /** A place by its number, modulo the number of places. */
  at(number: u32): SeenKey {
    return changetype<SeenKey>(this.places + <usize>((number % PLACES) * SEEN_KEY_SIZE));
  }
}

/** 16 bytes of name, then these fields. */
@unmanaged
export class SeenKey {
  private name0: u64;
  private name8: u64;
  /** The upstream whose evidence is not news, as far as this machine knows: its hash, or ANY_UPSTREAM. */
  upstreamHash: u32;
  /** Tickets that were counted here and not yet written. */
  pending: u32;
  /** How many of these are evidence, and of which upstream: its hash, or SEVERAL. */
  evidence: u32;
  witness: u32;
  /** The upstream whose next evidence makes a shared name its own; 0 for none. */
  healsBy: u32;
  private rest: u32;

  get name(): usize {
    return changetype<usize>(this);
  }

  isOf(name: usize): bool {
    return memory.compare(this.name, name, TICKET_KEY_LENGTH) == 0;
  }

  /** Whether evidence of an upstream need not be written at once. */
  expects(upstream: u32): bool {
    return this.upstreamHash == upstream || (this.upstreamHash == ANY_UPSTREAM && this.healsBy != upstream);
  }

  /** Counts a piece of evidence. */
  note(upstream: u32): void {
    this.pending++;
    if (this.evidence++ == 0) this.witness = upstream;
    else if (this.witness != upstream) this.witness = SEVERAL;
  }

  /** Takes the place for a name. */
  take(name: usize, upstream: u32): void {
    this.clear();
    memory.copy(this.name, name, TICKET_KEY_LENGTH);
    this.upstreamHash = upstream;
  }

  clear(): void {
    memory.fill(this.name, 0, SEEN_KEY_SIZE);
  }
}

/** Hash of an upstream's address: odd, so neither 0 nor one of the values below. */
export function upstreamHash(address: usize, length: i32): u32 {
  return (<u32>fnvBytes(FNV_BASIS, address, length)) | 1;
}

export const ANY_UPSTREAM: u32 = 2;
export const SEVERAL: u32 = 4;
const PLACES: u32 = 256;
const SEEN_KEY_SIZE: u32 = offsetof<SeenKey>();
