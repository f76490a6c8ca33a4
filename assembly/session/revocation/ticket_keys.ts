/**
 * The names of ticket keys (STEKs) that were seen or told: the first 16 bytes of tickets and PSK identities
 * (RFC 5077 4). Under a removed name no ticket resumes.
 *
 * What never repeats is no name (`key_trust.ts`). The hot path meets a known name by a look into this virtual machine's memory and
 * counts there; what was counted is written by ticks. Only a name that is new here, or comes from another upstream than before, costs an access.
 * What is removed or told is never evicted for what is learned; where a page is full of such, learning is forgone.
 *
 * Evidence. Whose a name is, only a server's own bytes tell, as everybody's resumptions are led by it:
 * - a NewSessionTicket that a server has sent in clear in a handshake that was completed (RFC 5077 3.3): no client chooses its bytes;
 * - a PSK that a server has selected: its binder proves that the server has read the ticket (RFC 8446 4.2.11.2). One that may end
 *   in several places counts not, nor, where the operator says that servers decrypt hellos, one beside a hello inside;
 * - a ticket that a server of TLS 1.2 has taken up, where nothing else explains that (`AcceptedHandle.TicketForSure`): there was no
 *   session ID beside it, or one that is its SHA-256, which no server gives to a session of its own.
 * An echoed session ID beside a ticket is none. A client may offer an ID of its own beside bytes that it has made up, and a server that
 * goes by IDs echoes it. A decline is none either: a client can have anything declined.
 *
 * Nothing is for ever. A name that comes from a second upstream is shared at once. It is learned again where all evidence of all
 * machines has come from one upstream for HEALS_SECONDS, HEALS_RUN pieces of it at least: the others have another key by now,
 * or are gone. That upstream need not be the first one. Each piece of contrary evidence begins the run anew, or makes the name shared again.
 *
 * Of a shared name a row has, for that: `witness`, the hash of the upstream that all evidence has come from since `time`, or
 * SEVERAL; `run`, how many pieces. Machines add what they have seen when they write what they have counted.
 */
import { fnv32 } from "../../bytes/fnv";
import { zeroed } from "../../bytes/zeroed";
import { Clock } from "../../ports/clock";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyTrust, MOST_FRESH } from "./key_trust";
import { KeyedHash } from "../../shared/keyed_hash";
import { TICKET_KEY_LENGTH } from "../record/session";
import { Row } from "../../shared/row";
import { Table, TABLE_TRIES } from "../../shared/table";

export namespace KeyState {
  /** Seen from one upstream. */
  export const LEARNED: u8 = 1;
  /** Told by the operator. */
  export const TOLD: u8 = 2;
  /** Seen from several upstreams lately: they share the key. */
  export const SHARED: u8 = 3;
  /** No ticket under it resumes. */
  export const REMOVED: u8 = 4;
}

export const enum KeyOutcome {
  Added = 0,
  Replaced = 1,
  Identical = 2,
  Removed = 3,
  NotStored = 4,
  /** There was no such name, or none that was removed; `row` tells which. */
  NotFound = 5,
}

