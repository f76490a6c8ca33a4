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
 *
 * Decisions (removed, lifted, configured) have stamps, and come from other proxies as well: `key_decisions.ts`. A row whose
 * decision stands there has a mark in `run` and `witness`, which evidence does not need in these states.
 */
import { fnv32 } from "../../bytes/fnv";
import { zeroed } from "../../bytes/zeroed";
import { Clock } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table, TABLE_PAGES } from "../../shared/table";
import { TableChange } from "../../shared/table_change";
import { Applied } from "../record/applied";
import { MAX_AHEAD_SECONDS } from "../record/moment";
import { MAX_UPSTREAM_LENGTH, TICKET_KEY_LENGTH } from "../record/session";
import { MAX_STAMP, stampAt } from "../record/stamp";
import { heals, weigh } from "./evidence";
import { RemovalSet } from "../configured/removal_set";
import { KeyDecisions } from "./key_decisions";
import { KeyState } from "./key_state";
import { KeyTrust, MAX_FRESH } from "./key_trust";
import { ANY_UPSTREAM, SeenKey, SeenKeys, upstreamHash } from "./seen_key";
import { DecisionState, LIFTED_KEPT_SECONDS, ToldDecision } from "./told_decision";
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
  private readonly decisions: KeyDecisions;
  private readonly change: TableChange;
  /** The row that was stored last; valid until the next use of any table. */
  row: Row | null = null;
  /** The `KeyState` of the last removed name before its removal, 0 for none. */
  stateBefore: u8 = 0;
  /** Names that this machine has learned as new ones; whoever counts them sets this back. */
  learnedNew: u32 = 0;
  private readonly seen: SeenKeys = new SeenKeys();
  private readonly trust: KeyTrust = new KeyTrust();
  private nextFlushed: u32 = 0;
  /** The decision of an earlier module on which the one that is being made stands, None if there is none. */
  private before: DecisionState = DecisionState.None;
  private stampBefore: u64 = 0;
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
    this.decisions = new KeyDecisions(cacheName, sharedStore, hash, changes);
  }

  free(): void {
    this.table.free();
    this.decisions.free();
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
   * Returns the number of names under which no ticket may resume, or -1 if the store does not answer. Costs a read of each
   * page of the table; rows that were looked up before are not valid any more.
   */
  countRemoved(): i32 {
    let removed = <i32>this.configured.ticketKeys;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      if (!this.table.openPage(number)) return -1;
      let row = this.table.first();
      while (row) {
        if (row.state == KeyState.REMOVED && !this.configured.removesTicketKey(row.name)) removed++;
        row = this.table.after(row);
      }
    }
    return removed;
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
    if (this.wroteNew) this.learnedNew++;
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
      this.noteBefore(old);
      if (!this.put(name, upstream, upstreamLength, old, KeyState.CONFIGURED, 0)) break;
      if (!this.change.store()) continue;
      this.changes.announce();
      this.decide(name, DecisionState.Configured, upstream, upstreamLength);
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
      this.noteBefore(old);
      this.endDecision(old);
      if (!this.change.store()) {
        this.row = null;
        continue;
      }
      this.changes.announce();
      this.decide(name, DecisionState.Lifted, 0, 0);
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
      this.noteBefore(old);
      if (old && old.state == KeyState.REMOVED) {
        this.row = old;
        // Another proxy may have lifted it meanwhile: this is a later removal.
        this.decide(name, DecisionState.Refused, 0, 0);
        return KeyOutcome.NotFound;
      }
      if (old) this.setState(old, KeyState.REMOVED);
      else if (!this.put(name, 0, 0, null, KeyState.REMOVED, 0)) break;
      if (!this.change.store()) continue;
      this.changes.announce();
      this.decide(name, DecisionState.Refused, 0, 0);
      return KeyOutcome.Removed;
    }
    return KeyOutcome.NotStored;
  }

  /**
   * Applies a decision of another proxy about a name: removed, lifted, or configured with its upstream. A removal may name the
   * upstream that has issued tickets under it, which counts if none is known here. `time` is in Unix seconds. `Stored` also if
   * the row of the name had not followed its decision.
   */
  apply(name: usize, state: DecisionState, upstream: usize, upstreamLength: i32, time: u64, stamp: u64): Applied {
    if (state < DecisionState.Refused || state > DecisionState.Configured || stamp > MAX_STAMP) return Applied.Older;
    const length = state == DecisionState.Configured ? upstreamLength : 0;
    if (length < 0 || length > MAX_UPSTREAM_LENGTH) return Applied.Older;
    if (length == 0 && state == DecisionState.Configured) return Applied.Older;
    const now = this.clock.nowNanoseconds();
    const seconds = this.clock.nowSeconds();
    if (state == DecisionState.Lifted && time + LIFTED_KEPT_SECONDS < seconds) return Applied.Older;
    this.adopt(name);
    const decided = min(time, seconds + MAX_AHEAD_SECONDS);
    const applied = this.decisions.recordTold(name, state, upstream, length, decided, stamp, now);
    if (applied == Applied.Failed || applied == Applied.NoRoom) return applied;
    const followed = this.follow(name);
    if (state == DecisionState.Refused) this.fillUpstream(name, upstream, upstreamLength);
    return followed == Applied.Older ? applied : followed;
  }

  /** Opens a page, below TABLE_PAGES, for `nextDecision`; false if the store does not answer. */
  openDecisions(page: u32): bool {
    for (let i = 0; i < MAX_ADOPTED; i++) {
      if (!this.table.openPage(page)) return false;
      let row = this.table.first();
      while (row && !isUnmarked(row)) row = this.table.after(row);
      if (!row) break;
      memory.copy(NAME, row.name, TICKET_KEY_LENGTH);
      this.adopt(NAME);
    }
    return this.decisions.openDecisions(page);
  }

  /**
   * Moves to the next decision of the page whose version is greater than `after`; false if there is none. Nothing else may use
   * a table meanwhile.
   */
  nextDecision(after: u64, into: ToldDecision): bool {
    return this.decisions.nextDecision(after, into);
  }

  /** Gives a removed name the upstream that another cache knows, if none is known here. */
  fillUpstream(name: usize, upstream: usize, upstreamLength: i32): void {
    if (upstreamLength <= 0 || upstreamLength > MAX_UPSTREAM_LENGTH) return;
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const row = this.table.find(name, TICKET_KEY_LENGTH);
      if (!row || row.state != KeyState.REMOVED || row.upstreamLength > 0) return;
      const time = row.time;
      if (!this.put(name, upstream, upstreamLength, row, KeyState.REMOVED, 0)) return;
      const put = this.row;
      if (put) put.time = time;
      if (!this.change.store()) continue;
      this.changes.announce();
      return;
    }
  }

  /** Records the decision of a name that an earlier module has made, if it is one. */
  private adopt(name: usize): void {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const row = this.table.find(name, TICKET_KEY_LENGTH);
      if (!row || !isUnmarked(row)) return;
      const state = row.state == KeyState.REMOVED ? DecisionState.Refused : DecisionState.Configured;
      const length = state == DecisionState.Configured ? <i32>row.upstreamLength : 0;
      const version = row.version;
      memory.copy(ADOPTED, row.upstream, length);
      mark(row);
      if (!this.change.store()) continue;
      this.decisions.record(name, state, ADOPTED, length, version, DecisionState.None, 0);
      return;
    }
  }

  /** Notes the decision of a row as an earlier module has made it: the one that is made now stands on top of it. */
  private noteBefore(row: Row | null): void {
    this.before = DecisionState.None;
    if (!row || !isUnmarked(row)) return;
    this.before = row.state == KeyState.REMOVED ? DecisionState.Refused : DecisionState.Configured;
    this.stampBefore = stampAt(row.version);
  }

  /** Records a decision that was made here, and lets the row follow it; afterwards `row` is that of the name, or null. */
  private decide(name: usize, state: DecisionState, upstream: usize, upstreamLength: i32): void {
    const now = this.clock.nowNanoseconds();
    // Without room for its stamp, the row alone has the decision.
    const before = this.before;
    if (this.decisions.record(name, state, upstream, upstreamLength, now, before, this.stampBefore)) this.follow(name);
    else this.row = this.table.open(name, TICKET_KEY_LENGTH) ? this.table.find(name, TICKET_KEY_LENGTH) : null;
  }

  /**
   * Lets the row of a name follow its decision, and looks again if it had to. Returns `Older` if it had not. Whoever has
   * decided last does this last: so row and decision agree in the end. Afterwards `row` is that of the name, or null.
   */
  private follow(name: usize): Applied {
    let followed = Applied.Older;
    let rounds = 0;
    this.change.begin();
    while (rounds < MAX_ROUNDS && this.decisions.read(name) && this.change.open(name, TICKET_KEY_LENGTH)) {
      const row: Row | null = this.table.find(name, TICKET_KEY_LENGTH);
      this.row = row;
      if (this.hasFollowed(row)) return followed;
      if (!this.makeFollow(name, row)) return Applied.NoRoom;
      if (!this.change.store()) continue;
      this.changes.announce();
      followed = Applied.Stored;
      rounds++;
      this.change.begin();
    }
    return Applied.Failed;
  }

  /** Whether a row agrees with the decision that was read. */
  private hasFollowed(row: Row | null): bool {
    const decisions = this.decisions;
    const state = row ? row.state : 0;
    if (decisions.state == DecisionState.Refused) return state == KeyState.REMOVED;
    if (decisions.state == DecisionState.Lifted) return state != KeyState.REMOVED && state != KeyState.CONFIGURED;
    if (decisions.state == DecisionState.None) return true;
    return row != null && state == KeyState.CONFIGURED && isOf(row, decisions.upstream, decisions.upstreamLength);
  }

  private makeFollow(name: usize, row: Row | null): bool {
    const decisions = this.decisions;
    if (decisions.state == DecisionState.Configured) {
      return this.put(name, decisions.upstream, decisions.upstreamLength, row, KeyState.CONFIGURED, 0);
    }
    if (decisions.state == DecisionState.Refused) {
      if (!row) return this.put(name, 0, 0, null, KeyState.REMOVED, 0);
      this.setState(row, KeyState.REMOVED);
    } else if (row) {
      this.endDecision(row);
    }
    return true;
  }

  /** Makes a removed or configured name a learned one, or forgets it if its upstream is not known. */
  private endDecision(row: Row): void {
    if (row.upstreamLength > 0) {
      this.setState(row, KeyState.LEARNED);
      row.run = 0;
      row.witness = 0;
      return;
    }
    this.table.remove(row);
    this.row = null;
  }

  private setState(row: Row, state: u8): void {
    row.state = state;
    row.time = this.clock.nowSeconds();
    row.version = this.table.nextVersion(this.clock.nowNanoseconds());
    if (state != KeyState.LEARNED) mark(row);
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
    if (state == KeyState.CONFIGURED || state == KeyState.REMOVED) mark(row);
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

/** Whether a row has a decision that an earlier module has made. */
function isUnmarked(row: Row): bool {
  if (row.state != KeyState.REMOVED && row.state != KeyState.CONFIGURED) return false;
  return row.run != MARK || row.witness != witnessOf(row);
}

function mark(row: Row): void {
  row.run = MARK;
  row.witness = witnessOf(row);
}

/** An earlier module that changes a row leaves this, and gives the row another version. */
function witnessOf(row: Row): u32 {
  return (<u32>row.version) ^ (<u32>(row.version >> 32));
}

function isWorthMore(one: Row, other: Row): bool {
  const oneRepeats = one.count > 1;
  if (oneRepeats != other.count > 1) return oneRepeats;
  return other.lastUsed < one.lastUsed;
}

function isOf(row: Row, upstream: usize, upstreamLength: i32): bool {
  return row.upstreamLength == <u8>upstreamLength && memory.compare(row.upstream, upstream, upstreamLength) == 0;
}

const MARK: u16 = 0x4d53;
/** More than a page has rows. */
const MAX_ADOPTED: i32 = 128;
/** Others decide again so often while a row follows a decision. */
const MAX_ROUNDS: i32 = 8;
const ADOPTED: usize = memory.data(256);
const FLUSHED_A_TICK: i32 = 64;
const NAME: usize = memory.data(TICKET_KEY_LENGTH);
