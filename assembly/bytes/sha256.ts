/**
 * SHA-256 (FIPS 180-4), which names tickets and PSK identities by a value of fixed size.
 *
 * Nothing is allocated. A message may come in pieces of any size; one state serves one message at a time. The caller
 * provides the state, SHA256_STATE_SIZE bytes, 8-byte aligned:
 *
 *     0  u32 x 8   chaining value, in native order
 *    32  u64       bytes hashed so far
 *    40  64 bytes  the block that is filling
 *
 * Cost: one compression for each 64 bytes, plus one or two at the end.
 */

export const SHA256_SIZE: i32 = 32;
export const SHA256_STATE_SIZE: i32 = 104;

/** Starts a message. */
export function sha256Init(state: usize): void {
  memory.copy(state, INITIAL, 32);
  store<u64>(state, 0, TOTAL_OFFSET);
}

/** Adds `length` bytes to the message. */
export function sha256Update(state: usize, data: usize, length: i32): void {
  if (length <= 0) return;
  const filled = <i32>(load<u64>(state, TOTAL_OFFSET) & 63);
  store<u64>(state, load<u64>(state, TOTAL_OFFSET) + length, TOTAL_OFFSET);

  let at = data;
  let left = length;
  if (filled > 0) {
    const wanted = min(64 - filled, left);
    memory.copy(state + BLOCK_OFFSET + filled, at, wanted);
    at += wanted;
    left -= wanted;
    if (filled + wanted < 64) return;
    compress(state, state + BLOCK_OFFSET);
  }
  for (; left >= 64; left -= 64, at += 64) compress(state, at);
  memory.copy(state + BLOCK_OFFSET, at, left);
}

/** Ends the message and writes its 32 bytes to `out`. `sha256Init` makes the state usable again. */
export function sha256Final(state: usize, out: usize): void {
  const total = load<u64>(state, TOTAL_OFFSET);
  const filled = <i32>(total & 63);
  const block = state + BLOCK_OFFSET;

  // FIPS 180-4 5.1.1: a one bit, zeros, and the length in bits in the last eight bytes.
  store<u8>(block + filled, 0x80);
  memory.fill(block + filled + 1, 0, 63 - filled);
  if (filled >= 56) {
    compress(state, block);
    memory.fill(block, 0, 56);
  }
  store<u64>(block, bswap<u64>(total << 3), 56);
  compress(state, block);

  for (let i = 0; i < 32; i += 4) store<u32>(out + i, bswap<u32>(load<u32>(state + i)));
}

/** Writes the SHA-256 of `length` bytes to the 32 bytes at `out`. */
export function sha256(data: usize, length: i32, out: usize): void {
  sha256Init(ONE_SHOT);
  sha256Update(ONE_SHOT, data, length);
  sha256Final(ONE_SHOT, out);
}

/** FIPS 180-4 6.2.2. */
function compress(state: usize, block: usize): void {
  for (let t = 0; t < 64; t += 4) store<u32>(SCHEDULE + t, bswap<u32>(load<u32>(block + t)));
  for (let t = 64; t < 256; t += 4) {
    const w = SCHEDULE + t;
    const w15 = load<u32>(w - 60);
    const w2 = load<u32>(w - 8);
    const s0 = rotr<u32>(w15, 7) ^ rotr<u32>(w15, 18) ^ (w15 >> 3);
    const s1 = rotr<u32>(w2, 17) ^ rotr<u32>(w2, 19) ^ (w2 >> 10);
    store<u32>(w, load<u32>(w - 64) + s0 + load<u32>(w - 28) + s1);
  }

  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);

  for (let t = 0; t < 256; t += 4) {
    const s1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const chosen = (e & f) ^ (~e & g);
    const t1 = h + s1 + chosen + load<u32>(ROUND_CONSTANTS + t) + load<u32>(SCHEDULE + t);
    const s0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + s0 + majority;
  }

  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}

const TOTAL_OFFSET: usize = 32;
const BLOCK_OFFSET: usize = 40;

/** The message schedule, shared by all messages: it does not outlive a compression. */
const SCHEDULE: usize = memory.data(256, 8);
const ONE_SHOT: usize = memory.data(SHA256_STATE_SIZE, 8);

/** FIPS 180-4 5.3.3. */
// prettier-ignore
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** FIPS 180-4 4.2.2. */
// prettier-ignore
const ROUND_CONSTANTS: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
