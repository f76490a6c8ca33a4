/** Recognises pages of the cache, with its own code for their layout and check (assembly/session/pages/page.ts). */

export function isPageKey(key: string): boolean {
  return /^tls_session_cache\/\d+\/[^/]+\/page.{4}$/s.test(key);
}

export function isPage(value: Buffer): boolean {
  if (value.length < HEADER_BYTES || value.length > CAPACITY_BYTES) return false;
  const used = value.readUInt32LE(0);
  if (used < HEADER_BYTES || used > value.length) return false;
  return value[LAYOUT_OFFSET] === LAYOUT && value.readUInt32LE(4) === check(value.subarray(0, used));
}

/** Four chains of multiplications over words of 8 bytes, from byte 8 on. The last bytes go into the second chain. */
function check(bytes: Buffer): number {
  const chains = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn, BigInt(bytes.length)];
  const mix = (chain: number, word: bigint): void => {
    chains[chain] = BigInt.asUintN(64, ((chains[chain] ?? 0n) ^ word) * FACTOR);
  };
  let at = CHECKED_FROM;
  for (; at + 32 <= bytes.length; at += 32) {
    for (let chain = 0; chain < 4; chain++) mix(chain, bytes.readBigUInt64LE(at + 8 * chain));
  }
  for (; at + 8 <= bytes.length; at += 8) mix(0, bytes.readBigUInt64LE(at));
  for (; at < bytes.length; at++) mix(1, BigInt(bytes[at] ?? 0));
  const [a = 0n, b = 0n, c = 0n, d = 0n] = chains;
  const sum = BigInt.asUintN(64, (a ^ rotated(b, 17n) ^ rotated(c, 31n) ^ rotated(d, 47n)) * FACTOR);
  return Number(BigInt.asUintN(32, sum ^ (sum >> 32n)));
}

function rotated(value: bigint, bits: bigint): bigint {
  return BigInt.asUintN(64, (value << bits) | (value >> (64n - bits)));
}

const HEADER_BYTES = 32;
const CAPACITY_BYTES = 4095;
const LAYOUT_OFFSET = 12;
const LAYOUT = 0x54;
const CHECKED_FROM = 8;
const FACTOR = 0x9e3779b97f4a7c15n;
