/**
 * Named upstreams that accepted a connection and stayed silent, though they had all that they need to answer.
 *
 * A client alone can cause that, with a hello that only looks complete. So the silences of one network keep nobody else
 * away: only that network goes elsewhere for AVOIDED_SECONDS. If ENOUGH networks meet silence at one upstream within that
 * time, it is avoided for all.
 *
 * One for each virtual machine, with PLACES places; the oldest give way.
 */
export class Silences {
  private readonly places: usize;
  private next: u32 = 0;
  /** When the last silence stops to count (Unix time). */
  private lastUntil: u64 = 0;

  constructor() {
    const places = heap.alloc(PLACES * PLACE_SIZE);
    memory.fill(places, 0, PLACES * PLACE_SIZE);
    this.places = places;
  }

  free(): void {
    heap.free(this.places);
  }

  /** Whether any silence counts at that second: only then does the network matter. */
  areAt(nowSeconds: u64): bool {
    return nowSeconds <= this.lastUntil;
  }

  /** Whether clients of a network stay away from an upstream. */
  keepsAway(upstream: i32, network: u32, nowSeconds: u64): bool {
    for (let i: u32 = 0; i < PLACES; i++) {
      const place = this.at(i);
      if (place.isOf(upstream, nowSeconds) && place.network == network) return true;
    }
    return false;
  }

  /** Notes a silence; returns whether enough networks have met it to avoid the upstream for all. */
  note(upstream: i32, network: u32, nowSeconds: u64): bool {
    const until = nowSeconds + AVOIDED_SECONDS;
    this.lastUntil = until;
    let others: u32 = 0;
    let own: Place | null = null;
    for (let i: u32 = 0; i < PLACES; i++) {
      const place = this.at(i);
      if (!place.isOf(upstream, nowSeconds)) continue;
      if (place.network == network) own = place;
      else others++;
    }
    if (!own) {
      own = this.at(this.next);
      this.next = (this.next + 1) % PLACES;
    }
    own.upstream = <u32>upstream + 1;
    own.network = network;
    own.until = until;
    return others + 1 >= ENOUGH;
  }

  private at(index: u32): Place {
    return changetype<Place>(this.places + <usize>(index * PLACE_SIZE));
  }
}

/** A silence, 16 bytes. */
@unmanaged
class Place {
  /** Number of the upstream + 1; 0 for an empty place. */
  upstream: u32;
  network: u32;
  /** The last second at which it counts (Unix time). */
  until: u64;

  isOf(upstream: i32, nowSeconds: u64): bool {
    return this.upstream == <u32>upstream + 1 && this.until >= nowSeconds;
  }
}

export const AVOIDED_SECONDS: u64 = 10;
const ENOUGH: u32 = 3;
const PLACES: u32 = 32;
const PLACE_SIZE: u32 = 16;
