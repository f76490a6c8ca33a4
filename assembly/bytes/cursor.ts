/**
 * One cursor over bytes that somebody else wrote: big-endian reads that can never leave their window.
 *
 * Promises: no read outside [data, data + length), whatever the lengths inside the bytes say; nothing is copied or allocated.
 * Failure is sticky: after the first read that asks for more than is left, every read answers 0, `left` is 0 and `failed`
 * stays true. So a parser reads straight through and looks at `failed` where it must decide, and its loops over `left` end.
 *
 * A vector with a length in front is read with `sub` and `leave`: `sub` narrows the window to the vector, `leave` fails unless the
 * vector was read to its last byte, and widens the window again.
 *
 * Memory: `CURSOR_SIZE` bytes that the caller provides (static, for a parser that does not re-enter itself).
 * The model is the Reader of rustls (msgs/codec.rs).
 */
@unmanaged
export class Cursor {
  private at: usize;
  private end: usize;
  failed: bool;

  /** A cursor over `length` bytes at `data`, kept in the `CURSOR_SIZE` bytes at `place`. A negative length fails at once. */
  static over(place: usize, data: usize, length: i32): Cursor {
    const cursor = changetype<Cursor>(place);
    cursor.at = data;
    cursor.end = data + <usize>max(length, 0);
    cursor.failed = length < 0;
    return cursor;
  }

  /** Bytes left in the window; 0 after a failure. */
  get left(): i32 {
    return this.failed ? 0 : <i32>(this.end - this.at);
  }

  /** The address of the next `length` bytes, which are passed over; 0 after a failure. */
  take(length: i32): usize {
    if (length < 0 || length > this.left) this.failed = true;
    if (this.failed) return 0;
    const taken = this.at;
    this.at = taken + <usize>length;
    return taken;
  }

  /** Passes over `length` bytes. */
  skip(length: i32): void {
    this.take(length);
  }

  /** The address of everything left, which is passed over. Read `left` first: it is the length. */
  rest(): usize {
    return this.take(this.left);
  }

  u8(): u32 {
    const taken = this.take(1);
    return taken ? <u32>load<u8>(taken) : 0;
  }

  u16(): u32 {
    const taken = this.take(2);
    return taken ? <u32>bswap<u16>(load<u16>(taken)) : 0;
  }

  u24(): u32 {
    const taken = this.take(3);
    return taken ? ((<u32>load<u8>(taken)) << 16) | (<u32>bswap<u16>(load<u16>(taken, 1))) : 0;
  }

  u32(): u32 {
    const taken = this.take(4);
    return taken ? bswap<u32>(load<u32>(taken)) : 0;
  }

  /** Narrows the window to the next `length` bytes; answers what `leave` needs. */
  sub(length: i32): usize {
    const outer = this.end;
    if (length < 0 || length > this.left) this.failed = true;
    else this.end = this.at + <usize>length;
    return outer;
  }

  /** Widens the window again; what is left unread inside is a failure. */
  leave(outer: usize): void {
    if (this.at != this.end) this.failed = true;
    this.end = outer;
  }
}

export const CURSOR_SIZE: i32 = (<i32>offsetof<Cursor>() + 7) & ~7;
