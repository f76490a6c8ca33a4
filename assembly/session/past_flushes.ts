/**
 * The last flushes, of this proxy and of others: so a session that is told later, and that one of them would have flushed,
 * is not taken in, and a flush that is told again is not carried out again.
 *
 * A flush has a stamp, by which it is known. It reaches observed sessions whose time is at most LEAD_SECONDS after its own, and
 * sessions by hand whose stamp is at most its key (`stamp.ts`).
 *
 * PLACES flushes are remembered. If one more comes, one goes whose sessions another one reaches; if there is none, the two
 * oldest become one that reaches the sessions of both.
 *
 * Cost: one read for each epoch of `Changes` in which it is asked. Nothing allocates after construction.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Changes } from "../shared/changes";
import { StoredValue } from "../shared/stored_value";
import { Decision, keyOf, LEAD_SECONDS, stampAt, STAMPS_PER_SECOND } from "./record/stamp";

export class PastFlushes {
  private readonly value: StoredValue;
  private readonly bytes: usize = heap.alloc(SIZE);
  private epoch: u32 = 0;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly changes: Changes,
  ) {
    this.value = new StoredValue(cacheName, "flushes", sharedStore);
    memory.fill(this.bytes, 0, SIZE);
  }

  free(): void {
    this.value.free();
    heap.free(this.bytes);
  }

  /**
   * Whether a flush reaches an observed session of a time and an expiry (Unix seconds). If the session was learned here after
   * the flush, it stays; but it is not to be told, as other proxies take it for one of before.
   */
  reachObserved(time: u64, expiry: u64): bool {
    this.look();
    for (let i = 0; i < PLACES; i++) if (this.at(i).reachesObserved(time, expiry)) return true;
    return false;
  }

  /** Whether a flush reaches a session by hand of a stamp and an expiry. */
  reachAddition(stamp: u64, expiry: u64): bool {
    this.look();
    for (let i = 0; i < PLACES; i++) if (this.at(i).reachesAddition(stamp, expiry)) return true;
    return false;
  }

  /** Whether one is not carried out yet. */
  get arePending(): bool {
    this.look();
    for (let i = 0; i < PLACES; i++) if (this.at(i).isPending) return true;
    return false;
  }

  /** Returns the least stamp of a session by hand that is put in after all of them. */
  get leastStamp(): u64 {
    this.look();
    let last: u64 = 0;
    for (let i = 0; i < PLACES; i++) last = max(last, this.at(i).stamp);
    return last == 0 ? 0 : flushKey(last) + 1;
  }

  /**
   * Returns the first flush of this proxy whose stamp is greater than `after`, or null: so that others can be told. Valid until
   * the next call here.
   */
  nextOwn(after: u64): PastFlush | null {
    this.look();
    let next: PastFlush | null = null;
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (flush.own == 0 || flush.stamp <= after) continue;
      if (!next || flush.stamp < next.stamp) next = flush;
    }
    return next;
  }

  /** Returns the state of a flush. `before`: the time before which sessions expire that it reaches, 0 for all. */
  stateOf(stamp: u64, before: u64): FlushState {
    this.look();
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (flush.stamp != stamp || flush.before != before) continue;
      return flush.isPending ? FlushState.Pending : FlushState.Done;
    }
    return FlushState.New;
  }

  /**
   * Whether another flush that was carried out reached all sessions that a flush would reach of which is heard late. One that
   * is ahead of the clock does not count: sessions may have been learned since.
   */
  coverLate(stamp: u64, before: u64, now: u64): bool {
    this.look();
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (flush.stamp == 0 || flush.isPending || flush.time + LEAD_SECONDS >= now) continue;
      if (covers(flush.stamp, flush.before, stamp, before)) return true;
    }
    return false;
  }

  /** Remembers a flush of this proxy, which its own job carries out. Returns its stamp, 0 if it could not be stored. */
  noteOwn(now: u64, before: u64): u64 {
    const stamp = stampAt(now);
    return this.note(stamp, before, 0, 1) ? stamp : 0;
  }

  /** Remembers a flush of another proxy, as pending. False if it could not be stored. */
  noteForeign(stamp: u64, before: u64): bool {
    return this.note(stamp, before, 1, 0);
  }

  /** A flush of another run of this proxy is this one's to tell from now on. False if that could not be stored. */
  claim(stamp: u64, before: u64): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.read();
      let claimed = false;
      for (let i = 0; i < PLACES; i++) {
        const flush = this.at(i);
        if (flush.stamp != stamp || flush.before != before || flush.own != 0) continue;
        flush.own = 1;
        claimed = true;
      }
      if (!claimed) return true;
      const result = this.put();
      if (result == StoreResult.Ok) return true;
      if (result != StoreResult.Conflict) return false;
    }
    return false;
  }

  private note(stamp: u64, before: u64, pending: u16, own: u16): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.read();
      const place = this.placeFor(stamp, before);
      place.stamp = stamp;
      place.before = before;
      place.pending = pending;
      place.own = own;
      const result = this.put();
      if (result == StoreResult.Ok) return true;
      if (result != StoreResult.Conflict) return false;
    }
    return false;
  }

  /** Remembers that flushes were carried out: those of a copy that `copyTo` made. */
  noteDone(copy: usize): void {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      this.read();
      for (let i = 0; i < PLACES; i++) {
        const done = changetype<PastFlush>(copy + <usize>i * FLUSH_SIZE);
        for (let j = 0; j < PLACES; j++) {
          const flush = this.at(j);
          if (done.isPending && flush.stamp == done.stamp && flush.before == done.before) flush.pending = 0;
        }
      }
      if (this.put() != StoreResult.Conflict) return;
    }
  }

  /** Copies all to FLUSHES_SIZE bytes: PLACES of `PastFlush`. */
  copyTo(copy: usize): void {
    this.look();
    memory.copy(copy, this.bytes, SIZE);
  }

  private look(): void {
    if (this.epoch == this.changes.epoch) return;
    if (this.read()) this.epoch = this.changes.epoch;
  }

  /** Reads the value; false if the store does not answer: then the last known stay. */
  private read(): bool {
    const result = this.value.read(SCRATCH, SIZE);
    if (result == StoreResult.Ok && this.value.length == SIZE) memory.copy(this.bytes, SCRATCH, SIZE);
    return result == StoreResult.Ok || result == StoreResult.Absent;
  }

  private put(): StoreResult {
    const result = this.value.put(this.bytes, SIZE);
    if (result == StoreResult.Ok) this.changes.announce();
    return result;
  }

  /** A place for one more; its own if it is here already. */
  private placeFor(stamp: u64, before: u64): PastFlush {
    let oldest = 0;
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (flush.stamp == 0 || (flush.stamp == stamp && flush.before == before)) return flush;
      if (flush.stamp < this.at(oldest).stamp) oldest = i;
    }
    for (let i = 0; i < PLACES; i++) {
      const flush = this.at(i);
      if (flush.isPending) continue;
      if (covers(stamp, before, flush.stamp, flush.before)) return flush;
      for (let j = 0; j < PLACES; j++) {
        const other = this.at(j);
        if (i != j && covers(other.stamp, other.before, flush.stamp, flush.before)) return flush;
      }
    }
    const merged = this.at(oldest);
    let next = oldest == 0 ? 1 : 0;
    for (let i = 0; i < PLACES; i++) if (i != oldest && this.at(i).stamp < this.at(next).stamp) next = i;
    const other = this.at(next);
    other.before = other.before == 0 || merged.before == 0 ? 0 : max(other.before, merged.before);
    other.pending |= merged.pending;
    return merged;
  }


  @inline
  private at(place: i32): PastFlush {
    return changetype<PastFlush>(this.bytes + <usize>place * FLUSH_SIZE);
  }
}

