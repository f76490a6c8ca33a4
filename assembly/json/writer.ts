/**
 * Writes JSON (RFC 8259) into a buffer that grows; all JSON is written here. The text is well-formed if begins and ends pair
 * up. Text from outside, such as a server name, cannot break out of its string: quotes, backslashes, control and invisible
 * characters are escaped, and each byte outside of well-formed UTF-8 becomes U+FFFD.
 *
 * Cost: O(output); a byte of text becomes at most six.
 */
import { digit } from "../bytes/hex";
import { sequenceLength } from "./utf8";

export class JsonWriter {
  private buffer: StaticArray<u8> = new StaticArray<u8>(FIRST_CAPACITY);
  private used: i32 = 0;
  /** Whether the next value follows another one on its level. */
  private follows: bool = false;

  /** The address of the text; valid until the next write. */
  get pointer(): usize {
    return changetype<usize>(this.buffer);
  }

  /** Length of the text in bytes. */
  get length(): i32 {
    return this.used;
  }

  /** Bytes that can be written before the text moves to a larger place. */
  get room(): i32 {
    return this.buffer.length - this.used;
  }

  beginObject(): void {
    this.separate();
    this.byte(0x7b);
    this.follows = false;
  }

  endObject(): void {
    this.byte(0x7d);
    this.follows = true;
  }

  /** Takes back the end of the object that was written last, so that it can get further members and ends again. */
  reopenObject(): void {
    this.used--;
    this.follows = true;
  }

  beginArray(): void {
    this.separate();
    this.byte(0x5b);
    this.follows = false;
  }

  endArray(): void {
    this.byte(0x5d);
    this.follows = true;
  }

  /** Writes the name of a member; its value is next. */
  name(name: string): void {
    this.string(name);
    this.byte(0x3a);
    this.follows = false;
  }

  string(text: string): void {
    const bytes = String.UTF8.encode(text);
    this.bytes(changetype<usize>(bytes), bytes.byteLength);
  }

  /** Writes a string of raw bytes that should be UTF-8. */
  bytes(pointer: usize, length: i32): void {
    this.separate();
    this.byte(0x22);
    const end = pointer + length;
    while (pointer < end) {
      const taken = sequenceLength(pointer, <i32>(end - pointer));
      if (taken == 0) {
        this.unescaped(changetype<usize>(REPLACEMENT_CHARACTER), 3);
        pointer++;
        continue;
      }
      const unit = taken == 1 ? 0 : codeUnit(pointer, taken);
      if (taken == 1) this.character(load<u8>(pointer));
      else if (isUnseen(unit)) this.escaped(unit);
      else this.unescaped(pointer, taken);
      pointer += taken;
    }
    this.byte(0x22);
    this.follows = true;
  }

  /** Writes a string of the lower-case hexadecimal digits of the bytes. */
  hex(pointer: usize, length: i32): void {
    this.separate();
    this.byte(0x22);
    for (let i = 0; i < length; i++) {
      const byte = load<u8>(pointer + i);
      this.byte(digit(byte >> 4));
      this.byte(digit(byte & 0x0f));
    }
    this.byte(0x22);
    this.follows = true;
  }

  number(value: u64): void {
    this.separate();
    this.ascii(value.toString());
    this.follows = true;
  }

  /** Writes a number that may be negative. */
  signed(value: i64): void {
    this.separate();
    this.ascii(value.toString());
    this.follows = true;
  }

  boolean(value: bool): void {
    this.separate();
    this.ascii(value ? "true" : "false");
    this.follows = true;
  }

  nothing(): void {
    this.separate();
    this.ascii("null");
    this.follows = true;
  }

  /** Ends a document of newline-delimited JSON; the next one begins. */
  endLine(): void {
    this.byte(0x0a);
    this.follows = false;
  }

  /** Takes back everything behind the first `length` bytes, which end with a line or are none. */
  cut(length: i32): void {
    this.used = min(length, this.used);
    this.follows = false;
  }

  /** Writes a value that is JSON in ASCII already, in pieces: for documents that the build makes, never for input. */
  document(pieces: StaticArray<string>): void {
    this.separate();
    for (let i = 0; i < pieces.length; i++) this.ascii(pieces[i]);
    this.follows = true;
  }

  private separate(): void {
    if (this.follows) this.byte(0x2c);
  }

  /** Writes an ASCII character of a string. */
  private character(byte: u8): void {
    if (byte == 0x22 || byte == 0x5c) {
      this.byte(0x5c);
      this.byte(byte);
      return;
    }
    // DEL is legal unescaped, but terminals may obey it.
    if (byte >= 0x20 && byte != 0x7f) {
      this.byte(byte);
      return;
    }
    this.escaped(byte);
  }

  private escaped(unit: u32): void {
    this.ascii("\\u");
    for (let shift = 12; shift >= 0; shift -= 4) this.byte(digit(<u8>((unit >> shift) & 0x0f)));
  }

  private unescaped(pointer: usize, length: i32): void {
    this.reserve(length);
    memory.copy(changetype<usize>(this.buffer) + this.used, pointer, length);
    this.used += length;
  }

  private ascii(text: string): void {
    const length = text.length;
    this.reserve(length);
    const into = changetype<usize>(this.buffer) + this.used;
    for (let i = 0; i < length; i++) store<u8>(into + i, <u8>text.charCodeAt(i));
    this.used += length;
  }

  private byte(byte: u8): void {
    this.reserve(1);
    store<u8>(changetype<usize>(this.buffer) + this.used, byte);
    this.used++;
  }

  private reserve(more: i32): void {
    const needed = this.used + more;
    if (needed <= this.buffer.length) return;
    let capacity = this.buffer.length * 2;
    while (capacity < needed) capacity *= 2;
    const larger = new StaticArray<u8>(capacity);
    memory.copy(changetype<usize>(larger), changetype<usize>(this.buffer), this.used);
    this.buffer = larger;
  }
}

/** Returns the code point of a well-formed sequence of two or three bytes; 0 for one of four. */
function codeUnit(pointer: usize, length: i32): u32 {
  const first = <u32>load<u8>(pointer);
  const second = (<u32>load<u8>(pointer, 1)) & 0x3f;
  if (length == 2) return ((first & 0x1f) << 6) | second;
  if (length != 3) return 0;
  return ((first & 0x0f) << 12) | (second << 6) | ((<u32>load<u8>(pointer, 2)) & 0x3f);
}

/** Reports C1 controls, which some terminals obey, and characters that hide, break a line or turn the direction of text. */
function isUnseen(unit: u32): bool {
  if (unit >= 0x80 && unit <= 0x9f) return true;
  if (unit >= 0x200b && unit <= 0x200f) return true;
  if (unit >= 0x2028 && unit <= 0x202e) return true;
  return (unit >= 0x2060 && unit <= 0x2069) || unit == 0xfeff;
}

/** Enough for most responses. */
const FIRST_CAPACITY: i32 = 512;
/** U+FFFD */
const REPLACEMENT_CHARACTER: StaticArray<u8> = [0xef, 0xbf, 0xbd];
