/**
 * One change of a row against other writers of its page: TABLE_TRIES tries, each on the page as it is then.
 *
 *     change.begin();
 *     while (change.open(name, length)) {
 *       // edit the page
 *       if (change.store()) return done;
 *     }
 *     return notStored;
 *
 * Cost of a try: one read and one write of a page. One change at a time.
 */
import { StoreResult } from "../ports/shared_store";
import { Table, TABLE_TRIES } from "./table";

export class TableChange {
  private triesLeft: i32 = 0;

  constructor(private readonly table: Table) {}

  begin(): void {
    this.triesLeft = TABLE_TRIES;
  }

  /** Reads the page of a name for the next try; false if no try is left or the store does not answer. */
  open(name: usize, nameLength: i32): bool {
    return this.triesLeft-- > 0 && this.table.open(name, nameLength);
  }

  /** Stores the page. False: nothing was stored; only after a conflict with another writer is there one more try. */
  store(): bool {
    const result = this.table.commit();
    if (result != StoreResult.Conflict) this.triesLeft = 0;
    return result == StoreResult.Ok;
  }
}
