/**
 * Server names whose sessions are revoked: no session that was issued up to the second of the revocation resumes. Names are
 * compared without regard to case (RFC 4343).
 *
 * A revocation lasts until it is lifted, or until every ticket of before must have died: `lifetime` seconds, by both clocks
 * (`moment.ts`). A revocation that is over refuses nothing, is not shown, and the next one in its page takes its room. If
 * there is no room for one more, that is reported, and none is dropped. One of a version that knew no end lasts until it is
 * lifted or made again.
 *
 * In a row of the table (`table.ts`), `state` is one of `Unseen`, `lastUsed` the last second in which it refuses (Unix
 * seconds; 0: it has no end), and `count` the same by the machine's clock.
 */
import { lowerCase } from "../../bytes/ascii";
import { Clock } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table, TABLE_PAGES } from "../../shared/table";
import { Moment, narrow } from "../record/moment";
import { MAX_SNI_LENGTH } from "../record/session";
import { DEFAULT_TICKET_LIFETIME } from "../settings/given_settings";
import { RemovalSet } from "../configured/removal_set";
import { TableChange } from "./table_change";

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
  private anyInForce: bool = false;
  private anyRefusesUnseen: bool = false;

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
      let row: Row | null = this.table.find(NAME, sniLength);
      this.replaced = row != null;
      if (!row) row = this.table.append(NAME, sniLength, 0, 0);
      if (!row) break;
      const now = this.moment.seconds;
      // A clock that was set back must not weaken a revocation.
      if (now > row.time) row.time = now;
      row.lastUsed = max(row.lastUsed, row.time + <u64>lifetime);
      row.count = max(row.count, narrow(this.moment.monotonicAt(now + <u64>lifetime)));
      if (unseen != Unseen.AS_IT_IS) row.state = unseen;
      row.version = this.table.nextVersion(this.moment.nanoseconds);
      this.time = row.time;
      this.until = row.lastUsed;
      this.unseen = row.state;
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
      let row: Row | null = this.table.find(NAME, sniLength);
      this.replaced = true;
      if (row && row.time >= time && row.lastUsed >= until && row.state >= unseen) {
        this.replaced = false;
        return RevocationOutcome.Done;
      }
      if (!row) row = this.table.append(NAME, sniLength, 0, 0);
      if (!row) break;
      row.time = max(row.time, time);
      row.lastUsed = max(row.lastUsed, until);
      row.count = max(row.count, narrow(this.moment.monotonicAt(until)));
      row.state = max(row.state, unseen);
      row.version = this.table.nextVersion(this.moment.nanoseconds);
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
      if (!row) return RevocationOutcome.NotFound;
      this.table.remove(row);
      if (!this.change.store()) continue;
      this.changes.announce();
      return RevocationOutcome.Done;
    }
    return RevocationOutcome.NotStored;
  }

  /** Reads the whole table, once in each epoch. If it cannot be read, the last survey stays. */
  private survey(): void {
    const epoch = this.changes.epoch;
    if (this.surveyed == epoch) return;
    this.moment.take();
    let inForce = false;
    let refusesUnseen = false;
    for (let number: u32 = 0; number < TABLE_PAGES; number++) {
      if (!this.table.openPage(number)) return;
      let row = this.table.first();
      while (row) {
        const counts = !this.isOver(row);
        if (counts) inForce = true;
        if (counts && row.state == Unseen.REFUSE) refusesUnseen = true;
        row = this.table.after(row);
      }
    }
    this.anyInForce = inForce;
    this.anyRefusesUnseen = refusesUnseen;
    this.surveyed = epoch;
  }

  /** Takes the present moment, and removes the revocations of the open page that are over. */
  private dropEnded(): void {
    this.moment.take();
    let row = this.table.first();
    while (row) {
      if (this.isOver(row)) {
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

/** Copies a name to NAME in lower case. The caller has checked its length. */
function lower(sni: usize, sniLength: i32): void {
  memory.copy(NAME, sni, sniLength);
  lowerCase(NAME, sniLength);
}

const NAME: usize = memory.data(256);
