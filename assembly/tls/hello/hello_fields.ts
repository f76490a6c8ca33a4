/**
 * The common part of the readers of both hellos: numbers that come byte by byte, and how much of everything is left.
 *
 * A reader keeps these fields first in its own memory, all zero at the start.
 */
import { ParseError } from "../wire/parse_error";


@unmanaged
export class HelloFields {
  /** The first error of the hello; None if it has none. */
  error: ParseError;
  /** The current number, and how many of its bytes have come. */
  private value: i32;
  protected gathered: i32;
  /** Bytes that are left of the current run of bytes, of the message, and of the extensions behind the current one. */
  protected run: i32;
  protected left: i32;
  protected block: i32;
  /** Type of the current extension. */
  protected type: i32;

  /** Takes bytes of a number of `size` bytes, at least one; returns how many. It is whole once `gathered` is `size`. */
  protected gather(at: usize, available: i32, size: i32): i32 {
    let taken = 0;
    while (taken < available && this.gathered < size) {
      this.value = (this.value << 8) | (<i32>load<u8>(at + <usize>taken));
      this.gathered++;
      taken++;
    }
    this.left -= taken;
    return taken;
  }

  /** Hands over a whole number; the next one begins. */
  protected takeNumber(): i32 {
    const value = this.value;
    this.value = 0;
    this.gathered = 0;
    return value;
  }

  /** Takes the length of an extension out of the block; false if it reaches past the block. */
  protected enterExtension(length: i32): bool {
    this.block -= EXTENSION_HEADER_SIZE;
    if (length > this.block) return false;
    this.block -= length;
    return true;
  }

  /** The error at the place of the next extension; None if one may begin there, or if all have passed. */
  protected extensionError(truncated: ParseError, trailing: ParseError): ParseError {
    if (this.block == 0) return this.left > 0 ? trailing : ParseError.None;
    return this.block < EXTENSION_HEADER_SIZE ? truncated : ParseError.None;
  }
}

const EXTENSION_HEADER_SIZE: i32 = 4;
