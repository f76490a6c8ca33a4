/** Memory outside the garbage collector: its owner gives it back with `heap.free`. */

/** Allocates `size` bytes, 16-byte aligned, all zero. */
export function zeroed(size: usize): usize {
  const start = heap.alloc(size);
  memory.fill(start, 0, size);
  return start;
}
