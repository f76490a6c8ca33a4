/**
 * How many resumptions were lost and refused by upstream, over all machines of a cache. Lost: of the sessions that it has
 * issued, those that another upstream declined. Refused: of the resumptions that it answered, those that were refused on
 * the wire. The path of a connection counts in memory (`fresh_counts.ts`); ticks add the counts to rows of the store.
 *
 * Nothing is lost silently. A row without a name takes the counts of unknown upstreams, of those that found no place in
 * memory, and of those whose rows gave way: so all rows together sum up to the metrics `lost` and `refused`. Counts that
 * could not be written are written with a later tick. A machine that traps loses its counts since its last tick.
 *
 * Shared rows (`table.ts`), named by the upstream's address. In the place of the upstream: `UpstreamSums`. Time: of the last
 * count. If a page is full, the oldest row gives way to a new one, and the page's row without a name takes its sums.
 *
 * Cost on the path of a connection: that of `FreshCounts`. Of a tick: nothing if nothing was counted, else a read and a
 * write for each upstream, WRITTEN_A_TICK of them at most.
 */
import { Clock } from "../../ports/clock";
import { SharedStore } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { Row } from "../../shared/row";
import { Table } from "../../shared/table";
import { TableChange } from "../../shared/table_change";
import { FreshCount, FreshCounts } from "./fresh_counts";

export class UpstreamTally {
  readonly table: Table;
  private readonly change: TableChange;
  private readonly fresh: FreshCounts;

  constructor(
    cacheName: string,
    sharedStore: SharedStore,
    private readonly clock: Clock,
    hash: KeyedHash,
    changes: Changes,
  ) {
    const table = new Table(cacheName, "upstream_tally", sharedStore, hash, changes);
    this.table = table;
    this.change = new TableChange(table);
    this.fresh = new FreshCounts(hash);
  }

  free(): void {
    this.write(i32.MAX_VALUE);
    this.table.free();
    this.fresh.free();
  }

  /** Counts a session of an upstream that another one has declined. */
  countLost(upstream: usize, length: i32): void {
    const place = this.fresh.placeFor(upstream, length);
    place.lost++;
  }

  /** Counts a refused resumption; the length is 0 if its upstream is not known. */
  countRefused(upstream: usize, length: i32): void {
    const place = this.fresh.placeFor(upstream, length);
    place.refused++;
  }

  /** Writes counts; to be called several times a second. */
  tick(): void {
    this.write(WRITTEN_A_TICK);
  }

  private write(most: i32): void {
    for (let i = 0; i < most; i++) {
      const place = this.fresh.nextInUse();
      // If the store does not take one, it hardly takes the others: they wait for the next tick.
      if (!place || !this.add(place)) return;
      place.clear();
    }
  }

  /** Adds the counts of a place to its row; false if they were not stored. */
  private add(place: FreshCount): bool {
    this.change.begin();
    while (this.change.open(place.address, place.length)) {
      const row = this.openRow(place.address, place.length);
      if (!row) return false;
      const sums = changetype<UpstreamSums>(row.upstream);
      sums.lost += place.lost;
      sums.refused += place.refused;
      row.time = this.clock.nowSeconds();
      if (this.change.store()) return true;
    }
    return false;
  }

  /** Finds or appends a row in the page that is open; null if no room could be made. */
  private openRow(address: usize, length: i32): Row | null {
    const row = this.table.find(address, length);
    if (row && sumsOf(row)) return row;
    if (row) this.table.remove(row);
    let made = this.append(address, length);
    while (!made && this.mergeOldest()) made = this.append(address, length);
    return made;
  }

  private append(address: usize, length: i32): Row | null {
    return this.table.append(address, length, ZEROS, UPSTREAM_SUMS_SIZE);
  }

  /** Adds the sums of the page's oldest row to its row without a name, in whose favour it gives way. */
  private mergeOldest(): bool {
    let oldest: Row | null = null;
    let row = this.table.first();
    while (row) {
      if (row.nameLength > 0 && (!oldest || row.time < oldest.time)) oldest = row;
      row = this.table.after(row);
    }
    if (!oldest) return false;
    const sums = sumsOf(oldest);
    const lost: u64 = sums ? sums.lost : 0;
    const refused: u64 = sums ? sums.refused : 0;
    this.table.remove(oldest);
    // The row that was removed was longer, so there is room.
    const rest = this.openRow(ZEROS, 0);
    if (!rest) return false;
    const restSums = changetype<UpstreamSums>(rest.upstream);
    restSums.lost += lost;
    restSums.refused += refused;
    return true;
  }
}

/** UPSTREAM_SUMS_SIZE bytes of a row, in the place of its upstream. */
@unmanaged
export class UpstreamSums {
  lost: u64;
  refused: u64;
}

/** Returns the sums in a row; null if it has none. */
export function sumsOf(row: Row): UpstreamSums | null {
  return <i32>row.upstreamLength >= UPSTREAM_SUMS_SIZE ? changetype<UpstreamSums>(row.upstream) : null;
}

const WRITTEN_A_TICK: i32 = 32;
const UPSTREAM_SUMS_SIZE: i32 = offsetof<UpstreamSums>();
const ZEROS: usize = memory.data(UPSTREAM_SUMS_SIZE, 8);
