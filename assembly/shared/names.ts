/**
 * Names that many sessions share (server names, upstreams, names of ticket keys), each kept once for the whole cache: a page
 * holds a number of 16 bits instead of 4 to 255 bytes.
 *
 * The table is shared and bounded, and a number means the same as long as any page has it. So a virtual machine's copy of
 * the table is never wrong, only short. A name that comes once stays in its page. A machine enters a name when it has met it
 * several times, the more often the fuller the table is: so clients that make up names do not take the room of those that
 * are used. When the table is full, names stay in their pages; that costs memory of the pages, which has its own bound, and
 * nothing else.
 *
 * There are two halves, of which one takes new names. When that is full, the other takes its place, and a walk over all
 * pages moves the names that are still used. Then the first half is emptied (`names_collection.ts`). So names that no record
 * uses are given back. The turn holds how far that has come; every machine reads it with each tick.
 *
 * Layout of a segment: for each name u8 length, then its bytes. The n-th name of segment s has the number s * 256 + n + 1.
 *
 * Bounds: two halves of SEGMENTS segments of SEGMENT_CAPACITY bytes, 512 KiB, of which one is empty except during a move; in
 * each virtual machine as much again, and at most 160 KiB to find names by. Cost: a look into memory. A name that this or
 * another machine enters costs an access or two to the store, once; and each tick one small read.
 */
import { zeroed } from "../bytes/zeroed";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { KeyedHash } from "./keyed_hash";
import { StoredValue } from "./stored_value";

/** A name that is not in the table. */
export const NO_NAME: u16 = 0;
/** No number: the name stands in the page. */
export const INLINE_NAME: u16 = 0xffff;

/** How far the collection of names that no record uses has come. */
export const enum Phase {
  Idle = 0,
  /** A walk moves the names of the other half that are used to the half that takes names. */
  Moving = 1,
  /** No page has a number of the other half: its segments are being emptied. */
  Emptying = 2,
}

export class Names {
  /** The turn as this machine has read it last; odd if the second half takes names. */
  turn: u32 = 0;
  phase: Phase = Phase.Idle;
  /** When the phase began: nanoseconds since 1970. */
  since: u64 = 0;
  private readonly turnValue: StoredValue;
  /** A segment that is read to look at it, and the one that is being filled or emptied. */
  private readonly looked: StoredValue;
  private readonly filled: StoredValue;
  /** The address of this machine's copy of each segment, 0 if it has none. */
  private readonly segments: usize;
  /** Names that were met and are not in the table, by their hashes. */
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
    this.resize(MIN_PLACES);
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

  /** Reads the turn. To be called with each tick, and not while a session that was read is in use. */
  follow(): void {
    if (!this.turnValue.readWhole(TURN_BYTES, TURN_SIZE)) return;
    const turn = TURN.number;
    const phase = TURN.phase;
    const moved = turn - this.turn;
    if (moved != 0) {
      // Copies of the half that takes names now are those of the turn before the last one.
      this.dropCopies(turn & 1);
      if (moved != 1) this.dropCopies((turn & 1) ^ 1);
      this.turn = turn;
      this.last = 0;
      this.count = 0;
      this.resize(MIN_PLACES);
    }
    if (moved != 0 || phase != this.phase) {
      if (phase == Phase.Idle) this.dropCopies((turn & 1) ^ 1);
      this.phase = phase;
    }
    this.since = TURN.since;
  }

  /** Goes on to another phase, of the same turn or of the next; false if another machine came first. */
  proceed(turn: u32, phase: Phase, nowNanoseconds: u64): bool {
    TURN.number = turn;
    TURN.phase = phase;
    TURN.since = nowNanoseconds;
    const result = this.turnValue.put(TURN_BYTES, TURN_SIZE);
    this.follow();
    return result == StoreResult.Ok;
  }

  /** Whether any machine has begun the last segment of the half that takes names. */
  get isNearlyFull(): bool {
    const segment = this.first + SEGMENTS - 1;
    if (!this.refresh(segment, this.looked)) return false;
    return this.copyOf(segment)!.used > 0;
  }

