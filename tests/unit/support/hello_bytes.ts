import { sha256 } from "../../../assembly/bytes/sha256";

/** Bytes as tests write them: big-endian numbers, hexadecimal, and vectors with their length in front. */
export class Bytes {
  private bytes: Array<u8> = [];

  static of(hex: string): Bytes {
    return new Bytes().hex(hex);
  }

  /** `count` bytes: `seed`, `seed` + 1, and so on. */
  static counting(count: i32, seed: u8 = 0): Bytes {
    const bytes = new Bytes();
    for (let i = 0; i < count; i++) bytes.u8(seed + <u8>i);
    return bytes;
  }

  static text(text: string): Bytes {
    const bytes = new Bytes();
    for (let i = 0; i < text.length; i++) bytes.u8(text.charCodeAt(i));
    return bytes;
  }

  get length(): i32 {
    return this.bytes.length;
  }

  /** Valid until the next write. */
  get at(): usize {
    return this.bytes.dataStart;
  }

  byte(index: i32): u8 {
    return this.bytes[index];
  }

  overwrite(index: i32, value: u8): Bytes {
    this.bytes[index] = value;
    return this;
  }

  u8(value: i32): Bytes {
    this.bytes.push(<u8>value);
    return this;
  }

  u16(value: i32): Bytes {
    return this.u8(value >> 8).u8(value);
  }

  u24(value: i32): Bytes {
    return this.u8(value >> 16).u16(value);
  }

  u32(value: u32): Bytes {
    return this.u16(value >> 16).u16(value);
  }

  /** Spaces are for the reader. */
  hex(text: string): Bytes {
    let high = -1;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code == 0x20 || code == 0x0a) continue;
      const value = code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
      if (high < 0) {
        high = value;
        continue;
      }
      this.u8((high << 4) | value);
      high = -1;
    }
    return this;
  }

  append(more: Bytes): Bytes {
    for (let i = 0; i < more.length; i++) this.u8(more.byte(i));
    return this;
  }

  vector8(body: Bytes): Bytes {
    return this.u8(body.length).append(body);
  }

  vector16(body: Bytes): Bytes {
    return this.u16(body.length).append(body);
  }

  vector24(body: Bytes): Bytes {
    return this.u24(body.length).append(body);
  }

  slice(from: i32, to: i32): Bytes {
    const part = new Bytes();
    for (let i = from; i < to; i++) part.u8(this.bytes[i]);
    return part;
  }
}

/** `length` bytes of memory as lower-case hexadecimal; "none" for address 0. */
export function hexOf(at: usize, length: i32): string {
  if (at == 0) return "none";
  let text = "";
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(at + i);
    text += "0123456789abcdef".charAt(byte >> 4) + "0123456789abcdef".charAt(byte & 15);
  }
  return text;
}

/** The SHA-256 of bytes as lower-case hexadecimal. */
export function hashOf(bytes: Bytes): string {
  const hash = new Bytes();
  for (let i = 0; i < 32; i++) hash.u8(0);
  sha256(bytes.at, bytes.length, hash.at);
  return hexOf(hash.at, 32);
}
