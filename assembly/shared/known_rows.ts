/**
 * The rows of a table (`table.ts`) that this virtual machine has looked up, absent ones as well: right for one epoch of
 * `changes.ts`. A fixed number of places, found by the hash of a name; names that share a place displace each other. A name
 * or a row that does not fit its place is not kept. Costs no host call, and allocates nothing after construction.
 */
import { zeroed } from "../bytes/zeroed";
import { Changes } from "./changes";
import { Row } from "./row";

export class KnownRows {
  private readonly places: usize;

  constructor(private readonly changes: Changes) {
    this.places = zeroed(PLACES * PLACE_SIZE);
  }

  free(): void {
    heap.free(this.places);
  }

  /** Whether a name was looked up in this epoch; then `rowAt` has its row. */
  knows(hash: u32, name: usize, nameLength: i32): bool {
    const place = this.placeOf(hash);
    if (place.epoch != this.changes.epoch || place.nameLength != nameLength) return false;
    return memory.compare(place.name, name, nameLength) == 0;
  }

  /** Returns the row of the name that `knows` was asked for with this hash, or null if the table has none. */
  rowAt(hash: u32): Row | null {
    const place = this.placeOf(hash);
    return place.hasRow != 0 ? place.row : null;
  }

  /** Keeps the row of a name, or null if the table has none, for this epoch. */
  keep(hash: u32, name: usize, nameLength: i32, row: Row | null): void {
    const rowSize: i32 = row ? row.size : 0;
    if (nameLength > NAME_CAPACITY || rowSize > ROW_CAPACITY) return;
    const place = this.placeOf(hash);
    place.epoch = this.changes.epoch;
    place.nameLength = nameLength;
    place.hasRow = row ? 1 : 0;
    memory.copy(place.name, name, nameLength);
    if (row) memory.copy(changetype<usize>(place.row), changetype<usize>(row), rowSize);
  }

  private placeOf(hash: u32): Place {
    return changetype<Place>(this.places + <usize>((hash % PLACES) * PLACE_SIZE));
  }
}

/** PLACE_SIZE bytes: these fields, at NAME_OFFSET the name, at ROW_OFFSET a copy of the row. */
@unmanaged
class Place {
  /** 0 if the place is empty. */
  epoch: u32;
  nameLength: i32;
  /** 1 if the table has such a row. */
  hasRow: u32;

  /** The address of the name. */
  @inline
  get name(): usize {
    return changetype<usize>(this) + NAME_OFFSET;
  }

  /** The copy. */
  @inline
  get row(): Row {
    return changetype<Row>(changetype<usize>(this) + ROW_OFFSET);
  }
}

const PLACES: u32 = 64;
const PLACE_SIZE: u32 = 256;
const NAME_OFFSET: usize = 16;
/** Host names are rarely longer; the name of a ticket key has 16 bytes. */
const NAME_CAPACITY: i32 = 64;
const ROW_OFFSET: usize = 80;
/** The fixed part of a row, such a name, and an address. */
const ROW_CAPACITY: i32 = 176;