  /** Whether a number is one of the half that takes no names. */
  isOld(number: u16): bool {
    const segment = (<u32>number) >> 8;
    return number != NO_NAME && segment < 2 * SEGMENTS && segment >= SEGMENTS != this.first >= SEGMENTS;
  }

  /** Returns the number that takes the place of an old one; NO_NAME if there is no room, or the name cannot be read. */
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

  /** Empties the half that takes no names; false if that could not be stored. */
  empty(): bool {
    const first = this.first ^ SEGMENTS;
    for (let segment = first; segment < first + SEGMENTS; segment++) {
      const value = this.filled;
      value.select(segment);
      const read = value.read(SCRATCH, SEGMENT_CAPACITY);
      if (read == StoreResult.Absent || (value.exists && value.length == 0)) continue;
      if (!value.exists || value.put(SCRATCH, 0) != StoreResult.Ok) return false;
    }
    return true;
  }

  /** Returns the number of a name that a page is to hold, or INLINE_NAME. May enter the name. */
  numberOf(name: usize, length: i32): u16 {
    if (length < MIN_NAME_LENGTH || length > MAX_NAME_LENGTH) return INLINE_NAME;
    const hash = this.hash.of(name, length);
    const number = this.find(hash, name, length);
    if (number != NO_NAME) return number;
    if (!this.countMeeting(hash)) return INLINE_NAME;
    return this.enter(hash, name, length);
  }

  /** Returns the address of a name's bytes, valid as long as this table; 0 if there is no such number. */
  start(number: u16): usize {
    const place = this.place(number);
    return place == 0 ? 0 : place + 1;
  }

  /** Returns the length of a name in bytes; 0 if there is no such number. */
  lengthOf(number: u16): i32 {
    const place = this.place(number);
    return place == 0 ? 0 : <i32>load<u8>(place);
  }

