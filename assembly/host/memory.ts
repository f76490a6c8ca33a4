/**
 * How values of the host get into linear memory. The host asks this module for room for each value. The caller of a host
 * function has announced a buffer, so the value lands there at once: nothing is allocated, copied twice or left to be
 * collected. A value that is longer than the buffer is refused.
 */

/** Announces the buffer for the host's next value. */
export function receiveInto(buffer: usize, capacity: i32): void {
  target = buffer;
  targetCapacity = capacity;
  overflowed = false;
}

/** Reports whether the last value did not fit its buffer. */
export function receiveOverflowed(): bool {
  return overflowed;
}

/** Returns the length in bytes of the last value. */
export function receivedLength(): i32 {
  return load<i32>(OUT_LENGTH);
}

/** Exported to the host, which asks for room for a value; 0 refuses. */
export function proxy_on_memory_allocate(size: usize): usize {
  const room = target;
  target = 0;
  if (room != 0 && size <= <usize>targetCapacity) return room;
  overflowed = true;
  return 0;
}

/** Places for the address and the length of a value, passed to host functions. */
export const OUT_POINTER: usize = memory.data(4, 4);
export const OUT_LENGTH: usize = memory.data(4, 4);

let target: usize = 0;
let targetCapacity: i32 = 0;
let overflowed: bool = false;
