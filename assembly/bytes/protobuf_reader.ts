/**
 * Reads a protobuf message in place (protobuf.dev/programming-guides/encoding): one field after the other, in the order of its
 * bytes. It never reads behind the message, whatever its bytes are; a malformed message ends early with `failed`. Nothing is
 * allocated. O(length) for all fields.
 */
export class ProtobufReader {
  /** Of the field that `next` moved to. */
  field: u32 = 0;
  /** The value of a number; 0 for bytes. */
  number: u64 = 0;
  /** The bytes of a text, of bytes, or of a nested message; none for a number. */
  bytes: usize = 0;
  length: i32 = 0;
  /** Whether the field holds bytes, and not a number. */
  isBytes: bool = false;
  /** The message is malformed. */
  failed: bool = false;

  private at: usize = 0;
  private end: usize = 0;

  /** Begins with a message, which must stay as it is while it is read. */
  open(start: usize, length: i32): void {
    this.at = start;
    this.end = start + <usize>length;
    this.failed = length < 0;
  }

  /** Begins with the field of another reader, as a nested message. */
  enter(outer: ProtobufReader): void {
    this.open(outer.bytes, outer.length);
  }

  /** Moves to the next field; false at the end, and if the rest is malformed. */
  next(): bool {
    if (this.failed || this.at >= this.end) return false;
    const tag = this.varint();
    const field = tag >> 3;
    if (this.failed || field == 0 || field > MAX_FIELD) return this.fail();
    this.field = <u32>field;
    this.number = 0;
    this.bytes = 0;
    this.length = 0;
    this.isBytes = false;
    switch (<u32>(tag & 7)) {
      case WIRE_VARINT:
        this.number = this.varint();
        return !this.failed;
      case WIRE_BYTES:
        return this.readBytes();
      case WIRE_64_BITS:
        return this.readFixed(8);
      case WIRE_32_BITS:
        return this.readFixed(4);
      default:
        // Groups are of an earlier protobuf; 6 and 7 do not exist.
        return this.fail();
    }
  }

  private readBytes(): bool {
    const length = this.varint();
    if (this.failed || length > <u64>(this.end - this.at)) return this.fail();
    this.isBytes = true;
    this.bytes = this.at;
    this.length = <i32>length;
    this.at += <usize>length;
    return true;
  }

  private readFixed(size: usize): bool {
    if (this.end - this.at < size) return this.fail();
    this.number = size == 8 ? load<u64>(this.at) : <u64>load<u32>(this.at);
    this.at += size;
    return true;
  }

  /** Seven bits a byte, the least significant first; at most ten bytes, and 64 bits. */
  private varint(): u64 {
    let value: u64 = 0;
    for (let shift: u64 = 0; shift < 64; shift += 7) {
      if (this.at >= this.end) break;
      const byte = <u64>load<u8>(this.at++);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.fail();
    return 0;
  }

  private fail(): bool {
    this.failed = true;
    return false;
  }
}

/** Of a tag, three bits. */
const WIRE_VARINT: u32 = 0;
const WIRE_64_BITS: u32 = 1;
const WIRE_BYTES: u32 = 2;
const WIRE_32_BITS: u32 = 5;
/** 2^29 - 1 */
const MAX_FIELD: u64 = 0x1fffffff;