  /** The address of a name's length, with its bytes behind; 0 if there is no such number. */
  private place(number: u16): usize {
    const segment = (<u32>number) >> 8;
    const rank = ((<u32>number) & 255) - 1;
    if (number == NO_NAME || segment >= 2 * SEGMENTS || rank >= NAMES_A_SEGMENT) return 0;
    const copy = this.copyOf(segment);
    if (copy && rank < copy.count) return copy.at(rank);
    // Another machine has entered it since.
    if (!this.refresh(segment, this.looked)) return 0;
    const fresh = this.copyOf(segment)!;
    return rank < fresh.count ? fresh.at(rank) : 0;
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

  /** Counts a name that is not in the table. Returns whether it has come often enough lately to be entered. */
  private countMeeting(hash: u32): bool {
    if (this.last == SEGMENTS) return false;
    const candidate = changetype<Candidate>(this.candidates + <usize>((hash % CANDIDATES) * CANDIDATE_SIZE));
    if (candidate.hash != hash) {
      // Names that come once displace each other, and not the name that comes again and again.
      if (candidate.count > 0 && --candidate.count > 0) return false;
      candidate.hash = hash;
      candidate.count = 1;
      return false;
    }
    if (++candidate.count < MIN_MEETINGS << ((this.last << 2) / SEGMENTS)) return false;
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
      const copy = exists ? this.copyOf(segment) : null;
      const used: u32 = copy ? copy.used : 0;
      const rank: u32 = copy ? copy.count : 0;
      if (rank == NAMES_A_SEGMENT || <i32>used + 1 + length > SEGMENT_CAPACITY) {
        this.last++;
        continue;
      }
      if (copy) memory.copy(SCRATCH, changetype<usize>(copy), used);
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

  /** Reads a segment into this machine's copy; false if there is none. */
  private refresh(segment: u32, value: StoredValue): bool {
    value.select(segment);
    if (value.read(SCRATCH, SEGMENT_CAPACITY) != StoreResult.Ok) return false;
    this.take(segment, value.length);
    return this.copyOf(segment) != null;
  }

  /** Takes the new names of a segment, `size` bytes in SCRATCH, into this machine's copy. */
  private take(segment: u32, size: i32): void {
    let copy = this.copyOf(segment);
    if (!copy) {
      copy = changetype<SegmentCopy>(zeroed(COPY_SIZE));
      store<usize>(this.segments + (segment << 2), changetype<usize>(copy));
    }
    const bytes = changetype<usize>(copy);
    let used = <i32>copy.used;
    if (size > used) memory.copy(bytes + used, SCRATCH + used, size - used);
    while (used < size && copy.count < NAMES_A_SEGMENT) {
      const length = <i32>load<u8>(bytes + used);
      if (used + 1 + length > size) break;
      const next = used + 1 + length;
      copy.append(<u16>used);
      const isNew = segment >= SEGMENTS == this.first >= SEGMENTS;
      if (isNew) this.enlist(this.hash.of(bytes + used + 1, length), <u16>((segment << 8) + copy.count));
      used = next;
      copy.used = used;
    }
  }

  /** Makes a name of the half that takes names findable. */
  private enlist(hash: u32, number: u16): void {
    if (++this.count << 1 > this.indexPlaces && this.indexPlaces < MAX_PLACES) {
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
      if (!copy) continue;
      for (let rank: u32 = 0; rank < copy.count; rank++) {
        const place = copy.at(rank);
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
      if (copy) heap.free(changetype<usize>(copy));
      store<usize>(this.segments + (segment << 2), 0);
    }
  }

  /** This machine's copy of a segment, or null. */
  @inline
  private copyOf(segment: u32): SegmentCopy | null {
    return changetype<SegmentCopy | null>(load<usize>(this.segments + (segment << 2)));
  }
}

/** A name that was met and is not in the table. */
@unmanaged
class Candidate {
  hash: u32;
  count: u32;
}

/** The turn in the store, 16 bytes, little-endian. */
@unmanaged
class Turn {
  /** Odd if the second half takes names. */
  number: u32;
  phase: Phase;
  /** Nanoseconds since 1970. */
  since: u64;
}

/**
 * A machine's copy of a segment, COPY_SIZE bytes: the segment's bytes, at USED_OFFSET u32 bytes of them, at COUNT_OFFSET u32
 * names, at OFFSETS_OFFSET u16 offset of each name.
 */
@unmanaged
class SegmentCopy {
  /** Bytes of the names that are listed. */
  @inline
  get used(): u32 {
    return load<u32>(changetype<usize>(this), USED_OFFSET);
  }

  set used(bytes: u32) {
    store<u32>(changetype<usize>(this), bytes, USED_OFFSET);
  }

  /** Names that are listed. */
  @inline
  get count(): u32 {
    return load<u32>(changetype<usize>(this), COUNT_OFFSET);
  }

  /** The address of a name's length, with its bytes behind. */
  @inline
  at(rank: u32): usize {
    const start = changetype<usize>(this);
    return start + <usize>load<u16>(start + (rank << 1), OFFSETS_OFFSET);
  }

  /** Lists the name at an offset. */
  append(offset: u16): void {
    const start = changetype<usize>(this);
    const count = this.count;
    store<u16>(start + (count << 1), offset, OFFSETS_OFFSET);
    store<u32>(start, count + 1, COUNT_OFFSET);
  }
}

/** Of each half. A power of two. */
const SEGMENTS: u32 = 64;
const SEGMENT_CAPACITY: i32 = 4095;
const NAMES_A_SEGMENT: u32 = 255;
/** A shorter name is as short as its number. */
const MIN_NAME_LENGTH: i32 = 4;
const MAX_NAME_LENGTH: i32 = 255;
/** Meetings of a name while the first quarter of the table is being filled; twice as many in each quarter after it. */
const MIN_MEETINGS: u32 = 2;
const CANDIDATES: u32 = 509;
const CANDIDATE_SIZE: u32 = 8;
const MIN_PLACES: u32 = 256;
/** Twice as many as there can be names. */
const MAX_PLACES: u32 = 32768;
const MAX_PROBES: u32 = 64;
const MAX_TRIES: i32 = 16;
const USED_OFFSET: usize = 4096;
const COUNT_OFFSET: usize = 4100;
const OFFSETS_OFFSET: usize = 4104;
const COPY_SIZE: usize = 4616;
const TURN_SIZE: i32 = 16;
const TURN_BYTES: usize = memory.data(16, 8);
const TURN: Turn = changetype<Turn>(TURN_BYTES);
const SCRATCH: usize = memory.data(4096, 8);
