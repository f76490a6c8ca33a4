/**
 * Upstreams that were named, took a connection and said nothing, though they had all that they need to answer.
 *
 * A client can bring that about alone, with a hello that only looks complete. So one network's silences keep nobody else away: that
 * network goes elsewhere for AVOIDED_SECONDS. Only when ENOUGH networks have met silence at one upstream within that time is it
 * avoided for all.
 *
 * One for each virtual machine; PLACES places, the oldest of which give way. Layout of a place, 16 bytes: u32 upstream + 1, u32
 * network, u64 until when it counts (Unix seconds).
 */
import { zeroed } from "../../bytes/zeroed";
export class Silences {
  private readonly places: usize;
  private next: u32 = 0;
  /** When the last of them ends. */
  private lastUntil: u64 = 0;

  constructor() {
    this.places = zeroed(PLACES * PLACE_SIZE);
  }

  free(): void {
    heap.free(this.places);
  }

  /** Whether any counts at that second: whether it matters who asks. */
  areAt(nowSeconds: u64): bool {
    return nowSeconds <= this.lastUntil;
  }

  /** Whether clients of a network are to stay away from an upstream. */
  keepsAway(upstream: i32, network: u32, nowSeconds: u64): bool {
    for (let i: u32 = 0; i < PLACES; i++) {
      const place = this.at(i);
      if (isOf(place, upstream, nowSeconds) && load<u32>(place, 4) == network) return true;
    }
    return false;
  }

  /** Notes a silence; answers whether enough networks have met it to avoid the upstream for all. */
  note(upstream: i32, network: u32, nowSeconds: u64): bool {
    const until = nowSeconds + AVOIDED_SECONDS;
    this.lastUntil = until;
    let others: u32 = 0;
    let own: usize = 0;
    for (let i: u32 = 0; i < PLACES; i++) {
      const place = this.at(i);
      if (!isOf(place, upstream, nowSeconds)) continue;
      if (load<u32>(place, 4) == network) own = place;
      else others++;
    }
    if (own == 0) {
      own = this.at(this.next);
      this.next = (this.next + 1) % PLACES;
    }
    store<u32>(own, <u32>upstream + 1);
    store<u32>(own, network, 4);
    store<u64>(own, until, 8);
    return others + 1 >= ENOUGH;
  }

  private at(index: u32): usize {
    return this.places + <usize>(index * PLACE_SIZE);
  }
}

function isOf(place: usize, upstream: i32, nowSeconds: u64): bool {
  return load<u32>(place) == <u32>upstream + 1 && load<u64>(place, 8) >= nowSeconds;
}

export const AVOIDED_SECONDS: u64 = 10;
const ENOUGH: u32 = 3;
const PLACES: u32 = 32;
const PLACE_SIZE: u32 = 16;
