/**
 * The names of ticket keys (STEKs) that were seen or configured: the first 16 bytes of tickets and PSK identities (RFC 5077
 * 4). Under a removed name no ticket resumes.
 *
 * Bytes that never repeat are not a name (`key_trust.ts`). The hot path finds a known name in this virtual machine's memory
 * and counts there (`seen_key.ts`); ticks write the counts. Only a name that is new here, or comes from another upstream
 * than before, costs an access. A removed or configured name is never evicted for a learned one; if a page is full of such,
 * nothing is learned in it.
 *
 * Evidence. Everybody's resumptions are led by whose a name is, so only a server's own bytes count:
 * - a NewSessionTicket that a server has sent in clear in a completed handshake (RFC 5077 3.3): no client chooses its bytes;
 * - a PSK that a server has selected: its binder proves that the server has read the ticket (RFC 8446 4.2.11.2). One that
 *   may end in several places does not count, nor does one beside an encrypted hello if the operator says that servers
 *   decrypt hellos;
 * - a ticket that a server of TLS 1.2 has taken up, if nothing else explains that (`AcceptedHandle.TicketForSure`): there
 *   was no session ID beside it, or one that is its SHA-256, which no server gives to a session of its own.
 * An echoed session ID beside a ticket is not evidence: a client may offer an ID of its own beside bytes that it has made
 * up, and a server that goes by IDs echoes it. Nor is a decline: a client can have anything declined.
 *
 * Nothing is for ever: a name may become shared, and one upstream's again (`evidence.ts`).
 */
