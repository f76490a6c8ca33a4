/** UTF-8 of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. No call allocates; O(1) unless noted. */

/**
 * Returns the length of the well-formed sequence at `pointer`, before which `left` (1 or more) bytes end; 0 if malformed.
 */
export function sequenceLength(pointer: usize, left: i32): i32 {
  const first = load<u8>(pointer);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (left < 2) return 0;
  const second = load<u8>(pointer, 1);
  if (!continues(second)) return 0;
  if (first < 0xe0) return 2;
  if (left < 3 || !continues(load<u8>(pointer, 2))) return 0;
  if (first < 0xf0) {
    if (first == 0xe0 && second < 0xa0) return 0;
    if (first == 0xed && second >= 0xa0) return 0;
    return 3;
  }
  if (first > 0xf4 || left < 4 || !continues(load<u8>(pointer, 3))) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second >= 0x90) return 0;
  return 4;
}

/** Writes a code point below 0x110000, not a surrogate, and returns its length, 1 to 4 bytes. */
export function storeCodePoint(codePoint: u32, into: usize): i32 {
  if (codePoint < 0x80) {
    store<u8>(into, <u8>codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(into, <u8>(0xc0 | (codePoint >> 6)));
    store<u8>(into, <u8>(0x80 | (codePoint & 0x3f)), 1);
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(into, <u8>(0xe0 | (codePoint >> 12)));
    store<u8>(into, <u8>(0x80 | ((codePoint >> 6) & 0x3f)), 1);
    store<u8>(into, <u8>(0x80 | (codePoint & 0x3f)), 2);
    return 3;
  }
  store<u8>(into, <u8>(0xf0 | (codePoint >> 18)));
  store<u8>(into, <u8>(0x80 | ((codePoint >> 12) & 0x3f)), 1);
  store<u8>(into, <u8>(0x80 | ((codePoint >> 6) & 0x3f)), 2);
  store<u8>(into, <u8>(0x80 | (codePoint & 0x3f)), 3);
  return 4;
}

/** Reports whether all bytes are well-formed. O(length). */
export function wellFormed(pointer: usize, length: i32): bool {
  const end = pointer + length;
  while (pointer < end) {
    const taken = sequenceLength(pointer, <i32>(end - pointer));
    if (taken == 0) return false;
    pointer += taken;
  }
  return true;
}


@inline
function continues(byte: u8): bool {
  return (byte & 0xc0) == 0x80;
}
