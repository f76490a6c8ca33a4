/**
 * FNV-1a of 64 bits (Fowler, Noll, Vo): tells texts and bytes apart that nobody has made to collide. For what outsiders choose there is
 * `siphash.ts`.
 */

/** What a hash begins with. */
export const FNV_BASIS: u64 = 0xcbf29ce484222325;

/** A hash, one value further. */
@inline
export function fnvStep(hash: u64, value: u64): u64 {
  return (hash ^ value) * FNV_PRIME;
}

/** A hash, some bytes further. */
export function fnvBytes(hash: u64, start: usize, length: i32): u64 {
  let next = hash;
  for (let i: usize = 0; i < <usize>length; i++) next = fnvStep(next, load<u8>(start + i));
  return next;
}

/** A hash, a text's UTF-16 further. */
export function fnvText(hash: u64, text: string): u64 {
  let next = hash;
  for (let i = 0; i < text.length; i++) next = fnvStep(next, text.charCodeAt(i));
  return next;
}

const FNV_PRIME: u64 = 0x100000001b3;
