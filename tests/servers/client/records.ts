/** TLS records to bytes and back. Writes fields of any value. Trusts the lengths of the server's records that it reads. */

export interface TlsRecord {
  type: number;
  version: number;
  body: Buffer;
}

export const CHANGE_CIPHER_SPEC = 20;
export const ALERT = 21;
export const HANDSHAKE = 22;
export const APPLICATION_DATA = 23;

export function record(type: number, version: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, version >> 8, version & 255, body.length >> 8, body.length & 255]), body]);
}

export function message(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type]), uint24(body.length), body]);
}

export function uint16(number: number): Buffer {
  return Buffer.from([(number >> 8) & 255, number & 255]);
}

export function uint24(number: number): Buffer {
  return Buffer.from([(number >> 16) & 255, (number >> 8) & 255, number & 255]);
}

/** The bytes, with their length in front in `lengthBytes` bytes. */
export function vector(lengthBytes: 1 | 2, bytes: Buffer): Buffer {
  return Buffer.concat([lengthBytes === 1 ? Buffer.from([bytes.length & 255]) : uint16(bytes.length), bytes]);
}

/** Assembles records from bytes as they come. */
export class RecordReader {
  private rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
  }

  next(): TlsRecord | undefined {
    if (this.rest.length < 5) return undefined;
    const length = this.rest.readUInt16BE(3);
    if (this.rest.length < 5 + length) return undefined;
    const found = {
      type: this.rest[0]!,
      version: this.rest.readUInt16BE(1),
      body: this.rest.subarray(5, 5 + length),
    };
    this.rest = this.rest.subarray(5 + length);
    return found;
  }
}

/** Assembles handshake messages from the bodies of records. */
export class MessageReader {
  private rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
  }

  next(): Buffer | undefined {
    if (this.rest.length < 4) return undefined;
    const end = 4 + this.rest.readUIntBE(1, 3);
    if (this.rest.length < end) return undefined;
    const found = this.rest.subarray(0, end);
    this.rest = this.rest.subarray(end);
    return found;
  }
}
