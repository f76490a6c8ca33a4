/** ASCII letters without their case, as server names are compared (RFC 4343). */

/** Makes the letters of `length` bytes lower case, in place. */
export function lowerCase(pointer: usize, length: i32): void {
  for (let i = 0; i < length; i++) store<u8>(pointer + i, lower(load<u8>(pointer + i)));
}

/** Reports whether bytes in lower case equal `lowered`, which is in lower case already. */
export function equalsLowered(bytes: usize, lowered: usize, length: i32): bool {
  for (let i = 0; i < length; i++) {
    if (lower(load<u8>(bytes + i)) != load<u8>(lowered + i)) return false;
  }
  return true;
}


@inline
function lower(byte: u8): u8 {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
