/**
 * Reads JSON (RFC 8259) from untrusted bytes. The result is a value, or a one-line error with its place ("line 1, column 12:
 * expected ..."; columns count characters). No bytes trap.
 *
 * The reader is strict if RFC 8259 leaves the choice: it refuses a name twice in one object, half of a surrogate pair as an
 * escape, a byte order mark and malformed UTF-8.
 *
 * Cost: O(length) time, plus O(members^2) comparisons for each object of at most MAX_MEMBERS members. Memory: at most
 * MAX_VALUES objects, and one buffer as long as the text. Trusted texts may have other bounds.
 */
import { digitValue } from "../bytes/hex";
import { sequenceLength, storeCodePoint } from "./utf8";
import { JsonKind, JsonValue, NumberForm } from "./value";

/** In bytes: of the longest body of the admin API. */
export const MAX_TEXT_LENGTH: i32 = 65536;
/** Of objects and arrays. Bounds the recursion, and so the stack; the texts of this project nest twice. */
export const MAX_DEPTH: i32 = 16;
/** In one object. Bounds the search for duplicates; the largest object of this project has about 20. */
export const MAX_MEMBERS: i32 = 256;
/** In one text. Bounds the heap: otherwise 64 KiB of "[[],[],..." would make 20,000 objects. */
export const MAX_VALUES: i32 = 4096;

export class JsonReader {
  /** Empty unless the last `read` returned null. */
  error: string = "";

  private start: usize = 0;
  private at: usize = 0;
  private end: usize = 0;
  private values: i32 = 0;
  private lastString: string = "";
  /** For strings without their escapes, which are never longer than their text. */
  private unescaped: StaticArray<u8> = new StaticArray<u8>(0);

  constructor(
    /** In bytes. */
    private readonly maxLength: i32 = MAX_TEXT_LENGTH,
    private readonly maxValues: i32 = MAX_VALUES,
  ) {}

  /** Returns the value of a text; null with `error` if the text is not JSON. */
  read(pointer: usize, length: i32): JsonValue | null {
    this.error = "";
    this.start = pointer;
    this.at = pointer;
    this.end = pointer;
    if (length > this.maxLength) return this.fail("the text is longer than " + this.maxLength.toString() + " bytes");
    this.end = pointer + length;
    this.values = 0;
    this.unescaped = new StaticArray<u8>(length);

    this.skipWhitespace();
    const value = this.value(0);
    if (value === null) return null;
    this.skipWhitespace();
    if (this.at < this.end) return this.fail("expected the end of the text");
    return value;
  }

  private value(depth: i32): JsonValue | null {
    if (this.at >= this.end) return this.fail("expected a value");
    if (++this.values > this.maxValues) return this.fail("more than " + this.maxValues.toString() + " values");
    switch (load<u8>(this.at)) {
      case 0x7b: // {
        return this.object(depth);
      case 0x5b: // [
        return this.array(depth);
      case 0x22: {
        // "
        if (!this.string()) return null;
        const value = new JsonValue(JsonKind.String);
        value.text = this.lastString;
        return value;
      }
      case 0x74: // t
        return this.literal("true", JsonKind.Boolean, true);
      case 0x66: // f
        return this.literal("false", JsonKind.Boolean, false);
      case 0x6e: // n
        return this.literal("null", JsonKind.Null, false);
      default:
        return this.number();
    }
  }

  private object(depth: i32): JsonValue | null {
    if (depth >= MAX_DEPTH) return this.fail("nested deeper than " + MAX_DEPTH.toString() + " levels");
    const object = new JsonValue(JsonKind.Object);
    const names: string[] = [];
    const items: JsonValue[] = [];
    object.names = names;
    object.items = items;
    this.at++;
    this.skipWhitespace();
    if (this.take(0x7d)) return object;

