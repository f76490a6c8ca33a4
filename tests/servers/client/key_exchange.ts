/** ECDHE with X25519 and P-256. All connections share one key pair of each, as they protect no secrets. */
import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";

export const X25519 = 0x001d;
export const P256 = 0x0017;
export type Group = typeof X25519 | typeof P256;

const x25519 = generateKeyPairSync("x25519");
const p256 = createECDH("prime256v1");
p256.generateKeys();
/** The DER of an X25519 public key, up to its 32 bytes. */
const X25519_HEAD = Buffer.from("302a300506032b656e032100", "hex");

const PUBLIC: Record<Group, Buffer> = {
  [X25519]: x25519.publicKey.export({ type: "spki", format: "der" }).subarray(-32),
  [P256]: p256.getPublicKey(),
};

export function publicKey(group: Group): Buffer {
  return PUBLIC[group];
}

/** Throws if the key is invalid. */
export function sharedSecret(group: number, theirs: Buffer): Buffer {
  if (group === P256) return p256.computeSecret(theirs);
  if (group !== X25519) throw new Error(`group ${group}`);
  const key = createPublicKey({ key: Buffer.concat([X25519_HEAD, theirs]), format: "der", type: "spki" });
  return diffieHellman({ privateKey: x25519.privateKey, publicKey: key });
}