import { fnv32 } from "../../bytes/fnv";
import { zeroed } from "../../bytes/zeroed";
import { Clock } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table } from "../../shared/table";
import { TICKET_KEY_LENGTH } from "../record/session";
import { heals, weigh } from "./evidence";
import { RemovalSet } from "../configured/removal_set";
import { KeyState } from "./key_state";
import { KeyTrust, MAX_FRESH } from "./key_trust";
import { ANY_UPSTREAM, SeenKey, SeenKeys, upstreamHash } from "./seen_key";
import { TableChange } from "./table_change";
export { KeyState } from "./key_state";

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
  private readonly change: TableChange;
  /** The row that was stored last; valid until the next use of any table. */
  row: Row | null = null;
  /** The `KeyState` of the last removed name before its removal, 0 for none. */
  stateBefore: u8 = 0;
  private readonly seen: SeenKeys = new SeenKeys();
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
    /** Whatever configurations remove. */
    private readonly configured: RemovalSet = new RemovalSet(hash),
  ) {
    const table = new Table(cacheName, "ticket_keys", sharedStore, hash, changes);
    this.table = table;
    this.change = new TableChange(table);
  }

  free(): void {
    this.table.free();
    this.trust.free();
    this.seen.free();
  }

  /** Whether no ticket under a name may resume. */
  isRemoved(name: usize): bool {
    if (this.configured.removesTicketKey(name)) return true;
    const row = this.look(name);
    return row != null && row.state == KeyState.REMOVED;
  }

  /**
   * The row of a name, or null; also in `row`. State and upstream are those of the last `Changes.refresh`; counts and times
   * may be older.
   */
  look(name: usize): Row | null {
    this.row = this.table.look(name, TICKET_KEY_LENGTH);
    return this.row;
  }

  /** Notes a ticket under a name that an upstream has issued or accepted for sure. */
  learn(name: usize, upstream: usize, upstreamLength: i32): void {
    const seen = this.seen.placeOf(name);
    const hash = upstreamHash(upstream, upstreamLength);
    const known = seen.isOf(name);
    if (known && seen.expects(hash)) {
      seen.note(hash);
      this.trust.noteRepeated(hash);
      return;
    }
    if (!known && !this.trust.judgeNew(hash, name)) return;
    if (seen.pending > 0) this.flush(seen);
    const state = this.write(name, upstream, upstreamLength);
    if (state == 0) return;
    if (!this.wroteNew) this.trust.noteRepeated(hash);
    else if (this.trust.noteLearned(hash, name)) return this.dropFresh(hash);
    // If upstreams share the name, or the operator has configured or removed it, one more upstream is not news.
    seen.take(name, state == KeyState.LEARNED ? hash : ANY_UPSTREAM);
  }

  /**
   * Counts one more accepted ticket under a name that this machine knows, whoever has accepted it. False: it has to be
   * learned with its upstream, as the name is not known here or the ticket is `sampled` to find out whether upstreams share
   * it.
   */
  countKnown(name: usize, sampled: bool): bool {
    const seen = this.seen.placeOf(name);
    if (sampled || !seen.isOf(name)) return false;
    seen.pending++;
    return true;
  }

  /** Writes some of the counts. To be called on ticks. */
  tick(): void {
    for (let i = 0; i < FLUSHED_A_TICK; i++) {
      const seen = this.seen.at(this.nextFlushed++);
      if (seen.pending > 0) this.flush(seen);
    }
  }

  /** Configures to which upstream a name belongs; lifts a removal. */
  configure(name: usize, upstream: usize, upstreamLength: i32): KeyOutcome {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      const outcome = old ? KeyOutcome.Replaced : KeyOutcome.Added;
      if (old && old.state == KeyState.CONFIGURED && isOf(old, upstream, upstreamLength)) {
        this.row = old;
        return KeyOutcome.Identical;
      }
      if (!this.put(name, upstream, upstreamLength, old, KeyState.CONFIGURED, 0)) break;
      if (!this.change.store()) continue;
      this.changes.announce();
      return outcome;
    }
    return KeyOutcome.NotStored;
  }

  /**
   * Lifts the removal of a name. A name that was seen stays as a learned one, so that its upstream need not be learned
   * again; of one that was never seen nothing stays, and `row` is null.
   */
  lift(name: usize): KeyOutcome {
    this.row = null;
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      this.row = old;
      if (!old || old.state != KeyState.REMOVED) return KeyOutcome.NotFound;
      if (old.upstreamLength > 0) {
        this.setState(old, KeyState.LEARNED);
      } else {
        this.table.remove(old);
        this.row = null;
      }
      if (!this.change.store()) {
        this.row = null;
        continue;
      }
      this.changes.announce();
      return KeyOutcome.Replaced;
    }
    return KeyOutcome.NotStored;
  }

  /** Refuses all tickets under a name from now on, whether it is known or not. `NotFound`: it was removed before. */
  remove(name: usize): KeyOutcome {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const old = this.table.find(name, TICKET_KEY_LENGTH);
      this.stateBefore = old ? old.state : 0;
      if (old && old.state == KeyState.REMOVED) {
        this.row = old;
        return KeyOutcome.NotFound;
      }
      if (old) this.setState(old, KeyState.REMOVED);
      else if (!this.put(name, 0, 0, null, KeyState.REMOVED, 0)) break;
      if (!this.change.store()) continue;
      this.changes.announce();
      return KeyOutcome.Removed;
    }
    return KeyOutcome.NotStored;
  }

  private setState(row: Row, state: u8): void {
    row.state = state;
    row.time = this.clock.nowSeconds();
    row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    this.row = row;
  }

  /** Forgets the names of an upstream that seems to have none: those that were seen once and never again. */
  private dropFresh(upstream: u32): void {
    for (let number = 0; number < MAX_FRESH; number++) this.drop(this.trust.freshName(upstream, number));
  }

  private drop(name: usize): void {
    const seen = this.seen.placeOf(name);
    if (seen.isOf(name)) {
      if (seen.pending > 0) return;
      seen.clear();
    }
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const row = this.table.find(name, TICKET_KEY_LENGTH);
      if (!row || row.state != KeyState.LEARNED || row.count > 1) return;
      this.table.remove(row);
      if (!this.change.store()) continue;
      this.changes.announce();
      return;
    }
  }

  /** Adds the counts and the evidence of this machine to the row of a name, and takes over the state of the row. */
  private flush(seen: SeenKey): void {
    const count = seen.pending;
    seen.pending = 0;
    memory.copy(NAME, seen.name, TICKET_KEY_LENGTH);
    this.change.begin();
    while (this.change.open(NAME, TICKET_KEY_LENGTH)) {
      const row = this.table.find(NAME, TICKET_KEY_LENGTH);
      // It was evicted meanwhile: the next ticket under it is learned again.
      if (!row) return seen.clear();
      const now = this.clock.nowSeconds();
      row.count += count;
      row.lastUsed = now;
      const news = seen.evidence > 0 && this.addEvidence(row, seen.witness, seen.evidence, now);
      if (!this.change.store()) continue;
      seen.evidence = 0;
      seen.upstreamHash = row.state == KeyState.LEARNED ? upstreamHash(row.upstream, row.upstreamLength) : ANY_UPSTREAM;
      seen.healsBy = heals(row, now) ? row.witness : 0;
      if (news) this.changes.announce();
      return;
    }
    // Nothing was written: the next try counts it.
    seen.pending += count;
  }

  /** Learns a ticket in the shared table. Returns the state of its name, or 0 if there is no room or no answer. */
  private write(name: usize, upstream: usize, upstreamLength: i32): u8 {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
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
        news = this.addEvidence(row, upstreamHash(upstream, upstreamLength), 1, now);
        state = row.state;
        if (heals(row, now)) {
          state = KeyState.LEARNED;
          news = true;
          if (!this.put(name, upstream, upstreamLength, row, KeyState.LEARNED, 0)) return 0;
        }
      }
      if (!this.change.store()) continue;
      if (news) this.changes.announce();
      return state;
    }
    return 0;
  }

  /** Adds pieces of evidence, and gives the row a new version if they have made it shared. */
  private addEvidence(row: Row, witness: u32, pieces: u32, now: u64): bool {
    const isNewlyShared = weigh(row, witness, pieces, now);
    if (isNewlyShared) row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    return isNewlyShared;
  }

  /** Puts a row in the place of an old one, whose counts it keeps. False if no room could be made. */
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
   * Evicts a name of the page that was only seen: one that was seen once, if there is one, as a ticket without a key name
   * makes a new one each time; else the one used least recently.
   */
  private evictLearned(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      const seen = row.state == KeyState.LEARNED || row.state == KeyState.SHARED;
      if (seen && (!oldest || isWorthMore(oldest, row))) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    this.table.remove(oldest);
    return true;
  }
}

function isWorthMore(one: Row, other: Row): bool {
  const oneRepeats = one.count > 1;
  if (oneRepeats != other.count > 1) return oneRepeats;
  return other.lastUsed < one.lastUsed;
}

function isOf(row: Row, upstream: usize, upstreamLength: i32): bool {
  return row.upstreamLength == <u8>upstreamLength && memory.compare(row.upstream, upstream, upstreamLength) == 0;
}

const FLUSHED_A_TICK: i32 = 64;
const NAME: usize = memory.data(TICKET_KEY_LENGTH);
