/**
 * A ClientHello as fields of any value, and its bytes.
 *
 * Promises: `encodeHello` writes the fields as they are, right or wrong. It computes each PSK's binder over all bytes in
 * front of the list of binders (RFC 8446 4.2.11.2), so a server that can parse the hello finds the binder right.
 */
import { binder, digest, type Hash, hashLength } from "./key_schedule.ts";
import { message, uint16, uint24, vector } from "./records.ts";
import type { Session } from "./session.ts";

export interface Identity {
  identity: Buffer;
  age: number;
  /** The session whose secret makes the binder; without one, the binder is zeros. */
  session?: Session;
}

export interface Extension {
  type: number;
  body: Buffer;
  /** Added to the written length. */
  lengthOff?: number;
  /** For pre_shared_key: these make the body, and `body` follows them. */
  psks?: Identity[];
}

export interface Hello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  suites: Buffer;
  compression: Buffer;
  /** Undefined: the hello has no extension block. */
  extensions: Extension[] | undefined;
  blockLengthOff: number;
  messageLengthOff: number;
  /** Behind the extension block, inside the message. */
  trailing: Buffer;
}

export const EXT = {
  serverName: 0,
  groups: 10,
  pointFormats: 11,
  signatures: 13,
  alpn: 16,
  padding: 21,
  extendedMaster: 23,
  ticket: 35,
  psk: 41,
  earlyData: 42,
  versions: 43,
  cookie: 44,
  pskModes: 45,
  keyShare: 51,
  ech: 0xfe0d,
  renegotiation: 0xff01,
} as const;

export interface EncodedHello {
  /** The whole handshake message. */
  bytes: Buffer;
  /** The identities of the last pre_shared_key, in the order in which a server numbers them. */
  identities: Identity[];
}

/** `before`: the beginning of the transcript, which is empty, or a first hello and its HelloRetryRequest. */
export function encodeHello(hello: Hello, before: (hash: Hash) => Buffer): EncodedHello {
  const written: Buffer[] = [];
  const spots: Spot[] = [];
  let at = 4 + 2 + hello.random.length + 1 + hello.sessionId.length + 2 + hello.suites.length + 1;
  at += hello.compression.length + 2;
  for (const extension of hello.extensions ?? []) {
    const { body, bindersAt } = bodyOf(extension);
    if (bindersAt !== undefined) spots.push({ at: at + 4 + bindersAt, psks: extension.psks ?? [] });
    const one = Buffer.concat([
      uint16(extension.type),
      uint16((body.length + (extension.lengthOff ?? 0)) & 0xffff),
      body,
    ]);
    written.push(one);
    at += one.length;
  }
  const block = Buffer.concat(written);
  const body = Buffer.concat([
    uint16(hello.version),
    hello.random,
    vector(1, hello.sessionId),
    vector(2, hello.suites),
    vector(1, hello.compression),
    ...(hello.extensions === undefined ? [] : [uint16((block.length + hello.blockLengthOff) & 0xffff), block]),
    hello.trailing,
  ]);
  const bytes = message(1, body);
  if (hello.messageLengthOff !== 0) uint24(body.length + hello.messageLengthOff).copy(bytes, 1);
  for (const spot of spots) fillBinders(bytes, spot, before);
  return { bytes, identities: spots.at(-1)?.psks ?? [] };
}

interface Spot {
  /** The place of the list of binders. */
  at: number;
  psks: Identity[];
}

function bodyOf({ body, psks }: Extension): { body: Buffer; bindersAt?: number } {
  if (psks === undefined) return { body };
  const identities = psks.map(({ identity, age }) => Buffer.concat([vector(2, identity), uint32(age)]));
  const binders = psks.map((psk) => vector(1, Buffer.alloc(binderLength(psk))));
  const list = vector(2, Buffer.concat(identities));
  return { body: Buffer.concat([list, vector(2, Buffer.concat(binders)), body]), bindersAt: list.length };
}

function fillBinders(bytes: Buffer, { at, psks }: Spot, before: (hash: Hash) => Buffer): void {
  const covered = bytes.subarray(0, at);
  let place = at + 2;
  for (const psk of psks) {
    if (psk.session !== undefined) {
      const { hash } = psk.session.suite;
      binder(hash, psk.session.secret, digest(hash, before(hash), covered)).copy(bytes, place + 1);
    }
    place += 1 + binderLength(psk);
  }
}

function binderLength({ session }: Identity): number {
  return hashLength(session?.suite.hash ?? "sha256");
}

function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number >>> 0);
  return bytes;
}
