/**
 * The body of a request that is still coming, gathered here, outside of collected memory. The host could gather it as well,
 * but answers a body that outgrows its buffer by itself, in plain text, and how much comes at once is up to the
 * network: so it is told to keep nothing.
 *
 * A body is at most MAX_BODY_LENGTH long, and all that wait in one virtual machine take at most MAX_WAITING_BYTES.
 */
import { MAX_BODY_LENGTH } from "../../admin/api";
import { requestBody } from "../../host/http_stream";

export const enum Gathered {
  /** The piece is kept. */
  Kept = 0,
  /** The body is longer than MAX_BODY_LENGTH. */
  TooLarge = 1,
  /** Other bodies take the room. */
  NoRoom = 2,
  /** The host did not give the piece. */
  NotRead = 3,
}

export class RequestBody {
  start: usize = 0;
  length: i32 = 0;
  private capacity: i32 = 0;

  /** Takes the piece of `size` bytes that the host has. */
  gather(size: i32): Gathered {
    if (size <= 0) return Gathered.Kept;
    if (size > MAX_BODY_LENGTH - this.length) return Gathered.TooLarge;
    const length = this.length + size;
    if (length > this.capacity && !this.grow(length)) return Gathered.NoRoom;
    if (!requestBody(this.start + <usize>this.length, size)) return Gathered.NotRead;
    this.length = length;
    return Gathered.Kept;
  }

  /** Gives the memory back; every path must reach it. */
  free(): void {
    if (this.start != 0) heap.free(this.start);
    waiting -= this.capacity;
    this.start = 0;
    this.length = 0;
    this.capacity = 0;
  }

  private grow(length: i32): bool {
    const capacity = min(max(length, this.capacity * 2), MAX_BODY_LENGTH);
    if (capacity - this.capacity > MAX_WAITING_BYTES - waiting) return false;
    this.start = this.start == 0 ? heap.alloc(capacity) : heap.realloc(this.start, capacity);
    waiting += capacity - this.capacity;
    this.capacity = capacity;
    return true;
  }
}

/** 512 of the largest. */
const MAX_WAITING_BYTES: i32 = 33554432;
let waiting: i32 = 0;
