/**
 * FNV-1a of 64 bits (Fowler, Noll, Vo), for texts and bytes that nobody makes collide. Input that outsiders choose needs
 * `siphash.ts`.
 */

/** The hash of nothing. */
export const FNV_BASIS: u64 = 0xcbf29ce484222325;

/** Adds one value to a hash. */
@inline
export function fnvStep(hash: u64, value: u64): u64 {
  return (hash ^ value) * FNV_PRIME;
}

/** Adds bytes to a hash. */
export function fnvBytes(hash: u64, start: usize, length: i32): u64 {
  let next = hash;
  for (let i: usize = 0; i < <usize>length; i++) next = fnvStep(next, load<u8>(start + i));
  return next;
}

/** Adds a text to a hash, by its UTF-16. */
export function fnvText(hash: u64, text: string): u64 {
  let next = hash;
  for (let i = 0; i < text.length; i++) next = fnvStep(next, text.charCodeAt(i));
  return next;
}

const FNV_PRIME: u64 = 0x100000001b3;
