/**
 * Hexadecimal in memory, as ASCII.
 *
 * Encoding writes two lower-case digits for each byte. Decoding takes either case; for an odd length or any other character
 * it returns -1, and `out` is partly written. Nothing is allocated. O(length).
 */

/** Returns the ASCII code of a value from 0 to 15. */
export function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** Returns the value of an ASCII digit in either case, or -1. */
export function digitValue(code: i32): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Writes 2 * length ASCII digits to `out`. */
export function encodeHex(data: usize, length: i32, out: usize): void {
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(data + i);
    store<u8>(out + 2 * i, digit(byte >> 4));
    store<u8>(out + 2 * i, digit(byte & 0x0f), 1);
  }
}

/** As `decodeHex`, for a text; also -1 for more than `capacity` bytes. */
export function decodeHexText(text: string, out: usize, capacity: i32): i32 {
  const digits = text.length;
  if (digits & 1 || digits >> 1 > capacity) return -1;
  for (let i = 0; i < digits; i += 2) {
    const high = digitValue(text.charCodeAt(i));
    const low = digitValue(text.charCodeAt(i + 1));
    if (high < 0 || low < 0) return -1;
    store<u8>(out + (i >> 1), <u8>((high << 4) | low));
  }
  return digits >> 1;
}

/** Writes length / 2 bytes to `out` and returns how many; -1 if `text` is not hexadecimal. */
export function decodeHex(text: usize, length: i32, out: usize): i32 {
  if (length < 0 || length & 1) return -1;
  const bytes = length >> 1;
  for (let i = 0; i < bytes; i++) {
    const high = digitValue(load<u8>(text + 2 * i));
    const low = digitValue(load<u8>(text + 2 * i, 1));
    if (high < 0 || low < 0) return -1;
    store<u8>(out + i, <u8>((high << 4) | low));
  }
  return bytes;
}
