/** A server's messages, as far as a client needs them. Throws on a malformed message. */
import { createHash } from "node:crypto";
import { Stopped } from "./wire.ts";

export interface ServerHello {
  version: number;
  random: Buffer;
  sessionId: Buffer;
  suite: number;
  extensions: Map<number, Buffer>;
  isRetry: boolean;
}

/** RFC 8446 4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
const RETRY_RANDOM = createHash("sha256").update("HelloRetryRequest").digest();

export function parseServerHello(body: Buffer): ServerHello {
  const cursor = new Cursor(body);
  const version = cursor.number(2);
  const random = cursor.bytes(32);
  const sessionId = cursor.vector(1);
  const suite = cursor.number(2);
  cursor.number(1);
  const extensions = cursor.isAtEnd() ? new Map<number, Buffer>() : parseExtensions(cursor.vector(2));
  return { version, random, sessionId, suite, extensions, isRetry: random.equals(RETRY_RANDOM) };
}

export function parseExtensions(block: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  const cursor = new Cursor(block);
  while (!cursor.isAtEnd()) {
    const type = cursor.number(2);
    found.set(type, cursor.vector(2));
  }
  return found;
}

/** The ticket of a NewSessionTicket of TLS 1.2 (RFC 5077 3.3). */
export function parseTicket12(body: Buffer): Buffer {
  const cursor = new Cursor(body);
  cursor.number(4);
  return Buffer.from(cursor.vector(2));
}

export interface Ticket13 {
  ageAdd: number;
  nonce: Buffer;
  ticket: Buffer;
  maxEarlyData: number;
}

export function parseTicket13(body: Buffer): Ticket13 {
  const cursor = new Cursor(body);
  cursor.number(4);
  const ageAdd = cursor.number(4);
  const nonce = Buffer.from(cursor.vector(1));
  const ticket = Buffer.from(cursor.vector(2));
  const early = parseExtensions(cursor.vector(2)).get(42);
  return { ageAdd, nonce, ticket, maxEarlyData: early?.readUInt32BE(0) ?? 0 };
}

/** The named curve and the point of a ServerKeyExchange (RFC 8422 5.4). It ignores the signature. */
export function parseKeyExchange(body: Buffer): { group: number; point: Buffer } {
  const cursor = new Cursor(body);
  cursor.number(1);
  const group = cursor.number(2);
  return { group, point: cursor.vector(1) };
}

export class Cursor {
  private at = 0;

  constructor(private readonly all: Buffer) {}

  isAtEnd(): boolean {
    return this.at >= this.all.length;
  }

  number(bytes: 1 | 2 | 4): number {
    return this.bytes(bytes).readUIntBE(0, bytes);
  }

  vector(lengthBytes: 1 | 2): Buffer {
    return this.bytes(this.number(lengthBytes));
  }

  bytes(length: number): Buffer {
    if (this.at + length > this.all.length) throw new Stopped("broken", "a message that is too short");
    this.at += length;
    return this.all.subarray(this.at - length, this.at);
  }
}
