/**
 * Which extension types one hello has shown: RFC 8446 4.2 and RFC 5246 7.4.1.4 forbid two of a type.
 *
 * Promises: exact for all 65536 types and O(1) for each, however many a hello carries, so that a hello full of empty extensions costs no
 * more than its length. One hello at a time: `start` forgets the one before. 8 KiB of static memory, cleared only after use.
 */
export namespace ExtensionSet {
  export function start(): void {
    if (used) memory.fill(BITS, 0, BITS_SIZE);
    used = false;
  }

  /** False where the type has been shown before. */
  export function add(type: i32): bool {
    const place = BITS + ((<usize>(type & 0xffff)) >> 3);
    const bit: u8 = 1 << ((<u8>type) & 7);
    const seen = load<u8>(place);
    if (seen & bit) return false;
    store<u8>(place, seen | bit);
    used = true;
    return true;
  }
}

const BITS_SIZE: i32 = 8192;
const BITS: usize = memory.data(8192, 8);
let used: bool = false;
