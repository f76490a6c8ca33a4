/**
 * What goes on of a chunk of which some bytes are dropped. The host can only replace the beginning of a buffer: so what is kept is gathered
 * here, and put in the place of all. One chunk at a time; memory for it only while there is one.
 */
import { copyBytes, replaceBytes } from "../../host/connection/connection";

export class KeptBytes {
  private bytes: usize = 0;
  /** How many bytes go on, as far as they were gathered. */
  length: i32 = 0;
  private buffer: i32 = 0;

  /** Whether bytes of the chunk at hand are being gathered. */
  get active(): bool {
    return this.bytes != 0;
  }

  /** Begins with the first `kept` bytes of a chunk of `length`; false where the host does not show them. */
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

  /** Puts what was kept in the place of the chunk's `length` bytes; false where the host does not do it. */
  putBack(length: i32): bool {
    const done = this.length == length || replaceBytes(this.buffer, length, this.bytes, this.length);
    heap.free(this.bytes);
    this.bytes = 0;
    return done;
  }
}
