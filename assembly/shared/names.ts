/**
 * Names that many sessions share (server names, upstreams, ticket key names), each kept once for the whole cache: a page
 * holds a number of 16 bits in the place of 4 to 255 bytes.
 *
 * The table is shared and bounded, and while a number is in any page it means the same: each virtual machine's copy of it,
 * from which numbers are read, is never wrong, only short. A name that comes once stays in its page; one is
 * entered when this machine has met it several times, the more often the fuller the table is, so that clients which make up
 * names do not take the room of those that are used. When the table is full, names stay in their pages: that costs
 * memory of the pages, which has its own bound, and nothing else.
 *
 * There are two halves, of which one takes new names. When that is full, the other takes its place, and a walk over all pages
 * moves the names that are still used; then the first is emptied (`names_collection.ts`). So names that no record uses are
 * given back. How far that is stands in the turn, which every machine reads with each tick.
 *
 * Layout of a segment, little-endian: for each name u8 length, then its bytes. The n-th name of segment s has the number
 * s * 256 + n + 1. The turn: 0 u32 number, odd where the second half takes names; 4 u32 `Phase`; 8 u64 since (nanoseconds).
 *
 * Bounds: two halves of SEGMENTS segments of SEGMENT_SIZE bytes, 512 KiB, of which one is empty but during a move; in each
 * virtual machine as much again, and at most 160 KiB to find names by. Cost: a look into memory; a name that is entered, or was
 * entered by another machine, costs an access or two to the store, once; one small read with each tick.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { KeyedHash } from "./keyed_hash";
import { StoredValue } from "./stored_value";

/** A name that is not in the table. */
export const NO_NAME: u16 = 0;
/** No number: the name stands in the page. */
export const INLINE_NAME: u16 = 0xffff;

/** What is done about names that no record uses. */
export const enum Phase {
  Idle = 0,
  /** The names of the other half that are used are moved to the one that takes names. */
  Moving = 1,
  /** No page has a number of the other half: it is emptied. */
  Emptying = 2,
}

