/**
 * Which extension types one hello has shown: RFC 8446 4.2 and RFC 5246 7.4.1.4 forbid two of a type.
 *
 * Promises: exact for all 65536 types and O(1) for each, however many a hello carries, so that a hello full of empty extensions costs no
 * more than its length. One hello at a time: `start` forgets the one before, type by type where it had LISTED_MAX at most, so
 * that an ordinary hello touches a few bytes and not all. 8 KiB of static memory, and the list.
 */
export namespace ExtensionSet {
  export function start(): void {
    if (count > LISTED_MAX) memory.fill(BITS, 0, BITS_SIZE);
    else for (let i = 0; i < count; i++) store<u8>(placeOf(load<u16>(LISTED + ((<usize>i) << 1))), 0);
    count = 0;
  }

  /** False where the type has been shown before. */
  export function add(type: i32): bool {
    const place = placeOf(<u16>type);
    const bit: u8 = 1 << ((<u8>type) & 7);
    const seen = load<u8>(place);
    if (seen & bit) return false;
    store<u8>(place, seen | bit);
    if (count < LISTED_MAX) store<u16>(LISTED + ((<usize>count) << 1), <u16>type);
    if (count <= LISTED_MAX) count++;
    return true;
  }
}


@inline
function placeOf(type: u16): usize {
  return BITS + ((<usize>type) >> 3);
}

const BITS_SIZE: i32 = 8192;
const BITS: usize = memory.data(8192, 8);
/** Clients send some 20. */
const LISTED_MAX: i32 = 64;
const LISTED: usize = memory.data(128, 2);
/** Types of the hello at hand; one more than LISTED_MAX stands for all numbers above it. */
let count: i32 = 0;
