/**
 * Hits of sessions that resume again and again in a rush. The first hit after a tick is written into the session's record at
 * once, further ones are counted here, and written together with the next tick. So a session that a thousand connections
 * share costs a machine ten writes a second.
 *
 * PLACES sessions at a time, by their hash; a session whose place another one has is written at once. Nothing here
 * allocates.
 */
import { zeroed } from "../bytes/zeroed";
import { MAX_ID_LENGTH, sameBytes } from "./record/session";

export class RepeatedHits {
  private readonly places: usize = zeroed(<usize>PLACES * PLACE_SIZE);
  /** Whether any session was begun since the last tick. */
  isUsed: bool = false;

  free(): void {
    heap.free(this.places);
  }

  /** The record of a session was found valid, and a hit was written into it. */
  begin(hash: u32, id: usize, idLength: i32): void {
    const place = this.at(hash % PLACES);
    if (place.idLength != 0) return;
    place.idLength = idLength;
    place.hits = 0;
    memory.copy(place.id, id, idLength);
    this.isUsed = true;
  }

  /** Counts a hit of a session that was begun since the last tick; false for any other. */
  count(hash: u32, id: usize, idLength: i32): bool {
    const place = this.at(hash % PLACES);
    if (!sameBytes(place.id, place.idLength, id, idLength)) return false;
    place.hits++;
    return true;
  }

  /** The session at a number below PLACES. */
  at(number: u32): RepeatedHit {
    return changetype<RepeatedHit>(this.places + <usize>number * PLACE_SIZE);
  }

  /** Forgets all sessions: their next hits are written at once. */
  clear(): void {
    memory.fill(this.places, 0, <usize>PLACES * PLACE_SIZE);
    this.isUsed = false;
  }
}

/** The session's ID stands behind the fields. */
@unmanaged
export class RepeatedHit {
  /** 0 for none. */
  idLength: i32;
  hits: u32;

  get id(): usize {
    return changetype<usize>(this) + offsetof<RepeatedHit>();
  }
}

export const PLACES: u32 = 32;
const PLACE_SIZE: usize = offsetof<RepeatedHit>() + <usize>MAX_ID_LENGTH;
