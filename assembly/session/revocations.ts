/**
 * Server names whose sessions are revoked: no session that was issued up to the second of the revocation resumes. Names
 * are compared without regard to case (RFC 4343). A revocation lasts until it is lifted; when the table has no room for
 * one more, that is said, and none is dropped.
 */
import { Clock } from "../ports/clock";
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Changes } from "./changes";
import { KeyedHash } from "./keyed_hash";
import { KnownRows } from "./known_rows";
import { MAX_SNI_LENGTH } from "./session";
import { Row, Table, TABLE_TRIES } from "./table";

export const enum RevocationOutcome {
  Done = 0,
  /** Of a lifting: there was none. */
  NotFound = 1,
  /** It could not be stored, for want of room or against other writers. */
  NotStored = 2,
}

export class Revocations {
  readonly table: Table;
  private readonly known: KnownRows;
  /** Second of the revocation that was put last. */
  time: u64 = 0;
  /** Whether the name that was put last had been revoked before. */
  replaced: bool = false;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    hash: KeyedHash,
    private readonly changes: Changes,
  ) {
    this.table = new Table(cacheName, "revocations", sharedStore, hash);
    this.known = new KnownRows(changes);
  }

  free(): void {
    this.table.free();
    this.known.free();
  }

  /** The second in which a name was revoked, 0 where it is not; as of the last `Changes.refresh`. */
  revokedAt(sni: usize, sniLength: i32): u64 {
    if (sniLength <= 0 || sniLength > MAX_SNI_LENGTH) return 0;
    lower(sni, sniLength);
    const row = this.table.look(this.known, NAME, sniLength);
    return row ? row.time : 0;
  }

  /** Revokes what was issued up to now; again, where it was revoked before. */
  revoke(sni: usize, sniLength: i32): RevocationOutcome {
    lower(sni, sniLength);
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(NAME, sniLength)) break;
      let row: Row | null = this.table.find(NAME, sniLength);
      this.replaced = row != null;
      if (!row) row = this.table.append(NAME, sniLength, 0, 0);
      if (!row) break;
      const now = this.clock.nowSeconds();
      // A clock that was set back must not weaken a revocation.
      if (now > row.time) row.time = now;
      row.version = this.table.nextVersion(this.clock.nowNanoseconds());
      this.time = row.time;
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        this.changes.announce();
        return RevocationOutcome.Done;
      }
      if (result != StoreResult.Conflict) break;
    }
    return RevocationOutcome.NotStored;
  }

  lift(sni: usize, sniLength: i32): RevocationOutcome {
    lower(sni, sniLength);
    for (let attempt = 0; attempt < TABLE_TRIES; attempt++) {
      if (!this.table.open(NAME, sniLength)) break;
      const row = this.table.find(NAME, sniLength);
      if (!row) return RevocationOutcome.NotFound;
      this.table.remove(row);
      const result = this.table.commit();
      if (result == StoreResult.Ok) {
        this.changes.announce();
        return RevocationOutcome.Done;
      }
      if (result != StoreResult.Conflict) break;
    }
    return RevocationOutcome.NotStored;
  }
}

/** Copies a name to NAME in lower case. The caller has checked its length. */
function lower(sni: usize, sniLength: i32): void {
  for (let i: i32 = 0; i < sniLength; i++) {
    const byte = load<u8>(sni + i);
    store<u8>(NAME + i, byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
  }
}

const NAME: usize = memory.data(256);