export class TicketKeys {
  readonly table: Table;
  /** The row that was stored last; valid until the next use of any table. */
  row: Row | null = null;
  /** What the name that was removed last had been before: a `KeyState`, 0 for nothing. */
  stateBefore: u8 = 0;
  private readonly seen: usize;
  private readonly trust: KeyTrust = new KeyTrust();
  private nextFlushed: u32 = 0;
  /** Whether the name that was written last was new to the table. */
  private wroteNew: bool = false;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    hash: KeyedHash,
    private readonly changes: Changes,
  ) {
    this.table = new Table(cacheName, "ticket_keys", sharedStore, hash, changes);
    this.seen = zeroed(SEEN_PLACES * SEEN_SIZE);
  }

  free(): void {
    this.table.free();
    this.trust.free();
    heap.free(this.seen);
  }

  /** Whether no ticket under a name may resume. */
  isRemoved(name: usize): bool {
    const row = this.look(name);
    return row != null && row.state == KeyState.REMOVED;
  }

  /**
   * The row of a name, or null; also in `row`. State and upstream are those of the last `Changes.refresh`; what counts
   * and times say may be a little older.
   */
  look(name: usize): Row | null {
    this.row = this.table.look(name, TICKET_KEY_LENGTH);
    return this.row;
  }

  /** Notes a ticket under a name that an upstream has issued or accepted for sure. */
  learn(name: usize, upstream: usize, upstreamLength: i32): void {
    const seen = this.placeOf(name);
    const hash = hashOf(upstream, upstreamLength);
    const known = seen.isOf(name);
    if (known && seen.holds(hash)) {
      seen.note(hash);
      this.trust.repeated(hash);
      return;
    }
    if (!known && !this.trust.believes(hash, name)) return;
    if (seen.pending > 0) this.flush(seen);
    const state = this.write(name, upstream, upstreamLength);
    if (state == 0) return;
    if (!this.wroteNew) this.trust.repeated(hash);
    else if (this.trust.learned(hash, name)) return this.dropFresh(hash);
    memory.fill(changetype<usize>(seen), 0, SEEN_SIZE);
    memory.copy(changetype<usize>(seen), name, TICKET_KEY_LENGTH);
    // Where upstreams share the name, or the operator has spoken, one more upstream is nothing new.
    seen.upstreamHash = state == KeyState.LEARNED ? hash : ANY_UPSTREAM;
  }

  /**
   * Notes one more accepted ticket under a name that this machine knows, whoever has accepted it. False where it has to be
   * learned with its upstream: the name is not known here, or it is this ticket's turn to show whether upstreams share it.
   */
  repeat(name: usize, sampled: bool): bool {
    const seen = this.placeOf(name);
    if (sampled || !seen.isOf(name)) return false;
    seen.pending++;
    return true;
  }

  /** Writes some of what was counted. To be called on ticks. */
  tick(): void {
    for (let i = 0; i < FLUSHED_A_TICK; i++) {
      const seen = changetype<Seen>(this.seen + <usize>(this.nextFlushed * SEEN_SIZE));
      this.nextFlushed = (this.nextFlushed + 1) % SEEN_PLACES;
      if (seen.pending > 0) this.flush(seen);
    }
  }

  /** The operator says to which upstream a name belongs; lifts a removal. */
  tell(name: usize, upstream: usize, upstreamLength: i32): KeyOutcome {
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(name, TICKET_KEY_LENGTH)) break;
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      const outcome = old ? KeyOutcome.Replaced : KeyOutcome.Added;
      if (old && old.state == KeyState.TOLD && sameUpstream(old, upstream, upstreamLength)) {
        this.row = old;
        return KeyOutcome.Identical;
      }
      if (!this.put(name, upstream, upstreamLength, old, KeyState.TOLD, 0)) break;
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        this.changes.announce();
        return outcome;
      }
      if (result != StoreResult.Conflict) break;
    }
    return KeyOutcome.NotStored;
  }

  /**
   * Lifts the removal of a name. What was seen under it is kept as learned, so that whose key it is need not be learned anew; of
   * one that nobody has seen nothing stays, and `row` is null.
   */
  lift(name: usize): KeyOutcome {
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      this.row = null;
      if (!this.table.open(name, TICKET_KEY_LENGTH)) break;
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      this.row = old;
      if (!old || old.state != KeyState.REMOVED) return KeyOutcome.NotFound;
      if (old.upstreamLength > 0) {
        old.state = KeyState.LEARNED;
        old.time = this.clock.nowSeconds();
        old.version = this.table.nextVersion(this.clock.nowNanoseconds());
      } else {
        this.table.remove(old);
        this.row = null;
      }
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        this.changes.announce();
        return KeyOutcome.Replaced;
      }
      if (result != StoreResult.Conflict) break;
    }
    return KeyOutcome.NotStored;
  }

  /** From now on no ticket under a name resumes, whether it was known or not. `NotFound` where that was so before. */
  remove(name: usize): KeyOutcome {
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(name, TICKET_KEY_LENGTH)) break;
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      this.stateBefore = old ? old.state : 0;
      if (old && old.state == KeyState.REMOVED) {
        this.row = old;
        return KeyOutcome.NotFound;
      }
      if (old) {
        old.state = KeyState.REMOVED;
        old.time = this.clock.nowSeconds();
        old.version = this.table.nextVersion(this.clock.nowNanoseconds());
        this.row = old;
      } else if (!this.put(name, 0, 0, null, KeyState.REMOVED, 0)) {
        break;
      }
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        this.changes.announce();
        return KeyOutcome.Removed;
      }
      if (result != StoreResult.Conflict) break;
    }
    return KeyOutcome.NotStored;
  }

  /** Forgets the names of an upstream that seems to have none: those that were seen once and never again. */
  private dropFresh(upstream: u32): void {
    for (let number = 0; number < MOST_FRESH; number++) this.drop(this.trust.freshName(upstream, number));
  }

  private drop(name: usize): void {
    const seen = this.placeOf(name);
    if (seen.isOf(name)) {
      if (seen.pending > 0) return;
      memory.fill(changetype<usize>(seen), 0, SEEN_SIZE);
    }
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(name, TICKET_KEY_LENGTH)) return;
      const row = this.table.find(name, TICKET_KEY_LENGTH);
      if (!row || row.state != KeyState.LEARNED || row.count > 1) return;
      this.table.remove(row);
      const result = this.table.commit();
      if (result == StoreResult.Conflict) continue;
      if (result == StoreResult.Ok) this.changes.announce();
      return;
    }
  }

  /** Adds what was counted here, and the evidence, to the row of a name; takes what its state has become. */
  private flush(seen: Seen): void {
    const count = seen.pending;
    seen.pending = 0;
    memory.copy(NAME, changetype<usize>(seen), TICKET_KEY_LENGTH);
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(NAME, TICKET_KEY_LENGTH)) break;
      const row = this.table.find(NAME, TICKET_KEY_LENGTH);
      if (!row) {
        // It was evicted meanwhile: the next ticket under it is learned anew.
        memory.fill(changetype<usize>(seen), 0, SEEN_SIZE);
        return;
      }
      const now = this.clock.nowSeconds();
      row.count += count;
      row.lastUsed = now;
      const news = seen.evidence > 0 && this.weigh(row, seen.witness, seen.evidence, now);
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        seen.evidence = 0;
        seen.upstreamHash = row.state == KeyState.LEARNED ? hashOf(row.upstream, row.upstreamLength) : ANY_UPSTREAM;
        seen.healsBy = heals(row, now) ? row.witness : 0;
        if (news) this.changes.announce();
        return;
      }
      if (result != StoreResult.Conflict) break;
    }
    // Not written: it is counted in the next try.
    seen.pending += count;
  }

  /** Learns a ticket in the shared table; the state of its name, or 0 where there is no room or no answer. */
  private write(name: usize, upstream: usize, upstreamLength: i32): u8 {
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(name, TICKET_KEY_LENGTH)) return 0;
      const row = this.table.find(name, TICKET_KEY_LENGTH);
      let state = KeyState.LEARNED;
      let news = row == null;
      this.wroteNew = news;
      if (!row) {
        if (!this.put(name, upstream, upstreamLength, null, KeyState.LEARNED, 1)) return 0;
      } else {
        const now = this.clock.nowSeconds();
        row.count++;
        row.lastUsed = now;
        news = this.weigh(row, hashOf(upstream, upstreamLength), 1, now);
        state = row.state;
        if (heals(row, now)) {
          state = KeyState.LEARNED;
          news = true;
          if (!this.put(name, upstream, upstreamLength, row, KeyState.LEARNED, 0)) return 0;
        }
      }
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        if (news) this.changes.announce();
        return state;
      }
      if (result != StoreResult.Conflict) return 0;
    }
    return 0;
  }

  /**
   * Adds pieces of evidence, all of one upstream by its hash, or of SEVERAL. Answers whether the name has become a shared one
   * by them.
   */
  private weigh(row: Row, witness: u32, pieces: u32, now: u64): bool {
    const contradicts = row.state == KeyState.LEARNED && witness != hashOf(row.upstream, row.upstreamLength);
    if (contradicts) {
      row.state = KeyState.SHARED;
      row.witness = 0;
      row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    }
    if (row.state != KeyState.SHARED) return false;
    // A clock that was set back begins the time anew.
    if (row.witness != witness || now < row.time) {
      row.witness = witness;
      row.run = 0;
      row.time = now;
    }
    row.run = <u16>min(<u32>row.run + pieces, <u32>u16.MAX_VALUE);
    return contradicts;
  }

  /** Puts a row in the place of an old one; what was counted stays. False where no room could be made. */
  private put(name: usize, upstream: usize, upstreamLength: i32, old: Row | null, state: u8, count: u32): bool {
    let tickets = count;
    let lastUsed: u64 = count > 0 ? this.clock.nowSeconds() : 0;
    if (old) {
      tickets += old.count;
      lastUsed = old.lastUsed;
      this.table.remove(old);
    }
    let row = this.table.append(name, TICKET_KEY_LENGTH, upstream, upstreamLength);
    while (!row && this.evictLearned()) row = this.table.append(name, TICKET_KEY_LENGTH, upstream, upstreamLength);
    if (!row) return false;
    row.state = state;
    row.count = tickets;
    row.lastUsed = lastUsed;
    row.time = this.clock.nowSeconds();
    row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    this.row = row;
    return true;
  }

  /**
   * Evicts a name of the page that was only seen: one that was seen once, if there is one, as a ticket without a key
   * name makes one of its own each time; else the one used least recently.
   */
  private evictLearned(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      const seen = row.state == KeyState.LEARNED || row.state == KeyState.SHARED;
      if (seen && (!oldest || isDearer(oldest, row))) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    this.table.remove(oldest);
    return true;
  }

  private placeOf(name: usize): Seen {
    return changetype<Seen>(this.seen + <usize>((load<u32>(name) % SEEN_PLACES) * SEEN_SIZE));
  }
}

