/**
 * The live contexts of this virtual machine: context number -> root and state, in a hash table with linear probing outside
 * of collected memory. Finding, adding and removing are O(1) whatever the number of connections. The table doubles when it
 * is half full, and holds one entry for each live connection.
 *
 * Entry, 16 bytes: 0 u32 context (0 = empty), 4 u32 address of its root, 8 u32 state, 12 u32 whether its connection was seen to come.
 */
import { FINISHED, Root } from "./roots";

/** An entry, 16 bytes. */
@unmanaged
export class Context {
  /** 0 for an empty entry. */
  id: u32;
  rootAddress: u32;
  state: usize;
  /** Of a connection: whether the host has said that it has come. */
  isOpened: u32;

  /** The root lives as long as its contexts: the host ends them first. */
  @inline
  get root(): Root {
    return changetype<Root>(<usize>this.rootAddress);
  }
}

/** Returns the entry of a context, or null; valid until the next change of the table. */
export function findContext(id: u32): Context | null {
  let place = home(id);
  while (true) {
    const context = at(place);
    if (context.id == 0) return null;
    if (context.id == id) return context;
    place = (place + 1) & mask;
  }
}

export function addContext(id: u32, root: Root): void {
  if (id == 0 || findContext(id)) return;
  if ((count + 1) * 2 > mask + 1) grow();
  insert(id, <u32>changetype<usize>(root), FINISHED, 0);
  count++;
}

/** Removes an entry and closes its gap, so that searches may stop at the first empty place. */
export function removeContext(id: u32): void {
  const context = findContext(id);
  if (!context) return;
  let gap = <u32>((changetype<usize>(context) - table) / ENTRY_SIZE);
  let place = gap;
  at(gap).id = 0;
  count--;
  while (true) {
    place = (place + 1) & mask;
    const follower = at(place);
    if (follower.id == 0) return;
    const wanted = home(follower.id);
    // A follower may move into the gap if its home is not between the gap and itself.
    if (((place - wanted) & mask) < ((place - gap) & mask)) continue;
    memory.copy(changetype<usize>(at(gap)), changetype<usize>(follower), ENTRY_SIZE);
    follower.id = 0;
    gap = place;
  }
}

function grow(): void {
  const oldTable = table;
  const oldSize = mask + 1;
  const size = oldSize * 2;
  table = heap.alloc(<usize>size * ENTRY_SIZE);
  memory.fill(table, 0, <usize>size * ENTRY_SIZE);
  mask = size - 1;
  for (let place: u32 = 0; place < oldSize; place++) {
    const context = changetype<Context>(oldTable + <usize>place * ENTRY_SIZE);
    if (context.id != 0) insert(context.id, context.rootAddress, context.state, context.isOpened);
  }
  heap.free(oldTable);
}

function insert(id: u32, rootAddress: u32, state: usize, isOpened: u32): void {
  let place = home(id);
  while (at(place).id != 0) place = (place + 1) & mask;
  const context = at(place);
  context.id = id;
  context.rootAddress = rootAddress;
  context.state = state;
  context.isOpened = isOpened;
}

/** The host numbers contexts in sequence: multiplying by an odd number spreads them (Knuth 6.4). */
@inline
function home(id: u32): u32 {
  return (id * 0x9e3779b1) & mask;
}

/** The entry at a place. */
@inline
function at(place: u32): Context {
  return changetype<Context>(table + <usize>place * ENTRY_SIZE);
}

function firstTable(): usize {
  const bytes = <usize>INITIAL_SIZE * ENTRY_SIZE;
  const start = heap.alloc(bytes);
  memory.fill(start, 0, bytes);
  return start;
}

const ENTRY_SIZE: usize = 16;
const INITIAL_SIZE: u32 = 256;
let mask: u32 = INITIAL_SIZE - 1;
let count: u32 = 0;
let table: usize = firstTable();
