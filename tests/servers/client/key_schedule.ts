/** The secrets of TLS 1.2 (RFC 5246 5, RFC 7627) and of TLS 1.3 (RFC 8446 7.1). */
import { createHash, createHmac } from "node:crypto";
import type { Suite } from "./suites.ts";

export type Hash = Suite["hash"];

export function digest(hash: Hash, ...parts: Uint8Array[]): Buffer {
  const sum = createHash(hash);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

export function hmac(hash: Hash, key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const sum = createHmac(hash, key);
  for (const part of parts) sum.update(part);
  return sum.digest();
}

export function prf(hash: Hash, secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const labelled = Buffer.concat([Buffer.from(label, "latin1"), seed]);
  const blocks: Buffer[] = [];
  let block: Buffer = labelled;
  for (let have = 0; have < length; have += blocks[0]!.length) {
    block = hmac(hash, secret, block);
    blocks.push(hmac(hash, secret, block, labelled));
  }
  return Buffer.concat(blocks).subarray(0, length);
}

export function hashLength(hash: Hash): number {
  return hash === "sha256" ? 32 : 48;
}

export function extract(hash: Hash, salt: Buffer, secret: Buffer): Buffer {
  return hmac(hash, salt, secret);
}

export function expandLabel(hash: Hash, secret: Buffer, label: string, context: Buffer, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, "latin1");
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 255, name.length]),
    name,
    Buffer.from([context.length]),
    context,
  ]);
  // Every caller needs one block at most.
  return hmac(hash, secret, info, Buffer.from([1])).subarray(0, length);
}

/** Derive-Secret, from the hash of the messages. */
export function derived(hash: Hash, secret: Buffer, label: string, transcriptHash: Buffer): Buffer {
  return expandLabel(hash, secret, label, transcriptHash, hashLength(hash));
}

export function earlySecret(hash: Hash, psk: Buffer | undefined): Buffer {
  return extract(hash, Buffer.alloc(0), psk ?? Buffer.alloc(hashLength(hash)));
}

export function handshakeSecret(hash: Hash, early: Buffer, shared: Buffer): Buffer {
  return extract(hash, derived(hash, early, "derived", digest(hash)), shared);
}

export function mainSecret(hash: Hash, handshake: Buffer): Buffer {
  return extract(hash, derived(hash, handshake, "derived", digest(hash)), Buffer.alloc(hashLength(hash)));
}

/** `verify_data` of TLS 1.3, or a PSK binder if the secret is a binder key. */
export function finished13(hash: Hash, secret: Buffer, transcriptHash: Buffer): Buffer {
  return hmac(hash, expandLabel(hash, secret, "finished", Buffer.alloc(0), hashLength(hash)), transcriptHash);
}

export function binder(hash: Hash, psk: Buffer, transcriptHash: Buffer): Buffer {
  const key = derived(hash, earlySecret(hash, psk), "res binder", digest(hash));
  return finished13(hash, key, transcriptHash);
}
