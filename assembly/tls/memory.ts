/**
 * The memory of all live handshakes of this VM, counted: clients decide how many there are, so their sum has a bound.
 *
 * Promises: never more than `MAX_LIVE_MEMORY` bytes of ordinary blocks. Never more than `MAX_RESERVE_MEMORY` for refusing
 * beyond them: small blocks, and answers of servers that are held back. Beyond a bound, allocation returns 0 and the caller
 * does without. Blocks are zero and must be released with the size that they were allocated with. O(1), unmanaged.
 */
import { MAX_LIVE_MEMORY, MAX_RESERVE_MEMORY } from "./wire/limits";

/** `size` bytes for the block of a handshake, or 0. */
export function allocateBlock(size: i32): usize {
  if (live + size > MAX_LIVE_MEMORY) return 0;
  live += size;
  return zeroed(size);
}

export function releaseBlock(block: usize, size: i32): void {
  live -= size;
  heap.free(block);
}

/** `size` bytes of the reserve, or 0. */
export function allocateReserve(size: i32): usize {
  if (reserve + size > MAX_RESERVE_MEMORY) return 0;
  reserve += size;
  return zeroed(size);
}

export function releaseReserve(block: usize, size: i32): void {
  reserve -= size;
  heap.free(block);
}

/** Bytes that live handshakes hold now, the reserve included. */
export function liveHandshakeBytes(): i32 {
  return live + reserve;
}

function zeroed(size: i32): usize {
  const block = heap.alloc(size);
  memory.fill(block, 0, size);
  return block;
}

let live: i32 = 0;
let reserve: i32 = 0;