export class Names {
  /** The turn, as this machine has seen it last. */
  turn: u32 = 0;
  phase: Phase = Phase.Idle;
  /** When it began: nanoseconds since 1970. */
  since: u64 = 0;
  private readonly turnValue: StoredValue;
  /** A segment that is read to look at it, and the one that is being filled or emptied. */
  private readonly looked: StoredValue;
  private readonly filled: StoredValue;
  /** Address of this machine's copy of each segment, 0 where it has none. */
  private readonly segments: usize;
  private readonly candidates: usize;
  /** Hash table of numbers: u16 number, u16 part of the hash; open addressing. */
  private index: usize = 0;
  private indexPlaces: u32 = 0;
  private count: u32 = 0;
  /** The segment of the half that takes names which is being filled; SEGMENTS when it is full. */
  private last: u32 = 0;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly hash: KeyedHash,
  ) {
    this.looked = new StoredValue(cacheName, "names", sharedStore);
    this.filled = new StoredValue(cacheName, "names", sharedStore);
    this.turnValue = new StoredValue(cacheName, "names_turn", sharedStore);
    this.segments = zeroed((2 * SEGMENTS) << 2);
    this.candidates = zeroed(CANDIDATES * CANDIDATE_SIZE);
    this.resize(FEWEST_PLACES);
    this.follow();
  }

  free(): void {
    this.dropCopies(0);
    this.dropCopies(1);
    this.turnValue.free();
    heap.free(this.segments);
    heap.free(this.candidates);
    heap.free(this.index);
    this.looked.free();
    this.filled.free();
  }

  /** Takes the turn as it is now. To be called with each tick, and not while a session that was read is in use. */
  follow(): void {
    if (!this.turnValue.readWhole(TURN, TURN_SIZE)) return;
    const turn = load<u32>(TURN);
    const phase = <Phase>load<u32>(TURN, PHASE_AT);
    const moved = turn - this.turn;
    if (moved != 0) {
      // What this machine has of the half that takes names now is of the turn before the last one, if it has anything.
      this.dropCopies(turn & 1);
      if (moved != 1) this.dropCopies((turn & 1) ^ 1);
      this.turn = turn;
      this.last = 0;
      this.count = 0;
      this.resize(FEWEST_PLACES);
    }
    if (moved != 0 || phase != this.phase) {
      if (phase == Phase.Idle) this.dropCopies((turn & 1) ^ 1);
      this.phase = phase;
    }
    this.since = load<u64>(TURN, SINCE_AT);
  }

  /** Goes on to another phase, of the same turn or of the next; false where another machine came first. */
  proceed(turn: u32, phase: Phase, nowNanoseconds: u64): bool {
    store<u32>(TURN, turn);
    store<u32>(TURN, phase, PHASE_AT);
    store<u64>(TURN, nowNanoseconds, SINCE_AT);
    const result = this.turnValue.put(TURN, TURN_SIZE);
    this.follow();
    return result == StoreResult.Ok;
  }

  /** Whether the last segment of the half that takes names has been begun, by whichever machine. */
  get isNearlyFull(): bool {
    const segment = this.first + SEGMENTS - 1;
    if (!this.refresh(segment, this.looked)) return false;
    return load<u32>(this.copyOf(segment), USED_AT) > 0;
  }

  /** Whether a number is one of the half that takes no names. */
  isOld(number: u16): bool {
    const segment = (<u32>number) >> 8;
    return number != NO_NAME && segment < 2 * SEGMENTS && segment >= SEGMENTS != this.first >= SEGMENTS;
  }

  /** The number that takes the place of an old one; NO_NAME where there is no room, or the name cannot be read. */
  moved(number: u16): u16 {
    const name = this.start(number);
    const length = this.lengthOf(number);
    if (name == 0) return NO_NAME;
    const hash = this.hash.of(name, length);
    const known = this.find(hash, name, length);
    if (known != NO_NAME) return known;
    const entered = this.enter(hash, name, length);
    return entered == INLINE_NAME ? NO_NAME : entered;
  }

  /** Empties the half that takes no names; false where that could not be stored. */
  empty(): bool {
    const first = this.first ^ SEGMENTS;
    for (let segment = first; segment < first + SEGMENTS; segment++) {
      const value = this.filled;
      value.select(segment);
      const read = value.read(SCRATCH, SEGMENT_SIZE);
      if (read == StoreResult.Absent || (value.exists && value.length == 0)) continue;
      if (!value.exists || value.put(SCRATCH, 0) != StoreResult.Ok) return false;
    }
    return true;
  }

  /** The number of a name that a page is to hold, or INLINE_NAME. May enter it. */
  numberOf(name: usize, length: i32): u16 {
    if (length < SHORTEST || length > LONGEST) return INLINE_NAME;
    const hash = this.hash.of(name, length);
    const number = this.find(hash, name, length);
    if (number != NO_NAME) return number;
    if (!this.isWorthwhile(hash)) return INLINE_NAME;
    return this.enter(hash, name, length);
  }

  /** The address of a name's bytes, valid as long as this table; 0 where there is no such number. */
  start(number: u16): usize {
    const place = this.place(number);
    return place == 0 ? 0 : place + 1;
  }

  /** Its length in bytes. */
  lengthOf(number: u16): i32 {
    const place = this.place(number);
    return place == 0 ? 0 : <i32>load<u8>(place);
  }

  /** The address of a name's length, with its bytes behind; 0 where there is no such number. */
  private place(number: u16): usize {
    const segment = (<u32>number) >> 8;
    const rank = ((<u32>number) & 255) - 1;
    if (number == NO_NAME || segment >= 2 * SEGMENTS || rank >= NAMES_A_SEGMENT) return 0;
    const copy = this.copyOf(segment);
    if (copy != 0 && rank < load<u32>(copy, COUNT_AT)) return copy + <usize>load<u16>(copy + (rank << 1), OFFSETS_AT);
    // Another machine has entered it since.
    if (!this.refresh(segment, this.looked)) return 0;
    const fresh = this.copyOf(segment);
    return rank < load<u32>(fresh, COUNT_AT) ? fresh + <usize>load<u16>(fresh + (rank << 1), OFFSETS_AT) : 0;
  }

  private find(hash: u32, name: usize, length: i32): u16 {
    const mask = this.indexPlaces - 1;
    let at = hash & mask;
    for (let probes: u32 = 0; probes < MAX_PROBES; probes++) {
      const found = load<u32>(this.index + (at << 2));
      if (found == 0) return NO_NAME;
      if (found >> 16 == hash >> 16) {
        const number = <u16>found;
        const place = this.place(number);
        if (place != 0 && <i32>load<u8>(place) == length && memory.compare(place + 1, name, length) == 0) return number;
      }
      at = (at + 1) & mask;
    }
    return NO_NAME;
  }

  /** Counts a name that is not in the table; true when it has been met often enough lately. */
  private isWorthwhile(hash: u32): bool {
    if (this.last == SEGMENTS) return false;
    const candidate = changetype<Candidate>(this.candidates + <usize>((hash % CANDIDATES) * CANDIDATE_SIZE));
    if (candidate.hash != hash) {
      // Names that come once wear each other down, and not the one that comes again and again.
      if (candidate.count > 0 && --candidate.count > 0) return false;
      candidate.hash = hash;
      candidate.count = 1;
      return false;
    }
    if (++candidate.count < FEWEST_MEETINGS << ((this.last << 2) / SEGMENTS)) return false;
    candidate.count = 0;
    return true;
  }

  /** Enters a name in the shared table. */
  private enter(hash: u32, name: usize, length: i32): u16 {
    let conflicts = 0;
    while (conflicts < MAX_TRIES && this.last < SEGMENTS) {
      const segment = this.first + this.last;
      const exists = this.refresh(segment, this.filled);
      const known = this.find(hash, name, length);
      if (known != NO_NAME) return known;
      const copy = exists ? this.copyOf(segment) : 0;
      const used = exists ? load<u32>(copy, USED_AT) : 0;
      const rank = exists ? load<u32>(copy, COUNT_AT) : 0;
      if (rank == NAMES_A_SEGMENT || <i32>used + 1 + length > SEGMENT_SIZE) {
        this.last++;
        continue;
      }
      if (exists) memory.copy(SCRATCH, copy, used);
      store<u8>(SCRATCH + used, <u8>length);
      memory.copy(SCRATCH + used + 1, name, length);
      const size = <i32>used + 1 + length;
      const result = this.filled.put(SCRATCH, size);
      if (result == StoreResult.Ok) {
        this.take(segment, size);
        return <u16>((segment << 8) + rank + 1);
      }
      if (result != StoreResult.Conflict) break;
      conflicts++;
    }
    return INLINE_NAME;
  }

  /** Reads what a segment has become; false where there is none. */
  private refresh(segment: u32, value: StoredValue): bool {
    value.select(segment);
    if (value.read(SCRATCH, SEGMENT_SIZE) != StoreResult.Ok) return false;
    this.take(segment, value.length);
    return this.copyOf(segment) != 0;
  }

  /** Takes what is new of a segment, `size` bytes in SCRATCH, into this machine's copy. */
  private take(segment: u32, size: i32): void {
    let copy = this.copyOf(segment);
    if (copy == 0) {
      copy = zeroed(COPY_SIZE);
      store<usize>(this.segments + (segment << 2), copy);
    }
    let used = <i32>load<u32>(copy, USED_AT);
    let rank = load<u32>(copy, COUNT_AT);
    if (size > used) memory.copy(copy + used, SCRATCH + used, size - used);
    while (used < size && rank < NAMES_A_SEGMENT) {
      const length = <i32>load<u8>(copy + used);
      if (used + 1 + length > size) break;
      store<u16>(copy + (rank << 1), <u16>used, OFFSETS_AT);
      rank++;
      store<u32>(copy, rank, COUNT_AT);
      const isNew = segment >= SEGMENTS == this.first >= SEGMENTS;
      if (isNew) this.enlist(this.hash.of(copy + used + 1, length), <u16>((segment << 8) + rank));
      used += 1 + length;
      store<u32>(copy, used, USED_AT);
    }
  }

  private enlist(hash: u32, number: u16): void {
    if (++this.count << 1 > this.indexPlaces && this.indexPlaces < MOST_PLACES) {
      this.resize(this.indexPlaces << 1);
      // The rebuilding has found this one too.
      return;
    }
    this.put(hash, number);
  }

  private put(hash: u32, number: u16): void {
    const mask = this.indexPlaces - 1;
    let at = hash & mask;
    for (let probes: u32 = 0; probes < MAX_PROBES; probes++) {
      if (load<u32>(this.index + (at << 2)) == 0) {
        store<u32>(this.index + (at << 2), (hash & 0xffff0000) | (<u32>number));
        return;
      }
      at = (at + 1) & mask;
    }
  }

  private resize(places: u32): void {
    if (this.index != 0) heap.free(this.index);
    this.index = zeroed(places << 2);
    this.indexPlaces = places;
    for (let segment = this.first; segment < this.first + SEGMENTS; segment++) {
      const copy = this.copyOf(segment);
      if (copy == 0) continue;
      const count = load<u32>(copy, COUNT_AT);
      for (let rank: u32 = 0; rank < count; rank++) {
        const place = copy + <usize>load<u16>(copy + (rank << 1), OFFSETS_AT);
        this.put(this.hash.of(place + 1, load<u8>(place)), <u16>((segment << 8) + rank + 1));
      }
    }
  }

  /** The first segment of the half that takes names. */
  @inline
  private get first(): u32 {
    return (this.turn & 1) * SEGMENTS;
  }

  /** Forgets this machine's copies of a half, 0 or 1. */
  private dropCopies(half: u32): void {
    for (let segment = half * SEGMENTS; segment < (half + 1) * SEGMENTS; segment++) {
      const copy = this.copyOf(segment);
      if (copy != 0) heap.free(copy);
      store<usize>(this.segments + (segment << 2), 0);
    }
  }


  @inline
  private copyOf(segment: u32): usize {
    return load<usize>(this.segments + (segment << 2));
  }
}

