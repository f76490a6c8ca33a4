/**
 * Gathers the bytes that go on of a chunk from which others are dropped, and then replaces the whole chunk by them, as the
 * host can only replace the beginning of a buffer. One chunk at a time; takes memory only while there is one.
 */
import { copyBytes, replaceBytes } from "../../host/connection/connection";

export class KeptBytes {
  private bytes: usize = 0;
  /** Number of bytes gathered so far. */
  length: i32 = 0;
  private buffer: i32 = 0;

  /** Whether a chunk is being gathered. */
  get active(): bool {
    return this.bytes != 0;
  }

  /** Begins with the first `kept` bytes of a chunk of `length`; false if the host does not show them. */
  begin(buffer: i32, kept: i32, length: i32): bool {
    this.buffer = buffer;
    this.bytes = heap.alloc(length);
    this.length = kept;
    return kept == 0 || copyBytes(buffer, 0, kept, this.bytes);
  }

  /** Keeps the next `count` bytes of the chunk. */
  add(bytes: usize, count: i32): void {
    memory.copy(this.bytes + <usize>this.length, bytes, count);
    this.length += count;
  }

  /** Replaces the chunk's `length` bytes by the gathered ones; false if the host refuses. */
  putBack(length: i32): bool {
    const done = this.length == length || replaceBytes(this.buffer, length, this.bytes, this.length);
    heap.free(this.bytes);
    this.bytes = 0;
    return done;
  }
}