    while (true) {
      if (this.peek() != 0x22) return this.fail("expected a name in double quotes");
      const nameAt = this.at;
      if (!this.string()) return null;
      const name = this.lastString;
      if (names.includes(name)) {
        this.at = nameAt;
        return this.fail("this object has the name already; write each name once");
      }
      if (names.length >= MAX_MEMBERS)
        return this.fail("more than " + MAX_MEMBERS.toString() + " members in one object");
      this.skipWhitespace();
      if (!this.take(0x3a)) return this.fail("expected ':'");
      this.skipWhitespace();
      const item = this.value(depth + 1);
      if (item === null) return null;
      names.push(name);
      items.push(item);
      this.skipWhitespace();
      if (this.take(0x7d)) return object;
      if (!this.take(0x2c)) return this.fail("expected ',' or '}'");
      this.skipWhitespace();
    }
  }

  private array(depth: i32): JsonValue | null {
    if (depth >= MAX_DEPTH) return this.fail("nested deeper than " + MAX_DEPTH.toString() + " levels");
    const array = new JsonValue(JsonKind.Array);
    const items: JsonValue[] = [];
    array.items = items;
    this.at++;
    this.skipWhitespace();
    if (this.take(0x5d)) return array;

    while (true) {
      const item = this.value(depth + 1);
      if (item === null) return null;
      items.push(item);
      this.skipWhitespace();
      if (this.take(0x5d)) return array;
      if (!this.take(0x2c)) return this.fail("expected ',' or ']'");
      this.skipWhitespace();
    }
  }

  /** Reads a string at its opening quote into `lastString`; false with `error` if it is malformed. */
  private string(): bool {
    const into = changetype<usize>(this.unescaped);
    let length: i32 = 0;
    this.at++;
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte == 0x22) {
        this.at++;
        this.lastString = String.UTF8.decodeUnsafe(into, length);
        return true;
      }
      if (byte < 0x20) return this.refuse("a control character in a string; escape it");
      if (byte == 0x5c) {
        const codePoint = this.escape();
        if (codePoint < 0) return false;
        length += storeCodePoint(<u32>codePoint, into + length);
        continue;
      }
      const taken = sequenceLength(this.at, <i32>(this.end - this.at));
      if (taken == 0) return this.refuse("malformed UTF-8");
      memory.copy(into + length, this.at, taken);
      length += taken;
      this.at += taken;
    }
    return this.refuse("expected '\"' at the end of a string");
  }

  /** Returns the code point of the escape at a backslash; -1 with `error` if it is malformed. */
  private escape(): i32 {
    const escapeAt = this.at;
    this.at++;
    const kind = this.peek();
    this.at++;
    switch (kind) {
      case 0x22:
      case 0x5c:
      case 0x2f:
        return kind;
      case 0x62: // b
        return 0x08;
      case 0x66: // f
        return 0x0c;
      case 0x6e: // n
        return 0x0a;
      case 0x72: // r
        return 0x0d;
      case 0x74: // t
        return 0x09;
      case 0x75: // u
        break;
      default:
        return this.refuseEscape(escapeAt, 'expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX');
    }
    const first = this.fourHexDigits();
    if (first < 0) return this.refuseEscape(escapeAt, "expected four hexadecimal digits after \\u");
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first <= 0xdbff && this.take(0x5c) && this.take(0x75)) {
      const second = this.fourHexDigits();
      if (second >= 0xdc00 && second <= 0xdfff) return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    }
    return this.refuseEscape(escapeAt, "half of a surrogate pair");
  }

  /** Returns the value of four hexadecimal digits; -1 for any other character among them. */
  private fourHexDigits(): i32 {
    let value: i32 = 0;
    for (let i = 0; i < 4; i++) {
      const digit = digitValue(this.peek());
      if (digit < 0) return -1;
      value = (value << 4) | digit;
      this.at++;
    }
    return value;
  }

  private literal(text: string, kind: JsonKind, boolean: bool): JsonValue | null {
    for (let i = 0; i < text.length; i++) {
      if (!this.take(text.charCodeAt(i))) return this.fail("expected a value");
    }
    const value = new JsonValue(kind);
    value.boolean = boolean;
    return value;
  }

  /** RFC 8259 6. The value is exact: digits are counted, nothing is rounded. */
  private number(): JsonValue | null {
    const negative = this.take(0x2d);
    const digitsAt = this.at;
    if (!isDigit(this.peek())) return this.fail("expected a value");
    if (this.peek() == 0x30) this.at++;
    else this.skipDigits();
    if (isDigit(this.peek())) return this.fail("a number has no leading zero");

    // The value is the digits, without the point, times 10^exponent.
    let exponent: i32 = 0;
    if (this.take(0x2e)) {
      const fractionAt = this.at;
      if (!isDigit(this.peek())) return this.fail("expected a digit after '.'");
      this.skipDigits();
      exponent = -(<i32>(this.at - fractionAt));
    }
    const digitsEnd = this.at;
    if (this.take(0x65) || this.take(0x45)) {
      const below = this.take(0x2d);
      if (!below) this.take(0x2b);
      if (!isDigit(this.peek())) return this.fail("expected a digit in the exponent");
      let given: i32 = 0;
      while (isDigit(this.peek())) {
        // The digits of no text are enough to undo a larger exponent.
        if (given < EXPONENT_LIMIT) given = given * 10 + (this.peek() - 0x30);
        this.at++;
      }
      exponent += below ? -given : given;
    }

    const value = new JsonValue(JsonKind.Number);
    setNumber(value, digitsAt, digitsEnd, exponent);
    if (negative && !(value.form == NumberForm.Whole && value.number == 0)) value.form = NumberForm.Negative;
    return value;
  }

  private skipDigits(): void {
    while (isDigit(this.peek())) this.at++;
  }

  private skipWhitespace(): void {
    while (this.at < this.end) {
      const byte = load<u8>(this.at);
      if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return;
      this.at++;
    }
  }

  /** The next byte, or -1 at the end. */
  @inline
  private peek(): i32 {
    return this.at < this.end ? <i32>load<u8>(this.at) : -1;
  }


  @inline
  private take(byte: i32): bool {
    if (this.peek() != byte) return false;
    this.at++;
    return true;
  }

  private fail(problem: string): JsonValue | null {
    this.refuse(problem);
    return null;
  }

  private refuseEscape(escapeAt: usize, problem: string): i32 {
    this.at = escapeAt;
    this.refuse(problem);
    return -1;
  }

  private refuse(problem: string): bool {
    let line = 1;
    let column = 1;
    for (let at = this.start; at < this.at; at++) {
      const byte = load<u8>(at);
      if (byte == 0x0a) {
        line++;
        column = 1;
      } else if ((byte & 0xc0) != 0x80) {
        column++;
      }
    }
    this.error = "line " + line.toString() + ", column " + column.toString() + ": " + problem;
    return false;
  }
}

