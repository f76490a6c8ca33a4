/**
 * SipHash-1-3 (Aumasson, Bernstein 2012, with the rounds of Rust's and Python's hash tables): a keyed hash of 64 bits.
 * Without the key nobody can choose inputs that collide. Not for signing. O(length), about 40 ns for 32 bytes.
 */
export function sipHash13(key0: u64, key1: u64, data: usize, length: i32): u64 {
  let v0 = key0 ^ 0x736f6d6570736575;
  let v1 = key1 ^ 0x646f72616e646f6d;
  let v2 = key0 ^ 0x6c7967656e657261;
  let v3 = key1 ^ 0x7465646279746573;
  const left = length & 7;
  const end = data + <usize>(length - left);
  let last = (<u64>length) << 56;
  for (let position = data; position <= end; position += 8) {
    let word = last;
    if (position != end) {
      word = load<u64>(position);
    } else {
      for (let i = 0; i < left; i++) {
        const shift = <u64>(i << 3);
        last |= (<u64>load<u8>(end + i)) << shift;
      }
      word = last;
    }
    v3 ^= word;
    v0 += v1;
    v2 += v3;
    v1 = rotl(v1, 13) ^ v0;
    v3 = rotl(v3, 16) ^ v2;
    v0 = rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotl(v1, 17) ^ v2;
    v3 = rotl(v3, 21) ^ v0;
    v2 = rotl(v2, 32);
    v0 ^= word;
  }
  v2 ^= 0xff;
  for (let round = 0; round < 3; round++) {
    v0 += v1;
    v2 += v3;
    v1 = rotl(v1, 13) ^ v0;
    v3 = rotl(v3, 16) ^ v2;
    v0 = rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = rotl(v1, 17) ^ v2;
    v3 = rotl(v3, 21) ^ v0;
    v2 = rotl(v2, 32);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}
