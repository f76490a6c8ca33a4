/**
 * Server names whose sessions are revoked: no session that was issued up to the second of the revocation resumes. Names are
 * compared without regard to case (RFC 4343).
 *
 * A revocation lasts until it is lifted, or until every ticket of before must have died: `lifetime` seconds, by both clocks
 * (`moment.ts`). A revocation that is over refuses nothing, is not shown, and the next one in its page takes its room. If
 * there is no room for one more, that is reported, and none is dropped. One of a version that knew no end lasts until it is
 * lifted or made again.
 *
 * A lifted revocation leaves a trace, which other proxies need (`told_decision.ts`): a row that is over. It gives way if its
 * page is full, and goes after LIFTED_KEPT_SECONDS. Which of a revocation and a lift holds, `stamp.ts` says: the revocation
 * is the removal, the lift the addition. Of two revocations, the later time and the later end count.
 *
 * In a row of the table (`table.ts`), `state` is one of `Unseen` or LIFTED, `lastUsed` the last second in which it refuses
 * (Unix seconds; 0: it has no end), and `count` the same by the machine's clock.
 */
import { lowerCase } from "../../bytes/ascii";
import { Clock } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table, TABLE_PAGES } from "../../shared/table";
import { TableChange } from "../../shared/table_change";
import { Applied } from "../record/applied";
import { MAX_AHEAD_SECONDS, Moment, narrow } from "../record/moment";
import { MAX_SNI_LENGTH } from "../record/session";
import { Decision, keyOf, LEAD_SECONDS, MAX_STAMP, stampAt, stampOn } from "../record/stamp";
import { DEFAULT_TICKET_LIFETIME } from "../settings/given_settings";
import { RemovalSet } from "../configured/removal_set";
import {
  DecisionState,
  endsLater,
  EXTRA_SIZE,
  laterEnd,
  LIFTED_KEPT_SECONDS,
  putExtra,
  stampOf,
  ToldDecision,
  toldTimeOf,
} from "./told_decision";

/** The effect of a revocation on a TLS 1.3 PSK that the cache does not hold and that shows another server name. */
export namespace Unseen {
  /** Nothing. */
  export const BY_NAME: u8 = 0;
  /** Refuses it: it may have been issued under the revoked name. */
  export const REFUSE: u8 = 1;
  /** In a call: keeps the value of before, BY_NAME at first. */
  export const AS_IT_IS: u8 = 2;
}

export const enum RevocationOutcome {
  Done = 0,
  /** Nothing to lift. */
  NotFound = 1,
  /** Not stored, for want of room or against other writers. */
  NotStored = 2,
}

