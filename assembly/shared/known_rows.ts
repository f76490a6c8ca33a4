/**
 * Rows of a table (`table.ts`) that this virtual machine has looked up, absent ones as well: right for one epoch of
 * `changes.ts`. A fixed number of places, found by the hash of a name; names that share a place displace each other.
 *
 * Layout of a place, PLACE_SIZE bytes: u32 epoch (0 = empty), u32 length of the name, u32 1 where there is such a row,
 * u32 zero, the name, then from ROW_OFFSET on a copy of the row. What does not fit is not kept.
 */
import { Changes } from "./changes";
import { Row } from "./row";

export class KnownRows {
  private readonly places: usize;

  constructor(private readonly changes: Changes) {
    const places = heap.alloc(PLACES * PLACE_SIZE);
    memory.fill(places, 0, PLACES * PLACE_SIZE);
    this.places = places;
  }

  free(): void {
    heap.free(this.places);
  }

  /** Whether it is known what a name has; then `rowAt` answers what. */
  knows(hash: u32, name: usize, nameLength: i32): bool {
    const place = this.placeOf(hash);
    if (load<u32>(place) != this.changes.epoch || load<i32>(place, 4) != nameLength) return false;
    return memory.compare(place + NAME_OFFSET, name, nameLength) == 0;
  }

  /** The row of the name that was asked for with this hash, or null where there is none. */
  rowAt(hash: u32): Row | null {
    const place = this.placeOf(hash);
    return load<u32>(place, 8) != 0 ? changetype<Row>(place + ROW_OFFSET) : null;
  }

  keep(hash: u32, name: usize, nameLength: i32, row: Row | null): void {
    const rowSize: i32 = row ? row.size : 0;
    if (nameLength > NAME_CAPACITY || rowSize > ROW_CAPACITY) return;
    const place = this.placeOf(hash);
    store<u32>(place, this.changes.epoch);
    store<i32>(place, nameLength, 4);
    store<u32>(place, row ? 1 : 0, 8);
    memory.copy(place + NAME_OFFSET, name, nameLength);
    if (row) memory.copy(place + ROW_OFFSET, changetype<usize>(row), rowSize);
  }

  private placeOf(hash: u32): usize {
    return this.places + <usize>((hash % PLACES) * PLACE_SIZE);
  }
}

const PLACES: u32 = 64;
const PLACE_SIZE: u32 = 256;
const NAME_OFFSET: usize = 16;
/** Names of hosts are rarely longer; a ticket key's has 16 bytes. */
const NAME_CAPACITY: i32 = 64;
const ROW_OFFSET: usize = 80;
/** The fixed part of a row, such a name, and an address. */
const ROW_CAPACITY: i32 = 176;
