/**
 * FNV-1a (Fowler, Noll, Vo): tells texts and bytes apart, unless somebody has made them collide. For bytes that outsiders
 * choose, use `siphash.ts`. O(length); nothing is allocated.
 */

/** The hash of nothing, of 64 bits. */
export const FNV_BASIS: u64 = 0xcbf29ce484222325;

/** Extends a hash by one value. */
@inline
export function fnvStep(hash: u64, value: u64): u64 {
  return (hash ^ value) * FNV_PRIME;
}

/** Extends a hash by some bytes. */
export function fnvBytes(hash: u64, start: usize, length: i32): u64 {
  let next = hash;
  for (let i: usize = 0; i < <usize>length; i++) next = fnvStep(next, load<u8>(start + i));
  return next;
}

/** Extends a hash by a text, as UTF-16. */
export function fnvText(hash: u64, text: string): u64 {
  let next = hash;
  for (let i = 0; i < text.length; i++) next = fnvStep(next, text.charCodeAt(i));
  return next;
}

/** Returns the hash of 32 bits of some bytes. */
export function fnv32(start: usize, length: i32): u32 {
  let hash: u32 = FNV_BASIS_32;
  for (let i: i32 = 0; i < length; i++) hash = (hash ^ (<u32>load<u8>(start + i))) * FNV_PRIME_32;
  return hash;
}

/** Returns the same, finished as in MurmurHash3: it spreads evenly, whatever the length. */
export function hash32(start: usize, length: i32): u32 {
  let hash = fnv32(start, length);
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

const FNV_BASIS_32: u32 = 0x811c9dc5;
const FNV_PRIME_32: u32 = 0x01000193;
const FNV_PRIME: u64 = 0x100000001b3;
