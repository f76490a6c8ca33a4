/**
 * The record layer of one direction: headers, and how much of the current record is still to come.
 *
 * Layout of a header (RFC 8446 5.1, RFC 5246 6.2.1):
 *
 *     0  u8   content type
 *     1  u16  legacy version, major 3, any minor: not the negotiated version
 *     3  u16  length of the body
 *
 * The first record of a client may be an SSLv2 hello instead (RFC 5246 E.2). Its header is a u16: the highest bit, and the
 * length. Servers that understand one go on in TLS, so its bytes are passed over, and records follow.
 *
 * Promises: takes headers byte by byte, so that it does not matter how they were cut; never holds any of the body. Errors
 * are of `check`. `RECORD_READER_SIZE` bytes that the caller provides, all zero at the start.
 */
import { ParseError } from "./parse_error";
import { ContentType } from "./protocol";
import { MAX_CLEAR_RECORD_LENGTH, MAX_SEALED_RECORD_LENGTH } from "./limits";


@unmanaged
export class RecordReader {
  private header: u64;
  private headerLength: i32;
  /** Content type and body length of the current record, once `open`. */
  type: i32;
  length: i32;
  /** Bytes of the body that have not passed yet. */
  left: i32;
  /** Between a whole header and the end of its body. */
  open: bool;
  /** A header of this direction has passed whole. */
  private later: bool;
  /** This direction does not begin with a record. */
  lost: bool;
  /** It begins with a record or an SSLv2 hello: records follow. */
  followable: bool;

  /** The `Role` of the current record. */
  role: i32;
  /** First byte of the current alert. */
  alertLevel: i32;

  /** Adds one byte of a header; true when it is whole. */
  push(byte: u8): bool {
    this.header = (this.header << 8) | byte;
    this.headerLength++;
    if (!this.later && this.headerLength <= 2) this.recognise(byte);
    const isShort = this.lost && !this.later && this.followable;
    const size = isShort ? V2_HEADER_SIZE : RECORD_HEADER_SIZE;
    if (this.headerLength < size) return false;
    this.type = isShort ? V2_HELLO : (<i32>(this.header >> 32)) & 0xff;
    this.length = (<i32>(this.header & 0xffff)) & (isShort ? V2_LENGTH : 0xffff);
    this.left = this.length;
    this.headerLength = 0;
    this.open = true;
    this.later = true;
    return true;
  }

  /** Whether the current header, of which a byte has come, is of a record of a type. */
  beginsType(type: i32): bool {
    if (this.open) return this.type == type;
    return this.headerLength > 0 && <i32>((this.header >> (<u64>((this.headerLength - 1) << 3))) & 0xff) == type;
  }

  /** The error of a whole header, None if it has none. `sealed`: this direction has changed its cipher spec. */
  check(sealed: bool): ParseError {
    if (!this.isVersion3) return ParseError.RecordVersion;
    switch (this.type) {
      case ContentType.CHANGE_CIPHER_SPEC: // RFC 8446 5, RFC 5246 7.1: one byte, never sealed
        return this.length == 1 ? ParseError.None : ParseError.ChangeCipherSpec;
      case ContentType.ALERT: // RFC 8446 6, RFC 5246 7.2: level and description
        if (!sealed) return this.length == 2 ? ParseError.None : ParseError.AlertLength;
        return this.length <= MAX_SEALED_RECORD_LENGTH ? ParseError.None : ParseError.RecordTooLong;
      case ContentType.HANDSHAKE: // RFC 8446 5.1: zero-length fragments of handshake are forbidden
        if (this.length == 0) return ParseError.RecordEmpty;
        return this.length <= (sealed ? MAX_SEALED_RECORD_LENGTH : MAX_CLEAR_RECORD_LENGTH)
          ? ParseError.None
          : ParseError.RecordTooLong;
      case ContentType.APPLICATION_DATA:
        return this.length <= MAX_SEALED_RECORD_LENGTH ? ParseError.None : ParseError.RecordTooLong;
      default:
        return ParseError.RecordType;
    }
  }

  /** Whether the current header has the major version of TLS and SSL 3.0. */
  get isVersion3(): bool {
    return ((<u32>(this.header >> 24)) & 0xff) == MAJOR_VERSION;
  }

  /** Whether the current header has a content type of TLS. */
  get isKnownType(): bool {
    return isRecordType(this.type);
  }

  /** Whether the bytes have stopped in the middle of a record, or of its header. */
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

  /** Checks the first bytes of the direction: HTTP, SSH and other protocols are lost at the first or second. */
  private recognise(byte: u8): void {
    if (this.headerLength == 1) {
      this.lost = !isRecordType(byte);
      this.followable = !this.lost || (byte & V2_BIT) != 0;
    } else if (!this.lost && byte != <u8>MAJOR_VERSION) {
      this.lost = true;
      this.followable = false;
    }
  }
}

function isRecordType(type: i32): bool {
  return type >= ContentType.CHANGE_CIPHER_SPEC && type <= ContentType.HEARTBEAT;
}

/** Type, version and length (RFC 8446 5.1). */
export const RECORD_HEADER_SIZE: i32 = 5;
/** The first byte of every version on the wire. */
export const MAJOR_VERSION: u32 = 0x03;
/** Stands for an SSLv2 hello: no record has this type. */
const V2_HELLO: i32 = 0x80;
const V2_BIT: u8 = 0x80;
const V2_HEADER_SIZE: i32 = 2;
const V2_LENGTH: i32 = 0x7fff;

export const RECORD_READER_SIZE: i32 = (<i32>offsetof<RecordReader>() + 7) & ~7;
