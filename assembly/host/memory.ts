/**
 * How values of the host get into linear memory. For each value the host asks this module for room; the caller of a
 * host function has announced where it wants the value, so it lands there at once: nothing is allocated, copied twice
 * or left to be collected. A value that is longer than the announced room is refused.
 */
/** Announces where the next value of the host is to go. */
export function receiveInto(buffer: usize, capacity: i32): void {
  target = buffer;
  targetCapacity = capacity;
  overflowed = false;
}

/** Whether the last value did not fit the announced room. */
export function receiveOverflowed(): bool {
  return overflowed;
}

/** Length in bytes of the value received last. */
export function receivedLength(): i32 {
  return load<i32>(OUT_LENGTH);
}

/** The bytes of a text, UTF-8, for as long as the virtual machine lives. For start-up. */
export function lastingBytes(text: string): usize {
  const start = heap.alloc(String.UTF8.byteLength(text));
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, start);
  return start;
}

/** The ABI's request for room: exported to the host. 0 refuses. */
export function proxy_on_memory_allocate(size: usize): usize {
  const room = target;
  target = 0;
  if (room != 0 && size <= <usize>targetCapacity) return room;
  overflowed = true;
  return 0;
}

/** Where host functions are told to put the address and the length of a value. */
export const OUT_POINTER: usize = memory.data(4, 4);
export const OUT_LENGTH: usize = memory.data(4, 4);

let target: usize = 0;
let targetCapacity: i32 = 0;
let overflowed: bool = false;
