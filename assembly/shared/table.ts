/**
 * A small table of named rows in the shared store: ticket keys, revoked server names, issuers. Rows are spread over
 * TABLE_PAGES pages by the hash of their name. A page is read, edited and replaced whole, with compare-and-set.
 *
 * Bounds: TABLE_PAGES pages of PAGE_CAPACITY bytes, about 3,000 rows. Cost: one read for a look at a row that is not known,
 * one read and one write for a change. Nothing allocates or traps; a page that is not well-formed reads as empty.
 */
import { SharedStore, StoreResult } from "../ports/shared_store";
import { Changes } from "./changes";
import { KeyedHash } from "./keyed_hash";
import { KnownRows } from "./known_rows";
import { Row, ROW_FIXED_SIZE } from "./row";
import { StoredValue } from "./stored_value";

export class Table {
  private readonly value: StoredValue;
  private readonly known: KnownRows;

  constructor(
    cacheName: string,
    family: string,
    sharedStore: SharedStore,
    private readonly hash: KeyedHash,
    changes: Changes,
  ) {
    this.value = new StoredValue(cacheName, family, sharedStore);
    this.known = new KnownRows(changes);
  }

  free(): void {
    this.value.free();
    this.known.free();
  }

  /** Reads the page in which a name lives; false if the store does not answer. Rows are valid until the next read. */
  open(name: usize, nameLength: i32): bool {
    return this.openPage(this.hashOf(name, nameLength) & (TABLE_PAGES - 1));
  }

  hashOf(name: usize, nameLength: i32): u32 {
    return this.hash.of(name, nameLength);
  }

  /** Returns the row of a name as of the last `Changes.refresh`, or null; valid until the next use of any table. */
  look(name: usize, nameLength: i32): Row | null {
    const hash = this.hashOf(name, nameLength);
    // The pages take the hash's lowest bits: the places take others.
    const place = hash >> 8;
    const known = this.known;
    if (known.knows(place, name, nameLength)) return known.rowAt(place);
    if (!this.openPage(hash & (TABLE_PAGES - 1))) return null;
    const row = this.find(name, nameLength);
    known.keep(place, name, nameLength, row);
    return row;
  }

  /** Reads a page by its number, below TABLE_PAGES. */
  openPage(number: u32): bool {
    const value = this.value;
    value.select(number);
    const result = value.read(PAGE_BYTES, PAGE_CAPACITY);
    if (value.exists && PAGE.used >= <u32>HEADER_SIZE && PAGE.used <= <u32>value.length) return true;
    memory.fill(PAGE_BYTES, 0, HEADER_SIZE);
    PAGE.used = HEADER_SIZE;
    return value.exists || result == StoreResult.Absent;
  }

  /** Finds the row of a name in the page that is open. */
  find(name: usize, nameLength: i32): Row | null {
    let row = this.first();
    while (row) {
      if (row.nameLength == <u8>nameLength && memory.compare(row.name, name, nameLength) == 0) return row;
      row = this.after(row);
    }
    return null;
  }

  first(): Row | null {
    return this.at(PAGE_BYTES + HEADER_SIZE);
  }

  after(row: Row): Row | null {
    return this.at(changetype<usize>(row) + <usize>row.size);
  }

  /** Appends a row of zeros with its name and upstream; null if the page has no room. */
  append(name: usize, nameLength: i32, upstream: usize, upstreamLength: i32): Row | null {
    const size = ROW_FIXED_SIZE + nameLength + upstreamLength;
    const used = PAGE.used;
    if (<i32>used + size > PAGE_CAPACITY) return null;
    const row = changetype<Row>(PAGE_BYTES + <usize>used);
    memory.fill(changetype<usize>(row), 0, ROW_FIXED_SIZE);
    row.size = <u16>size;
    row.nameLength = <u8>nameLength;
    row.upstreamLength = <u8>upstreamLength;
    memory.copy(row.name, name, nameLength);
    memory.copy(row.upstream, upstream, upstreamLength);
    PAGE.used = used + <u32>size;
    return row;
  }

  remove(row: Row): void {
    const start = changetype<usize>(row);
    const size = <usize>row.size;
    memory.copy(start, start + size, PAGE_BYTES + <usize>PAGE.used - start - size);
    PAGE.used -= <u32>size;
  }

  /** Returns a version for a change of the page, greater than all before. */
  nextVersion(nowNanoseconds: u64): u64 {
    const next = PAGE.lastVersion + 1;
    const version = nowNanoseconds > next ? nowNanoseconds : next;
    PAGE.lastVersion = version;
    return version;
  }

  /** Stores the page that is open. With `Conflict` nothing was stored: open again and retry. */
  commit(): StoreResult {
    // In steps, so the host rarely needs other memory for it; a look at a small table copies little.
    const length = min(<i32>(PAGE.used | LENGTH_STEP), PAGE_CAPACITY);
    return this.value.put(PAGE_BYTES, length);
  }

  /** The row at an address, or null if the page ends or is not well-formed there. */
  private at(address: usize): Row | null {
    const end = PAGE_BYTES + <usize>PAGE.used;
    if (address + ROW_FIXED_SIZE > end) return null;
    const row = changetype<Row>(address);
    const size = ROW_FIXED_SIZE + <i32>row.nameLength + <i32>row.upstreamLength;
    return <i32>row.size == size && address + <usize>size <= end ? row : null;
  }
}

/** The header of a page, HEADER_SIZE bytes, little-endian; the rows follow it. */
@unmanaged
class TablePage {
  /** Bytes, this header included. */
  used: u32;
  private zero: u32;
  lastVersion: u64;
}

/** A power of two. */
export const TABLE_PAGES: u32 = 64;
/** Tries of one change against other writers of its page. */
export const TABLE_TRIES: i32 = 32;
const PAGE_CAPACITY: i32 = 4095;
/** A page is one byte shorter than a multiple of one more than this, as its host adds one. */
const LENGTH_STEP: u32 = 511;
const HEADER_SIZE: i32 = 16;
/** The page that is open; all tables of a virtual machine share it. */
const PAGE_BYTES: usize = memory.data(4096, 8);
const PAGE: TablePage = changetype<TablePage>(PAGE_BYTES);
