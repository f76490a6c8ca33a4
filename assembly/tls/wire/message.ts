/**
 * The handshake messages of one direction, as they lie in its records: several in one, or one over several.
 *
 * Layout of a header (RFC 8446 4, RFC 5246 7.4):
 *
 *     0  u8   message type
 *     1  u24  length of the body
 *
 * Promises: takes headers byte by byte, so that it does not matter how they were cut; never holds any of the body.
 * `MESSAGE_READER_SIZE` bytes that the caller provides, all zero at the start.
 */
@unmanaged
export class MessageReader {
  private header: u32;
  private headerLength: i32;
  /** Message type and body length of the current message, once `open`. */
  type: i32;
  length: i32;
  /** Bytes of the body that have not passed yet. */
  left: i32;
  /** Between a whole header and the end of its body. */
  open: bool;

  /** The `Part` of the current message. */
  part: i32;

  /** Adds one byte of a header; true when it is whole. */
  push(byte: u8): bool {
    this.header = (this.header << 8) | byte;
    this.headerLength++;
    if (this.headerLength < MESSAGE_HEADER_SIZE) return false;
    this.type = <i32>(this.header >> 24);
    this.length = <i32>(this.header & 0xffffff);
    this.left = this.length;
    this.headerLength = 0;
    this.open = true;
    return true;
  }

  /** Whether the bytes have stopped in the middle of a message, or of its header. */
  get partial(): bool {
    return this.open || this.headerLength > 0;
  }

  /** `count` bytes of the body have passed; true at its end. */
  pass(count: i32): bool {
    this.left -= count;
    if (this.left > 0) return false;
    this.open = false;
    return true;
  }
}

/** Type and length (RFC 8446 4). */
export const MESSAGE_HEADER_SIZE: i32 = 4;

export const MESSAGE_READER_SIZE: i32 = (<i32>offsetof<MessageReader>() + 7) & ~7;
