/**
 * The record layer of one direction: headers, and how much of the present record is still to come.
 *
 * Layout of a header (RFC 8446 5.1, RFC 5246 6.2.1):
 *
 *     0  u8   content type
 *     1  u16  legacy version, major 3, any minor: it says nothing about the version that is negotiated
 *     3  u16  length of the body
 *
 * Promises: takes headers byte by byte, so that it does not matter how they were cut; never holds any of the body. Errors are of
 * `check`. `RECORD_READER_SIZE` bytes that the caller provides, all zero at the start.
 */
import { ParseError } from "./parse_error";
import { ContentType } from "./protocol";
import { CLEAR_RECORD_MAX, SEALED_RECORD_MAX } from "./limits";


@unmanaged
export class RecordReader {
  private header: u64;
  private headerLength: i32;
  /** Content type and body length of the present record, once `open`. */
  type: i32;
  length: i32;
  /** Bytes of the body that have not passed yet. */
  left: i32;
  /** Between a whole header and the end of its body. */
  open: bool;
  /** The first header of this direction has not passed yet. */
  first: bool;

  /** What the present record is to the observer: a `Role`. */
  role: i32;
  /** First byte of the present alert. */
  alertLevel: i32;

  start(): void {
    this.first = true;
  }

  /** Adds one byte of a header; true when it is whole. */
  push(byte: u8): bool {
    this.header = (this.header << 8) | byte;
    this.headerLength++;
    if (this.headerLength < HEADER_SIZE) return false;
    this.type = (<i32>(this.header >> 32)) & 0xff;
    this.length = <i32>(this.header & 0xffff);
    this.left = this.length;
    this.headerLength = 0;
    this.open = true;
    this.first = false;
    return true;
  }

  /**
   * False as soon as the bytes of a first header can be no TLS: a wrong content type in the first byte, a version whose major is
   * not 3 in the second. SSLv2 hellos, HTTP and SSH all end here.
   */
  looksLikeTls(alertToo: bool): bool {
    if (this.headerLength == 1) {
      const type = (<i32>this.header) & 0xff;
      return type == ContentType.HANDSHAKE || (alertToo && type == ContentType.ALERT);
    }
    return this.headerLength != 2 || (this.header & 0xff) == MAJOR_VERSION;
  }

  /** What is wrong with a whole header, whatever the handshake has come to. `sealed`: this direction has changed its cipher spec. */
  check(sealed: bool): ParseError {
    if (((<u32>(this.header >> 24)) & 0xff) != MAJOR_VERSION) return ParseError.RecordVersion;
    switch (this.type) {
      case ContentType.CHANGE_CIPHER_SPEC: // RFC 8446 5, RFC 5246 7.1: one byte, never sealed
        return this.length == 1 ? ParseError.None : ParseError.ChangeCipherSpec;
      case ContentType.ALERT: // RFC 8446 6, RFC 5246 7.2: level and description
        if (!sealed) return this.length == 2 ? ParseError.None : ParseError.AlertLength;
        return this.length <= SEALED_RECORD_MAX ? ParseError.None : ParseError.RecordTooLong;
      case ContentType.HANDSHAKE: // RFC 8446 5.1: zero-length fragments of handshake are forbidden
        if (this.length == 0) return ParseError.RecordEmpty;
        return this.length <= (sealed ? SEALED_RECORD_MAX : CLEAR_RECORD_MAX)
          ? ParseError.None
          : ParseError.RecordTooLong;
      case ContentType.APPLICATION_DATA:
        return this.length <= SEALED_RECORD_MAX ? ParseError.None : ParseError.RecordTooLong;
      default:
        return ParseError.RecordType;
    }
  }

  /** In the middle of a record, or of its header. */
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

const HEADER_SIZE: i32 = 5;
const MAJOR_VERSION: u32 = 0x03;

export const RECORD_READER_SIZE: i32 = (<i32>offsetof<RecordReader>() + 7) & ~7;
