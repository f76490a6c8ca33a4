/**
 * What the readers of both hellos have in common: numbers that come byte by byte, and how much of everything is left.
 *
 * A reader keeps these fields first in its own memory, all zero at the start.
 */
import { ParseError } from "../wire/parse_error";


@unmanaged
export class HelloFields {
  /** What the hello has wrong, the first thing of all; None where nothing is. */
  error: ParseError;
  /** The number at hand, and how many of its bytes have come. */
  private value: i32;
  protected gathered: i32;
  /** Bytes that are left of the run of bytes at hand, the message, and the extensions behind the one at hand. */
  protected run: i32;
  protected left: i32;
  protected block: i32;
  /** Type of the extension at hand. */
  protected type: i32;

  /** Takes bytes of a number of `size` bytes, at least one; answers how many. It is whole once `gathered` is `size`. */
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

  /** Takes the length of an extension out of the block; false where it reaches past it. */
  protected enterExtension(length: i32): bool {
    this.block -= EXTENSION_HEADER_SIZE;
    if (length > this.block) return false;
    this.block -= length;
    return true;
  }

  /** What is wrong where the next extension would begin; None where one may, or where all of them have passed. */
  protected extensionError(truncated: ParseError, trailing: ParseError): ParseError {
    if (this.block == 0) return this.left > 0 ? trailing : ParseError.None;
    return this.block < EXTENSION_HEADER_SIZE ? truncated : ParseError.None;
  }
}

const EXTENSION_HEADER_SIZE: i32 = 4;