export class Revocations {
  readonly table: Table;
  private readonly change: TableChange;
  /** Of the last revocation: its second, the last second in which it refuses, and one of `Unseen`. */
  time: u64 = 0;
  until: u64 = 0;
  unseen: u8 = Unseen.BY_NAME;
  /** Whether the last revoked name had been revoked before. */
  replaced: bool = false;
  private readonly moment: Moment;
  /** The epoch for which the table was surveyed, 0 for none. */
  private surveyed: u32 = 0;
  /** Names in force in the table that no configuration revokes. */
  private surveyedNames: u32 = 0;
  private anyInForce: bool = false;
  private anyRefusesUnseen: bool = false;
  /** The row that `nextDecision` has shown last, and whether it has shown none yet. */
  private shown: Row | null = null;
  private showsFirst: bool = false;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    clock: Clock,
    hash: KeyedHash,
    private readonly changes: Changes,
    /** Whatever configurations remove. */
    private readonly configured: RemovalSet = new RemovalSet(hash),
  ) {
    const table = new Table(cacheName, "revocations", sharedStore, hash, changes);
    this.table = table;
    this.change = new TableChange(table);
    this.moment = new Moment(clock);
  }

  free(): void {
    this.table.free();
  }

  /** The name of the last call, in lower case: valid until the next. */
  get name(): usize {
    return NAME;
  }

  /** The second in which a name was revoked, 0 if it is not; as of the last `Changes.refresh`. */
  revokedAt(sni: usize, sniLength: i32): u64 {
    if (sniLength <= 0 || sniLength > MAX_SNI_LENGTH) return 0;
    lower(sni, sniLength);
    const row = this.table.look(NAME, sniLength);
    const time = row && this.isInForce(row) ? row.time : 0;
    return max(time, this.configured.revokedAt(sni, sniLength));
  }

  /**
   * Whether any name is revoked; as of the last `Changes.refresh`. Costs a read of each page of the table once for each
   * epoch of `Changes`, then nothing. Rows that were looked up before are not valid any more.
   */
  inForce(): bool {
    if (this.configured.revokesNames) return true;
    this.survey();
    return this.anyInForce;
  }

  /** Returns the number of revoked names. Costs as `inForce`. */
  countInForce(): u32 {
    this.survey();
    return this.surveyedNames + this.configured.serverNames;
  }

  /**
   * Whether any of them refuses PSKs that nobody has seen, whatever name they show (`Unseen.REFUSE`). Costs as `inForce`.
   */
  refusesUnseen(): bool {
    this.survey();
    return this.anyRefusesUnseen;
  }

  /** Whether a row of the table still refuses. */
  isInForce(row: Row): bool {
    this.moment.take();
    return !this.isOver(row);
  }

  /** Revokes sessions that were issued up to now. If the name was revoked before, it is so again, and no time moves back. */
  revoke(
    sni: usize,
    sniLength: i32,
    lifetime: u32 = DEFAULT_TICKET_LIFETIME,
    unseen: u8 = Unseen.AS_IT_IS,
  ): RevocationOutcome {
    lower(sni, sniLength);
    this.change.begin();
    while (this.change.open(NAME, sniLength)) {
      this.dropEnded();
      const row: Row | null = this.table.find(NAME, sniLength);
      const revoked = row && isRevoked(row) ? row : null;
      this.replaced = revoked != null;
      const now = this.moment.seconds;
      // A clock that was set back must not weaken a revocation.
      const time = revoked ? max(now, revoked.time) : now;
      const until = revoked ? max(revoked.lastUsed, time + <u64>lifetime) : time + <u64>lifetime;
      const monotonicUntil = max(revoked ? revoked.count : 0, narrow(this.moment.monotonicAt(now + <u64>lifetime)));
      const before = revoked ? revoked.state : Unseen.BY_NAME;
      const state = unseen == Unseen.AS_IT_IS ? before : unseen;
      if (!this.putOnTop(row, sniLength, Decision.Removal, state, time, until, monotonicUntil)) break;
      this.time = time;
      this.until = until;
      this.unseen = state;
      if (!this.change.store()) continue;
      this.changes.announce();
      return RevocationOutcome.Done;
    }
    return RevocationOutcome.NotStored;
  }

  /**
   * Takes in a revocation of another cache, with its own time and end (Unix seconds). If the name is revoked here, the later
   * time and the later end count, and the stricter `Unseen`; `replaced` tells whether anything has changed.
   */
  takeIn(sni: usize, sniLength: i32, time: u64, until: u64, unseen: u8): RevocationOutcome {
    lower(sni, sniLength);
    this.change.begin();
    while (this.change.open(NAME, sniLength)) {
      this.dropEnded();
      const row: Row | null = this.table.find(NAME, sniLength);
      const revoked = row && isRevoked(row) ? row : null;
      this.replaced = true;
      if (revoked && revoked.time >= time && revoked.lastUsed >= until && revoked.state >= unseen) {
        this.replaced = false;
        return RevocationOutcome.Done;
      }
      const monotonicUntil = narrow(this.moment.monotonicAt(until));
      const isPut = this.putOnTop(
        row,
        sniLength,
        Decision.Removal,
        revoked ? max(revoked.state, unseen) : unseen,
        revoked ? max(revoked.time, time) : time,
        revoked ? max(revoked.lastUsed, until) : until,
        revoked ? max(revoked.count, monotonicUntil) : monotonicUntil,
      );
      if (!isPut) break;
      if (!this.change.store()) continue;
      this.changes.announce();
      return RevocationOutcome.Done;
    }
    return RevocationOutcome.NotStored;
  }

  lift(sni: usize, sniLength: i32): RevocationOutcome {
    lower(sni, sniLength);
    this.change.begin();
    while (this.change.open(NAME, sniLength)) {
      this.dropEnded();
      const row = this.table.find(NAME, sniLength);
      if (!row || !isRevoked(row)) return RevocationOutcome.NotFound;
      const stamp = stampOn(stampAt(this.moment.nanoseconds), Decision.Addition, Decision.Removal, stampOf(row));
      this.putLifted(row, sniLength, this.moment.seconds, stamp);
      if (!this.change.store()) continue;
      this.changes.announce();
      return RevocationOutcome.Done;
    }
    return RevocationOutcome.NotStored;
  }

  /**
   * Applies a revocation of another proxy: sessions that were issued up to `time` do not resume until the end of `until` (Unix
   * seconds; 0 = no end). If it is heard within LEAD_SECONDS of its time, sessions of the moment count as issued before it;
   * else those up to LEAD_SECONDS after it. So none slips through a clock that is off by up to that.
   */
  applyRevocation(sni: usize, sniLength: i32, time: u64, until: u64, unseen: u8, stamp: u64): Applied {
    if (sniLength <= 0 || sniLength > MAX_SNI_LENGTH || stamp > MAX_STAMP) return Applied.Older;
    lower(sni, sniLength);
    this.change.begin();
    while (this.change.open(NAME, sniLength)) {
      this.dropEnded();
      const now = this.moment.seconds;
      if (until != 0 && now > until) return Applied.Older;
      const row: Row | null = this.table.find(NAME, sniLength);
      const told = min(time, now + MAX_AHEAD_SECONDS);
      const isInTime = told <= now + LEAD_SECONDS && now <= told + LEAD_SECONDS;
      let reach = isInTime ? max(told, now) : told + LEAD_SECONDS;
      let monotonicUntil = until == 0 ? 0 : narrow(this.moment.monotonicAt(until));
      let state = unseen == Unseen.REFUSE ? Unseen.REFUSE : Unseen.BY_NAME;
      let toldTime = told;
      let toldUntil = until;
      let holds = stamp;
      if (row && !isRevoked(row)) {
        if (stampOf(row) > keyOf(Decision.Removal, stamp)) return Applied.Older;
      } else if (row) {
        const own = stampOf(row);
        const isLater = endsLater(until, row.lastUsed);
        const isNewer = told > toldTimeOf(row);
        const isStricter = own == stamp && state > row.state;
        if (stamp <= own && !isLater && !isNewer && !isStricter) return Applied.Older;
        if (stamp < own || (stamp == own && row.state > state)) state = row.state;
        reach = isNewer ? max(reach, row.time) : row.time;
        toldTime = max(told, toldTimeOf(row));
        toldUntil = laterEnd(until, row.lastUsed);
        monotonicUntil = toldUntil == 0 ? 0 : max(monotonicUntil, row.count);
        // Whatever is neither the one nor the other is a decision of its own, so that others hear of it.
        const isMixed = stamp < own || state > unseen || endsLater(row.lastUsed, until) || toldTimeOf(row) > told;
        holds = isMixed ? min(max(stamp, own) + 1, MAX_STAMP) : stamp;
      }
      const put = this.putRow(row, sniLength, EXTRA_SIZE);
      if (!put) return Applied.NoRoom;
      put.state = state;
      put.time = reach;
      put.lastUsed = toldUntil;
      put.count = monotonicUntil;
      put.version = this.table.nextVersion(this.moment.nanoseconds);
      putExtra(put, holds, toldTime);
      if (!this.change.store()) continue;
      this.changes.announce();
      return Applied.Stored;
    }
    return Applied.Failed;
  }

  /** Applies a lift of another proxy. A name that is not revoked here keeps its trace for a revocation that comes later. */
  applyLift(sni: usize, sniLength: i32, time: u64, stamp: u64): Applied {
    if (sniLength <= 0 || sniLength > MAX_SNI_LENGTH || stamp > MAX_STAMP) return Applied.Older;
    lower(sni, sniLength);
    this.change.begin();
    while (this.change.open(NAME, sniLength)) {
      this.dropEnded();
      const now = this.moment.seconds;
      if (time + LIFTED_KEPT_SECONDS < now) return Applied.Older;
      const row = this.table.find(NAME, sniLength);
      if (row) {
        const own = stampOf(row);
        if (stamp <= (isRevoked(row) ? keyOf(Decision.Removal, own) : own)) return Applied.Older;
      }
      if (!this.putLifted(row, sniLength, min(time, now + MAX_AHEAD_SECONDS), stamp)) {
        if (!row) return Applied.NoRoom;
      }
      if (!this.change.store()) continue;
      this.changes.announce();
      return Applied.Stored;
    }
    return Applied.Failed;
  }

  /** Opens a page, below TABLE_PAGES, for `nextDecision`; false if the store does not answer. */
  openDecisions(page: u32): bool {
    this.moment.take();
    this.shown = null;
    this.showsFirst = true;
    return this.table.openPage(page);
  }

  /**
   * Moves to the next decision of the page whose version is greater than `after`, in force or lifted; false if there is none.
   * Nothing else may use a table meanwhile.
   */
  nextDecision(after: u64, into: ToldDecision): bool {
    const shown = this.shown;
    let row: Row | null = shown ? this.table.after(shown) : this.showsFirst ? this.table.first() : null;
    this.showsFirst = false;
    while (row && (row.version <= after || (isRevoked(row) && this.isOver(row)))) row = this.table.after(row);
    this.shown = row;
    if (!row) return false;
    into.state = isRevoked(row) ? DecisionState.Refused : DecisionState.Lifted;
    into.name = row.name;
    into.nameLength = row.nameLength;
    into.upstream = 0;
    into.upstreamLength = 0;
    into.time = toldTimeOf(row);
    into.until = isRevoked(row) ? row.lastUsed : 0;
    into.unseen = isRevoked(row) ? row.state : Unseen.BY_NAME;
    into.stamp = stampOf(row);
    into.version = row.version;
    return true;
  }

  /** When a row's revocation was lifted (Unix seconds), 0 if it was not. */
  liftedAt(row: Row): u64 {
    return isRevoked(row) ? 0 : toldTimeOf(row);
  }

  /** Puts a decision that is made here in the place of a row of the open page. False if there is no room. */
  private putOnTop(
    row: Row | null,
    nameLength: i32,
    decision: Decision,
    state: u8,
    time: u64,
    until: u64,
    monotonicUntil: u32,
  ): bool {
    const before = row ? (isRevoked(row) ? Decision.Removal : Decision.Addition) : Decision.None;
    const stampBefore = row ? stampOf(row) : 0;
    const version = this.table.nextVersion(this.moment.nanoseconds);
    const stamp = stampOn(stampAt(version), decision, before, stampBefore);
    const isPlain = stamp == stampAt(version);
    const put = this.putRow(row, nameLength, isPlain ? 0 : EXTRA_SIZE);
    if (!put) return false;
    put.state = state;
    put.time = time;
    put.lastUsed = until;
    put.count = monotonicUntil;
    put.version = version;
    if (!isPlain) putExtra(put, stamp, time);
    return true;
  }

  /** Makes a row the trace of a lift, or makes one. False if there is no room: then no row is left. */
  private putLifted(row: Row | null, nameLength: i32, time: u64, stamp: u64): bool {
    const revokedAt = row ? row.time : time;
    const put = this.putRow(row, nameLength, EXTRA_SIZE);
    if (!put) return false;
    put.state = LIFTED;
    put.time = revokedAt;
    put.lastUsed = LONG_OVER;
    put.count = 0;
    put.version = this.table.nextVersion(this.moment.nanoseconds);
    putExtra(put, stamp, time);
    return true;
  }

  /**
   * Returns a row of the name with so many bytes in the place of an upstream: the given one of the open page, or one in its
   * place. Lifted rows give way. Null if there is no room; then no row of the name is left.
   */
  private putRow(row: Row | null, nameLength: i32, extraSize: i32): Row | null {
    if (row && row.upstreamLength == <u8>extraSize) return row;
    if (row) this.table.remove(row);
    let put = this.table.append(NAME, nameLength, NOTHING, extraSize);
    while (!put && this.dropLifted()) put = this.table.append(NAME, nameLength, NOTHING, extraSize);
    return put;
  }

  /** Drops the lifted row of the open page that is oldest; false if there is none. */
  private dropLifted(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      if (!isRevoked(row) && (!oldest || row.version < oldest.version)) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    this.table.remove(oldest);
    return true;
  }

  /** Reads the whole table, once in each epoch. If it cannot be read, the last survey stays. */
  private survey(): void {
    const epoch = this.changes.epoch;
    if (this.surveyed == epoch) return;
    this.moment.take();
    let inForce = false;
    let refusesUnseen = false;
    let names: u32 = 0;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      if (!this.table.openPage(number)) return;
      let row = this.table.first();
      while (row) {
        const counts = !this.isOver(row);
        if (counts) inForce = true;
        if (counts && this.configured.revokedAt(row.name, row.nameLength) == 0) names++;
        if (counts && row.state == Unseen.REFUSE) refusesUnseen = true;
        row = this.table.after(row);
      }
    }
    this.surveyedNames = names;
    this.anyInForce = inForce;
    this.anyRefusesUnseen = refusesUnseen;
    this.surveyed = epoch;
  }

  /** Takes the present moment, and removes the revocations of the open page that are over, and traces that are old. */
  private dropEnded(): void {
    this.moment.take();
    let row = this.table.first();
    while (row) {
      if (isRevoked(row) ? this.isOver(row) : this.moment.seconds > toldTimeOf(row) + LIFTED_KEPT_SECONDS) {
        this.table.remove(row);
        row = this.table.first();
      } else {
        row = this.table.after(row);
      }
    }
  }

  private isOver(row: Row): bool {
    return row.lastUsed != 0 && this.moment.isOver(row.lastUsed, row.count);
  }
}

/** Whether a row is a revocation; else it is the trace of one that was lifted. */
function isRevoked(row: Row): bool {
  return row.state != LIFTED;
}

/** Copies a name to NAME in lower case. The caller has checked its length. */
function lower(sni: usize, sniLength: i32): void {
  memory.copy(NAME, sni, sniLength);
  lowerCase(NAME, sniLength);
}

/** The state of a row whose revocation was lifted. */
const LIFTED: u8 = 0x80;
/** Unix seconds: earlier modules take a lifted row for a revocation that is over, and drop it. */
const LONG_OVER: u64 = 1;
const NAME: usize = memory.data(256);
/** EXTRA_SIZE bytes of zeros. */
const NOTHING: usize = memory.data(16);
