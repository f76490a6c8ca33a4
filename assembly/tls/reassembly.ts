/**
 * One hello that comes in pieces, gathered until it is whole.
 *
 * Promises: holds one buffer of exactly the message's length, from the first piece until `release`, which every path must reach.
 * `REASSEMBLY_SIZE` bytes that the caller provides, all zero at the start.
 */
import { allocateReassembly, releaseReassembly } from "./memory";


@unmanaged
export class Reassembly {
  buffer: usize;
  private length: i32;
  private filled: i32;

  get active(): bool {
    return this.buffer != 0;
  }

  /** Makes room for a message of `length` bytes, at least 1; false where no memory is to be had. */
  start(length: i32): bool {
    this.buffer = allocateReassembly(length);
    this.length = length;
    this.filled = 0;
    return this.buffer != 0;
  }

  /** Adds a piece, which must not reach past the announced length; true when the message is whole. */
  push(data: usize, count: i32): bool {
    memory.copy(this.buffer + this.filled, data, count);
    this.filled += count;
    return this.filled == this.length;
  }

  release(): void {
    if (this.buffer == 0) return;
    releaseReassembly(this.buffer, this.length);
    this.buffer = 0;
  }
}

export const REASSEMBLY_SIZE: i32 = (<i32>offsetof<Reassembly>() + 7) & ~7;