/** What this machine knows of a name: 16 bytes of name, then these. */
@unmanaged
class Seen {
  private name0: u64;
  private name8: u64;
  /** Evidence of this upstream is nothing new, as far as is known here. */
  upstreamHash: u32;
  /** Tickets that were counted here and not yet written. */
  pending: u32;
  /** How many of these are evidence, and of which upstream: its hash, or SEVERAL. */
  evidence: u32;
  witness: u32;
  /** The next evidence of that upstream makes a shared name its own; 0 for none. */
  healsBy: u32;
  private rest: u32;

  isOf(name: usize): bool {
    return memory.compare(changetype<usize>(this), name, TICKET_KEY_LENGTH) == 0;
  }

  /** Whether evidence of an upstream need not be written at once. */
  holds(upstream: u32): bool {
    return this.upstreamHash == upstream || (this.upstreamHash == ANY_UPSTREAM && this.healsBy != upstream);
  }

  /** Counts a piece of evidence. */
  note(upstream: u32): void {
    this.pending++;
    if (this.evidence++ == 0) this.witness = upstream;
    else if (this.witness != upstream) this.witness = SEVERAL;
  }
}

/** Whether the evidence of a shared name has come from one upstream for so long that it is that one's. */
function heals(row: Row, now: u64): bool {
  if (row.state != KeyState.SHARED || row.witness == SEVERAL || row.run < HEALS_RUN) return false;
  return now >= row.time + HEALS_SECONDS;
}

function isDearer(one: Row, other: Row): bool {
  const oneRepeats = one.count > 1;
  if (oneRepeats != other.count > 1) return oneRepeats;
  return other.lastUsed < one.lastUsed;
}

function sameUpstream(row: Row, upstream: usize, upstreamLength: i32): bool {
  return row.upstreamLength == <u8>upstreamLength && memory.compare(row.upstream, upstream, upstreamLength) == 0;
}

function hashOf(bytes: usize, length: i32): u32 {
  return fnv32(bytes, length) | 1;
}

/** No hashes: those are odd; and not that of an empty place. */
const ANY_UPSTREAM: u32 = 2;
const SEVERAL: u32 = 4;
/** Servers that share a key and are balanced over by chance look like one for so many pieces of evidence once in 2^31 runs. */
const HEALS_RUN: u16 = 32;
const HEALS_SECONDS: u64 = 60;
const SEEN_PLACES: u32 = 256;
const SEEN_SIZE: u32 = 40;
const FLUSHED_A_TICK: i32 = 64;
const NAME: usize = memory.data(16);
