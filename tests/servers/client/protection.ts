/** Record protection: AES-GCM in TLS 1.2 (RFC 5288) and TLS 1.3 (RFC 8446 5.2). `open` returns undefined for a wrong tag. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { expandLabel } from "./key_schedule.ts";
import { record, type TlsRecord } from "./records.ts";
import type { Suite } from "./suites.ts";

export interface Protection {
  seal(type: number, body: Buffer): Buffer;
  open(sealed: TlsRecord): { type: number; body: Buffer } | undefined;
}

export class Protection12 implements Protection {
  private sequence = 0n;

  constructor(
    private readonly suite: Suite,
    private readonly key: Buffer,
    private readonly salt: Buffer,
  ) {}

  seal(type: number, body: Buffer): Buffer {
    const explicit = sequenceBytes(this.sequence);
    const cipher = createCipheriv(this.suite.cipher, this.key, Buffer.concat([this.salt, explicit]));
    cipher.setAAD(this.header(type, body.length));
    const sealed = Buffer.concat([explicit, cipher.update(body), cipher.final(), cipher.getAuthTag()]);
    this.sequence++;
    return record(type, 0x0303, sealed);
  }

  open({ type, body }: TlsRecord): { type: number; body: Buffer } | undefined {
    if (body.length < 24) return undefined;
    const decipher = createDecipheriv(this.suite.cipher, this.key, Buffer.concat([this.salt, body.subarray(0, 8)]));
    decipher.setAAD(this.header(type, body.length - 24));
    decipher.setAuthTag(body.subarray(-16));
    try {
      const plain = Buffer.concat([decipher.update(body.subarray(8, -16)), decipher.final()]);
      this.sequence++;
      return { type, body: plain };
    } catch {
      return undefined;
    }
  }

  private header(type: number, length: number): Buffer {
    return Buffer.concat([sequenceBytes(this.sequence), Buffer.from([type, 3, 3, length >> 8, length & 255])]);
  }
}

export class Protection13 implements Protection {
  private sequence = 0n;
  private readonly key: Buffer;
  private readonly iv: Buffer;

  constructor(
    private readonly suite: Suite,
    secret: Buffer,
  ) {
    this.key = expandLabel(suite.hash, secret, "key", Buffer.alloc(0), suite.keyBytes);
    this.iv = expandLabel(suite.hash, secret, "iv", Buffer.alloc(0), 12);
  }

  seal(type: number, body: Buffer): Buffer {
    const length = body.length + 17;
    const header = Buffer.from([23, 3, 3, length >> 8, length & 255]);
    const cipher = createCipheriv(this.suite.cipher, this.key, this.nonce());
    cipher.setAAD(header);
    const sealed = Buffer.concat([cipher.update(Buffer.concat([body, Buffer.from([type])])), cipher.final()]);
    this.sequence++;
    return Buffer.concat([header, sealed, cipher.getAuthTag()]);
  }

  open({ type, version, body }: TlsRecord): { type: number; body: Buffer } | undefined {
    if (type !== 23 || body.length < 17) return undefined;
    const decipher = createDecipheriv(this.suite.cipher, this.key, this.nonce());
    decipher.setAAD(Buffer.from([type, version >> 8, version & 255, body.length >> 8, body.length & 255]));
    decipher.setAuthTag(body.subarray(-16));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(body.subarray(0, -16)), decipher.final()]);
    } catch {
      return undefined;
    }
    this.sequence++;
    let end = plain.length;
    while (end > 0 && plain[end - 1] === 0) end--;
    return end === 0 ? undefined : { type: plain[end - 1]!, body: plain.subarray(0, end - 1) };
  }

  private nonce(): Buffer {
    const nonce = Buffer.from(this.iv);
    const counter = sequenceBytes(this.sequence);
    for (let i = 0; i < 8; i++) nonce[4 + i]! ^= counter[i]!;
    return nonce;
  }
}

function sequenceBytes(sequence: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(sequence);
  return bytes;
}
