/**
 * Writes a protobuf message into a buffer (protobuf.dev/programming-guides/encoding). Whatever does not fit is left out, and
 * `overflowed` reports it. Nothing is allocated; a nested message is moved by a few bytes when it ends.
 */
export class ProtobufWriter {
  /** Bytes that were written. */
  length: i32 = 0;
  /** The message did not fit, and is not whole. */
  overflowed: bool = false;

  constructor(
    readonly start: usize,
    readonly capacity: i32,
  ) {}

  /** Begins an empty message. */
  clear(): void {
    this.length = 0;
    this.overflowed = false;
  }

  /** Goes back to an earlier length, and forgets an overflow since. */
  truncate(length: i32): void {
    this.length = length;
    this.overflowed = false;
  }

  /** A number: int64, uint64, bool, or an enum. */
  number(field: u32, value: u64): void {
    this.varint(((<u64>field) << 3) | WIRE_VARINT);
    this.varint(value);
  }

  bytes(field: u32, bytes: usize, length: i32): void {
    this.bytesHead(field, length);
    this.append(bytes, length);
  }

  /** The tag and the length of bytes that the caller adds by `append`. */
  bytesHead(field: u32, length: i32): void {
    this.varint(((<u64>field) << 3) | WIRE_BYTES);
    this.varint(<u64>length);
  }

  /** Bytes as they are. */
  append(bytes: usize, length: i32): void {
    if (!this.has(length)) return;
    memory.copy(this.start + <usize>this.length, bytes, <usize>length);
    this.length += length;
  }

  /** Begins a nested message; returns a mark for `end`. */
  begin(field: u32): i32 {
    this.varint(((<u64>field) << 3) | WIRE_BYTES);
    return this.length;
  }

  /** Ends the nested message that `begin` returned the mark of: puts its length in front of it. */
  end(mark: i32): void {
    if (this.overflowed) return;
    const length = this.length - mark;
    const size = varintSize(<u64>length);
    if (!this.has(size)) return;
    const start = this.start + <usize>mark;
    memory.copy(start + <usize>size, start, <usize>length);
    this.length = mark;
    this.varint(<u64>length);
    this.length += length;
  }

  private varint(value: u64): void {
    if (!this.has(varintSize(value))) return;
    let rest = value;
    let at = this.start + <usize>this.length;
    for (; rest >= 0x80; rest >>= 7) store<u8>(at++, <u8>(rest | 0x80));
    store<u8>(at++, <u8>rest);
    this.length = <i32>(at - this.start);
  }

  private has(length: i32): bool {
    if (!this.overflowed && length >= 0 && length <= this.capacity - this.length) return true;
    this.overflowed = true;
    return false;
  }
}

function varintSize(value: u64): i32 {
  let size = 1;
  for (let rest = value >> 7; rest != 0; rest >>= 7) size++;
  return size;
}

const WIRE_VARINT: u64 = 0;
const WIRE_BYTES: u64 = 2;
