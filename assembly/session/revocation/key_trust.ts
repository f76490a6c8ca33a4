/**
 * Which upstreams put a key's name in front of their tickets, and which do not. The name is a recommendation (RFC 5077 4),
 * and some servers' tickets begin with what is random or encrypted: taken for names, each of these would be another one.
 * A name repeats. So an upstream whose last MOST_FRESH names were all new is not trusted until one of them comes again.
 *
 * One for each virtual machine; fixed size, 17 KiB. Layout of a place for an upstream: u32 hash of its address, u32 number
 * of fresh names in a row, then MOST_FRESH names of 16 bytes. Upstreams that share a place displace each other: then a few
 * more names are learned than need be.
 */
import { zeroed } from "../../bytes/zeroed";
import { TICKET_KEY_LENGTH } from "../record/session";

export class KeyTrust {
  private readonly places: usize;
  /** The first eight bytes of names that came from upstreams that are not trusted. */
  private readonly heard: usize;

  constructor() {
    this.places = zeroed(PLACES * PLACE_SIZE);
    this.heard = zeroed(HEARD << 3);
  }

  free(): void {
    heap.free(this.places);
    heap.free(this.heard);
  }

  /** Whether a name that was not known before is one, as far as can be told: the upstream is trusted, or it repeats. */
  believes(upstream: u32, name: usize): bool {
    if (freshAt(this.placeOf(upstream)) < MOST_FRESH) return true;
    const place = this.heard + ((<usize>(load<u32>(name) % HEARD)) << 3);
    if (load<u64>(place) == load<u64>(name)) {
      this.repeated(upstream);
      return true;
    }
    store<u64>(place, load<u64>(name));
    return false;
  }

  /** A name of an upstream has come again. */
  repeated(upstream: u32): void {
    store<u32>(this.placeOf(upstream), 0, FRESH_OFFSET);
  }

  /** A new name of an upstream was learned. Answers whether that was one too many: see `freshName`. */
  learned(upstream: u32, name: usize): bool {
    const place = this.placeOf(upstream);
    const fresh = freshAt(place);
    if (fresh >= MOST_FRESH) return false;
    memory.copy(place + NAMES_OFFSET + <usize>(fresh * TICKET_KEY_LENGTH), name, TICKET_KEY_LENGTH);
    store<u32>(place, fresh + 1, FRESH_OFFSET);
    return fresh + 1 == MOST_FRESH;
  }

  /** The names that an upstream is not trusted for, by their numbers up to MOST_FRESH. */
  freshName(upstream: u32, number: i32): usize {
    return this.placeOf(upstream) + NAMES_OFFSET + <usize>(number * TICKET_KEY_LENGTH);
  }

  private placeOf(upstream: u32): usize {
    const place = this.places + <usize>((upstream % PLACES) * PLACE_SIZE);
    if (load<u32>(place) == upstream) return place;
    store<u32>(place, upstream);
    store<u32>(place, 0, FRESH_OFFSET);
    return place;
  }
}

function freshAt(place: usize): i32 {
  return load<i32>(place, FRESH_OFFSET);
}

/** A server that rotates its key has one new name at a time, one of many processes some. */
export const MOST_FRESH: i32 = 8;
const PLACES: u32 = 109;
const FRESH_OFFSET: usize = 4;
const NAMES_OFFSET: usize = 8;
const PLACE_SIZE: u32 = 8 + 8 * 16;
const HEARD: u32 = 256;
