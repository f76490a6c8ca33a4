/**
 * Gathers the body of a request outside of collected memory, piece by piece. The host could gather it, too, but would answer
 * a body that outgrows its buffer by itself, in plain text. So the host keeps nothing.
 *
 * A body has at most MAX_BODY_LENGTH bytes, and all waiting bodies of a virtual machine at most MAX_BODIES_LENGTH.
 */
import { MAX_BODY_LENGTH } from "../../admin/api";
import { requestBody } from "../../host/http_stream";

export const enum Gathered {
  /** The piece is kept. */
  Kept = 0,
  /** The body is longer than MAX_BODY_LENGTH. */
  TooLarge = 1,
  /** Other bodies have taken the room. */
  NoRoom = 2,
  /** The host did not give the piece. */
  NotRead = 3,
}

export class RequestBody {
  start: usize = 0;
  length: i32 = 0;
  private capacity: i32 = 0;

  /** Copies the piece of `size` bytes that the host has. */
  gather(size: i32): Gathered {
    if (size <= 0) return Gathered.Kept;
    if (size > MAX_BODY_LENGTH - this.length) return Gathered.TooLarge;
    const length = this.length + size;
    if (length > this.capacity && !this.grow(length)) return Gathered.NoRoom;
    if (!requestBody(this.start + <usize>this.length, size)) return Gathered.NotRead;
    this.length = length;
    return Gathered.Kept;
  }

  /** Gives the memory back. Every path must come here. */
  free(): void {
    if (this.start != 0) heap.free(this.start);
    waiting -= this.capacity;
    this.start = 0;
    this.length = 0;
    this.capacity = 0;
  }

  private grow(length: i32): bool {
    const capacity = min(max(length, this.capacity * 2), MAX_BODY_LENGTH);
    if (capacity - this.capacity > MAX_BODIES_LENGTH - waiting) return false;
    this.start = this.start == 0 ? heap.alloc(capacity) : heap.realloc(this.start, capacity);
    waiting += capacity - this.capacity;
    this.capacity = capacity;
    return true;
  }
}

/** 512 of the largest. */
const MAX_BODIES_LENGTH: i32 = 33554432;
let waiting: i32 = 0;
