/**
 * The keys of a fleet's records, relative to its part of the store:
 *
 *   meta                      the identity of the fleet's records (`state/identity.ts`)
 *   p/NAME                    presence of a proxy (`state/proxies.ts`)
 *   d/NAME/BUCKET/RUN.SEQ     decisions of a proxy, in batches (`records/batch.ts`); BUCKET = until, rounded up to 6 hours
 *   s/NAME/BUCKET/RUN.SEQ     sessions that it has learned; BUCKET = expiry, rounded up to 15 minutes
 *   n/t/HEX, n/r/HEX, n/s/N   named decisions: a ticket key, a server name, a setting
 *
 * BUCKET has 10 digits (Unix seconds), RUN 16 hexadecimal ones, SEQ the number of the leader and a counter, 8 each.
 */
import { encodeHex } from "../../bytes/hex";

/** Builds keys, in one buffer: a key is valid until the next. */
export class Keys {
  readonly start: usize = heap.alloc(KEY_CAPACITY);
  length: i32 = 0;

  constructor(
    private readonly name: string,
    private readonly run: u64,
    private readonly term: u32,
  ) {}

  free(): void {
    heap.free(this.start);
  }

  /** The key of a batch: `kind` is its first letter. */
  batch(kind: u8, bucket: u64, sequence: u32): void {
    this.own(kind);
    this.decimal(bucket, 10);
    this.byte(SLASH);
    this.hex64(this.run);
    this.byte(DOT);
    this.hex64(((<u64>this.term) << 32) | (<u64>sequence));
  }

  /** The beginning of all keys of a kind that this proxy writes. */
  own(kind: u8): void {
    this.length = 0;
    this.byte(kind);
    this.byte(SLASH);
    this.text(this.name);
    this.byte(SLASH);
  }

  identity(): void {
    this.length = 0;
    this.text(IDENTITY);
  }

  presence(): void {
    this.length = 0;
    this.byte(PRESENCE);
    this.byte(SLASH);
    this.text(this.name);
  }

  /** The key of a named decision: `family` is t, r or s; a setting's number follows, or a name in hexadecimal digits. */
  named(family: u8, name: usize, nameLength: i32): void {
    this.length = 0;
    this.byte(NAMED);
    this.byte(SLASH);
    this.byte(family);
    this.byte(SLASH);
    if (family == SETTINGS && nameLength == 1) {
      const number = load<u8>(name);
      return this.decimal(number, number < 10 ? 1 : number < 100 ? 2 : 3);
    }
    encodeHex(name, nameLength, this.start + <usize>this.length);
    this.length += 2 * nameLength;
  }

  private byte(byte: u8): void {
    store<u8>(this.start + <usize>this.length, byte);
    this.length++;
  }

  private text(text: string): void {
    this.length += <i32>String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.start + <usize>this.length);
  }

  private decimal(value: u64, digits: i32): void {
    let rest = value;
    for (let i = digits - 1; i >= 0; i--) {
      store<u8>(this.start + <usize>(this.length + i), 0x30 + <u8>(rest % 10));
      rest /= 10;
    }
    this.length += digits;
  }

  private hex64(value: u64): void {
    store<u64>(NUMBER, bswap(value));
    encodeHex(NUMBER, 8, this.start + <usize>this.length);
    this.length += 16;
  }
}

/** Whether a key of a kind was written by the proxy of a name: "d/NAME/...". */
export function isOwnKey(key: usize, keyLength: i32, name: string): bool {
  const end = 2 + name.length;
  if (keyLength <= end || load<u8>(key + <usize>end) != SLASH) return false;
  for (let i = 0; i < name.length; i++) if (<i32>load<u8>(key + 2 + <usize>i) != name.charCodeAt(i)) return false;
  return true;
}

/** Whether a key is that of the fleet's identity. */
export function isIdentityKey(key: usize, keyLength: i32): bool {
  if (keyLength != IDENTITY.length) return false;
  for (let i = 0; i < keyLength; i++) if (<i32>load<u8>(key + <usize>i) != IDENTITY.charCodeAt(i)) return false;
  return true;
}

/** The first letter of a key, if a slash follows; else 0. */
export function familyOf(key: usize, keyLength: i32): u8 {
  return keyLength > 2 && load<u8>(key, 1) == SLASH ? load<u8>(key) : 0;
}

export const DECISIONS: u8 = 0x64;
export const SESSIONS: u8 = 0x73;
export const NAMED: u8 = 0x6e;
export const PRESENCE: u8 = 0x70;
export const TICKET_KEYS: u8 = 0x74;
export const REVOCATIONS: u8 = 0x72;
export const SETTINGS: u8 = 0x73;
const IDENTITY: string = "meta";
const SLASH: u8 = 0x2f;
const DOT: u8 = 0x2e;
/** A server name of 255 bytes in digits, and some. */
const KEY_CAPACITY: usize = 640;
const NUMBER: usize = memory.data(8, 8);