/** A name that was met and is not in the table. */
@unmanaged
class Candidate {
  hash: u32;
  count: u32;
}

function zeroed(size: usize): usize {
  const start = heap.alloc(size);
  memory.fill(start, 0, size);
  return start;
}

/** Of each half. A power of two. */
const SEGMENTS: u32 = 64;
const SEGMENT_SIZE: i32 = 4095;
const NAMES_A_SEGMENT: u32 = 255;
/** A shorter one is as short as its number. */
const SHORTEST: i32 = 4;
const LONGEST: i32 = 255;
/** Met so often while the first quarter of the table is being filled; twice as often in each quarter after it. */
const FEWEST_MEETINGS: u32 = 2;
const CANDIDATES: u32 = 509;
const CANDIDATE_SIZE: u32 = 8;
const FEWEST_PLACES: u32 = 256;
/** Twice as many as there can be names. */
const MOST_PLACES: u32 = 32768;
const MAX_PROBES: u32 = 64;
const MAX_TRIES: i32 = 16;
/** Of a copy: the segment's bytes, then u32 bytes used, u32 names, u16 offset of each. */
const USED_AT: usize = 4096;
const COUNT_AT: usize = 4100;
const OFFSETS_AT: usize = 4104;
const COPY_SIZE: usize = 4616;
const PHASE_AT: usize = 4;
const SINCE_AT: usize = 8;
const TURN_SIZE: i32 = 16;
const TURN: usize = memory.data(16, 8);
const SCRATCH: usize = memory.data(4096, 8);