/** Sets form and number of a value to its digits, perhaps with a point among them, times 10^exponent. */
function setNumber(value: JsonValue, digitsAt: usize, digitsEnd: usize, exponent: i32): void {
  let number: u64 = 0;
  let huge = false;
  // Zeros count only if another digit follows: so 7200.0 and 0.000 stay exact.
  let pendingZeros: i32 = 0;
  let seenDigit = false;
  for (let at = digitsAt; at < digitsEnd; at++) {
    const byte = load<u8>(at);
    if (byte == 0x2e) continue;
    if (byte == 0x30) {
      if (seenDigit) pendingZeros++;
      continue;
    }
    seenDigit = true;
    for (; pendingZeros > 0 && !huge; pendingZeros--) {
      if (number > MAX_BEFORE_DIGIT) huge = true;
      else number *= 10;
    }
    pendingZeros = 0;
    const digit = <u64>(byte - 0x30);
    if (huge || number > MAX_BEFORE_DIGIT || number * 10 > u64.MAX_VALUE - digit) huge = true;
    else number = number * 10 + digit;
  }
  if (!seenDigit) return;

  exponent += pendingZeros;
  if (exponent < 0) {
    value.form = NumberForm.Fraction;
    return;
  }
  for (; exponent > 0 && !huge; exponent--) {
    if (number > MAX_BEFORE_DIGIT) huge = true;
    else number *= 10;
  }
  if (huge) value.form = NumberForm.Huge;
  else value.number = number;
}


@inline
function isDigit(byte: i32): bool {
  return byte >= 0x30 && byte <= 0x39;
}

/** The largest number to which some digit can be appended. */
const MAX_BEFORE_DIGIT: u64 = u64.MAX_VALUE / 10;
const EXPONENT_LIMIT: i32 = 1_000_000;
