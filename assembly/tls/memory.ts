/**
 * The memory of all live handshakes of this VM, counted: clients decide how many there are, so their sum has a bound.
 *
 * Promises: never more than `LIVE_MEMORY_MAX` bytes out in all, of which at most `REASSEMBLY_MEMORY_MAX` for reassembly; beyond,
 * allocation answers 0 and whoever asked does without. Blocks are zero and must be released with the size they were asked for. O(1),
 * unmanaged.
 */
import { LIVE_MEMORY_MAX, REASSEMBLY_MEMORY_MAX } from "./limits";

/** `size` bytes for the block of a handshake, or 0. */
export function allocateBlock(size: i32): usize {
  return live + size > LIVE_MEMORY_MAX ? 0 : allocate(size);
}

export function releaseBlock(block: usize, size: i32): void {
  live -= size;
  heap.free(block);
}

/** `size` bytes for a message that comes in pieces, or 0. */
export function allocateReassembly(size: i32): usize {
  if (reassembling + size > REASSEMBLY_MEMORY_MAX || live + size > LIVE_MEMORY_MAX) return 0;
  reassembling += size;
  return allocate(size);
}

export function releaseReassembly(block: usize, size: i32): void {
  reassembling -= size;
  releaseBlock(block, size);
}

/** Bytes that live handshakes hold now. */
export function liveHandshakeBytes(): i32 {
  return live;
}

function allocate(size: i32): usize {
  live += size;
  const block = heap.alloc(size);
  memory.fill(block, 0, size);
  return block;
}

let live: i32 = 0;
let reassembling: i32 = 0;
