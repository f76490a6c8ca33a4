/**
 * Which upstreams begin their tickets with a key's name, and which do not. The name is a recommendation (RFC 5077 4): some
 * servers' tickets begin with random or encrypted bytes, and taken for a name, those would be a new name in each ticket. A
 * name repeats. So an upstream whose last MAX_FRESH names were all new is not trusted until one of them comes again.
 *
 * One for each virtual machine; fixed size, 17 KiB. Upstreams that share a place displace each other: then a few more names
 * are learned than necessary.
 */
import { zeroed } from "../../bytes/zeroed";
import { TICKET_KEY_LENGTH } from "../record/session";

export class KeyTrust {
  private readonly places: usize = zeroed(PLACES * PLACE_SIZE);
  /** The first eight bytes of names that came from upstreams that are not trusted. */
  private readonly heard: usize = zeroed(HEARD << 3);

  free(): void {
    heap.free(this.places);
    heap.free(this.heard);
  }

  /**
   * Reports whether to learn bytes that were not known before as a name: their upstream is trusted, or they repeat, which
   * makes it trusted. Remembers them otherwise.
   */
  judgeNew(upstream: u32, name: usize): bool {
    if (this.placeOf(upstream).fresh < MAX_FRESH) return true;
    const place = this.heard + ((<usize>(load<u32>(name) % HEARD)) << 3);
    if (load<u64>(place) == load<u64>(name)) {
      this.noteRepeated(upstream);
      return true;
    }
    store<u64>(place, load<u64>(name));
    return false;
  }

  /** A name of an upstream has come again: it is trusted. */
  noteRepeated(upstream: u32): void {
    this.placeOf(upstream).fresh = 0;
  }

  /** A new name of an upstream was learned. Returns whether that was one too many: see `freshName`. */
  noteLearned(upstream: u32, name: usize): bool {
    const place = this.placeOf(upstream);
    const fresh = place.fresh;
    if (fresh >= MAX_FRESH) return false;
    memory.copy(place.name(fresh), name, TICKET_KEY_LENGTH);
    place.fresh = fresh + 1;
    return fresh + 1 == MAX_FRESH;
  }

  /** One of the MAX_FRESH names that an upstream is not trusted for. */
  freshName(upstream: u32, number: i32): usize {
    return this.placeOf(upstream).name(number);
  }

  private placeOf(upstream: u32): TrustPlace {
    const place = changetype<TrustPlace>(this.places + <usize>((upstream % PLACES) * PLACE_SIZE));
    if (place.upstream == upstream) return place;
    place.upstream = upstream;
    place.fresh = 0;
    return place;
  }
}

/** These fields, then MAX_FRESH names of 16 bytes. */
@unmanaged
class TrustPlace {
  /** Hash of the upstream's address. */
  upstream: u32;
  /** Number of fresh names in a row. */
  fresh: i32;

  /** Address of a fresh name. */
  name(number: i32): usize {
    return changetype<usize>(this) + offsetof<TrustPlace>() + <usize>(number * TICKET_KEY_LENGTH);
  }
}

/** A server that rotates its key has one new name at a time, one of many processes some. */
export const MAX_FRESH: i32 = 8;
const PLACES: u32 = 109;
const PLACE_SIZE: u32 = offsetof<TrustPlace>() + <u32>(MAX_FRESH * TICKET_KEY_LENGTH);
const HEARD: u32 = 256;
