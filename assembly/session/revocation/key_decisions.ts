/**
 * The decisions about ticket keys with their stamps (`stamp.ts`): which key was removed, lifted or configured, and when. They
 * stand in a table of their own, as rows of `ticket_keys.ts` have no room for a stamp; earlier modules do not know it.
 *
 * This table decides, and the row of a ticket key follows it (`TicketKeys.follow`): so two virtual machines that decide at
 * once end with the same. A key whose decision was made by an earlier module gets its stamp from that row's version.
 *
 * A lifted removal stays as a trace: it gives way if its page is full, and goes after LIFTED_KEPT_SECONDS.
 *
 * In a row, `state` is one of `DecisionState`, `time` that of the decision (Unix seconds) and `lastUsed` its stamp. Cost: two
 * reads and a write for each decision. Nothing allocates after construction.
 */
import { NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table } from "../../shared/table";
import { TableChange } from "../../shared/table_change";
import { Applied } from "../record/applied";
import { MAX_UPSTREAM_LENGTH, TICKET_KEY_LENGTH } from "../record/session";
import { Decision, precedence, stampAt, stampOn } from "../record/stamp";
import { DecisionState, LIFTED_KEPT_SECONDS, ToldDecision } from "./told_decision";

export class KeyDecisions {
  /** Of the decision that was read last; None if there is none. */
  state: DecisionState = DecisionState.None;
  upstreamLength: i32 = 0;
  private readonly table: Table;
  private readonly change: TableChange;
  private shown: Row | null = null;
  private showsFirst: bool = false;

  constructor(cacheName: string, sharedStore: SharedStore, hash: KeyedHash, changes: Changes) {
    const table = new Table(cacheName, "ticket_key_decisions", sharedStore, hash, changes);
    this.table = table;
    this.change = new TableChange(table);
  }

  free(): void {
    this.table.free();
  }

  /** The upstream of a configured key that was read last: a copy. */
  get upstream(): usize {
    return UPSTREAM;
  }

  /** Reads the decision about a key; false if the store does not answer. */
  read(name: usize): bool {
    if (!this.table.open(name, TICKET_KEY_LENGTH)) return false;
    const row = this.table.find(name, TICKET_KEY_LENGTH);
    this.state = row ? <DecisionState>row.state : DecisionState.None;
    this.upstreamLength = row ? min(<i32>row.upstreamLength, MAX_UPSTREAM_LENGTH) : 0;
    if (row) memory.copy(UPSTREAM, row.upstream, this.upstreamLength);
    return true;
  }

  /**
   * Records a decision that is made here. If this table has none of the key, `before` and `stampBefore` are those of an earlier
   * module. False if there is no room, or other writers came first each time.
   */
  record(
    name: usize,
    state: DecisionState,
    upstream: usize,
    upstreamLength: i32,
    now: u64,
    before: DecisionState,
    stampBefore: u64,
  ): bool {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      const seconds = now / NANOSECONDS_PER_SECOND;
      this.dropOld(seconds);
      const row: Row | null = this.table.find(name, TICKET_KEY_LENGTH);
      const was = row ? <DecisionState>row.state : before;
      const stamp = stampOn(stampAt(now), decisionOf(state), decisionOf(was), row ? row.lastUsed : stampBefore);
      if (!this.put(row, name, state, upstream, upstreamLength, seconds, stamp, now)) return false;
      if (this.change.store()) return true;
    }
    return false;
  }

  /** Records a decision of another proxy, unless the one that is here holds. */
  recordTold(
    name: usize,
    state: DecisionState,
    upstream: usize,
    upstreamLength: i32,
    time: u64,
    stamp: u64,
    now: u64,
  ): Applied {
    this.change.begin();
    while (this.change.open(name, TICKET_KEY_LENGTH)) {
      this.dropOld(now / NANOSECONDS_PER_SECOND);
      const row: Row | null = this.table.find(name, TICKET_KEY_LENGTH);
      if (row) {
        const difference = precedence(
          decisionOf(state),
          stamp,
          upstream,
          upstreamLength,
          decisionOf(<DecisionState>row.state),
          row.lastUsed,
          row.upstream,
          row.upstreamLength,
        );
        if (difference < 0 || (difference == 0 && time <= row.time)) return Applied.Older;
      }
      if (!this.put(row, name, state, upstream, upstreamLength, time, stamp, now)) return Applied.NoRoom;
      if (this.change.store()) return Applied.Stored;
    }
    return Applied.Failed;
  }

  /** Opens a page, below TABLE_PAGES, for `nextDecision`; false if the store does not answer. */
  openDecisions(page: u32): bool {
    this.shown = null;
    this.showsFirst = true;
    return this.table.openPage(page);
  }

  /** See `TicketKeys.nextDecision`. */
  nextDecision(after: u64, into: ToldDecision): bool {
    const shown = this.shown;
    let row: Row | null = shown ? this.table.after(shown) : this.showsFirst ? this.table.first() : null;
    this.showsFirst = false;
    while (row && row.version <= after) row = this.table.after(row);
    this.shown = row;
    if (!row) return false;
    into.state = <DecisionState>row.state;
    into.name = row.name;
    into.nameLength = row.nameLength;
    into.upstream = row.upstream;
    into.upstreamLength = row.upstreamLength;
    into.time = row.time;
    into.until = 0;
    into.unseen = 0;
    into.stamp = row.lastUsed;
    into.version = row.version;
    return true;
  }

  /** Puts a decision in the place of a row of the open page. False if there is no room. */
  private put(
    row: Row | null,
    name: usize,
    state: DecisionState,
    upstream: usize,
    upstreamLength: i32,
    time: u64,
    stamp: u64,
    now: u64,
  ): bool {
    if (row) this.table.remove(row);
    let put = this.table.append(name, TICKET_KEY_LENGTH, upstream, upstreamLength);
    while (!put && this.dropLifted()) put = this.table.append(name, TICKET_KEY_LENGTH, upstream, upstreamLength);
    if (!put) return false;
    put.state = <u8>state;
    put.time = time;
    put.lastUsed = stamp;
    put.version = this.table.nextVersion(now);
    return true;
  }

  /** Drops the traces of the open page that are old. */
  private dropOld(seconds: u64): void {
    let row = this.table.first();
    while (row) {
      if (row.state == <u8>DecisionState.Lifted && seconds > row.time + LIFTED_KEPT_SECONDS) {
        this.table.remove(row);
        row = this.table.first();
      } else {
        row = this.table.after(row);
      }
    }
  }

  /** Drops the oldest trace of the open page; false if there is none. */
  private dropLifted(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      const isLifted = row.state == <u8>DecisionState.Lifted;
      if (isLifted && (!oldest || row.version < oldest.version)) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    this.table.remove(oldest);
    return true;
  }
}

function decisionOf(state: DecisionState): Decision {
  if (state == DecisionState.None) return Decision.None;
  return state == DecisionState.Refused ? Decision.Removal : Decision.Addition;
}

const UPSTREAM: usize = memory.data(MAX_UPSTREAM_LENGTH);
