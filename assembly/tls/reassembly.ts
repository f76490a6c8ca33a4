/**
 * One hello that comes in pieces, gathered until it is whole.
 *
 * Promises: holds one buffer, from the first piece until `release`, which every path must reach. It is never longer than the message,
 * and never longer than twice what has come or `REASSEMBLY_FIRST` bytes: announcing a long hello costs its sender the bytes.
 * Cost: O(bytes).
 * `REASSEMBLY_SIZE` bytes that the caller provides, all zero at the start.
 */
import { REASSEMBLY_FIRST } from "./limits";
import { allocateReassembly, releaseReassembly } from "./memory";


@unmanaged
export class Reassembly {
  buffer: usize;
  private length: i32;
  private capacity: i32;
  private filled: i32;

  get active(): bool {
    return this.buffer != 0;
  }

  /** Begins a message of `length` bytes, at least 1; false where no memory is to be had. */
  start(length: i32): bool {
    this.capacity = min(length, REASSEMBLY_FIRST);
    this.buffer = allocateReassembly(this.capacity);
    this.length = length;
    this.filled = 0;
    return this.buffer != 0;
  }

  /** Makes room for a piece of `count` bytes; false where no memory is to be had. */
  reserve(count: i32): bool {
    const needed = this.filled + count;
    if (needed <= this.capacity) return true;
    const capacity = min(this.length, max(needed, this.capacity * 2));
    const larger = allocateReassembly(capacity);
    if (larger == 0) return false;
    memory.copy(larger, this.buffer, this.filled);
    releaseReassembly(this.buffer, this.capacity);
    this.buffer = larger;
    this.capacity = capacity;
    return true;
  }

  /** Adds a piece for which there is room, and which must not reach past the announced length; true when the message is whole. */
  push(data: usize, count: i32): bool {
    memory.copy(this.buffer + this.filled, data, count);
    this.filled += count;
    return this.filled == this.length;
  }

  release(): void {
    if (this.buffer == 0) return;
    releaseReassembly(this.buffer, this.capacity);
    this.buffer = 0;
  }
}

export const REASSEMBLY_SIZE: i32 = (<i32>offsetof<Reassembly>() + 7) & ~7;