export const enum FlushState {
  New = 0,
  /** Sessions that it reaches may still be held. */
  Pending = 1,
  Done = 2,
}

/** One flush, FLUSH_SIZE bytes, little-endian. */
@unmanaged
export class PastFlush {
  /** 0 if the place is free. */
  stamp: u64;
  /** It reaches sessions that expire before this (Unix seconds); 0: all. */
  before: u64;
  /** 1: not carried out yet. */
  pending: u16;
  /** 1: it began on this proxy. */
  own: u16;
  private rest: u32;

  /** Unix seconds. */
  @inline
  get time(): u64 {
    return this.stamp / STAMPS_PER_SECOND;
  }


  @inline
  get isPending(): bool {
    return this.stamp != 0 && this.pending != 0;
  }

  /** Whether it reaches an observed session of a time and an expiry. */
  @inline
  reachesObserved(time: u64, expiry: u64): bool {
    return this.stamp != 0 && time <= this.time + LEAD_SECONDS && this.reachesExpiry(expiry);
  }

  /** Whether it reaches a session by hand of a stamp and an expiry. */
  @inline
  reachesAddition(stamp: u64, expiry: u64): bool {
    return this.stamp != 0 && stamp <= flushKey(this.stamp) && this.reachesExpiry(expiry);
  }


  @inline
  reachesExpiry(expiry: u64): bool {
    return this.before == 0 || expiry < this.before;
  }
}

/** Returns the key of the removals that a flush of a stamp makes. */
@inline
export function flushKey(stamp: u64): u64 {
  return keyOf(Decision.Removal, stamp);
}

/** Whether a flush reaches every session that another one reaches. */
function covers(stamp: u64, before: u64, otherStamp: u64, otherBefore: u64): bool {
  return stamp >= otherStamp && (before == 0 || (otherBefore != 0 && before >= otherBefore));
}

export const PLACES: i32 = 8;
export const FLUSH_SIZE: usize = 24;
const SIZE: i32 = 192;
/** Bytes of a copy. */
export const FLUSHES_SIZE: usize = 192;
const MAX_TRIES: i32 = 16;
const SCRATCH: usize = memory.data(192, 8);
