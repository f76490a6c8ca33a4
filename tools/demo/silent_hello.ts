/**
 * A TLS 1.3 client that speaks once and is silent from then on, byte for byte, as no TLS library would: it offers a ticket, and then
 * keeps the server waiting. RFC 8446 4.1.2, 4.2.11.
 */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/**
 * Whom the silence leaves waiting: `retry`, a server that has asked for a key share (HelloRetryRequest, RFC 8446 4.1.4); `record`, a
 * server that has the whole ClientHello, but not all of the record that it came in.
 */
export type Silence = "retry" | "record";

export interface SilentClient {
  /** All that the server has sent so far. */
  received(): Buffer;
  end(): void;
}

export function startSilentClient(port: number, localAddress: string, silence: Silence, ticket: Buffer): SilentClient {
  const chunks: Buffer[] = [];
  const socket: Socket = connect({ host: "127.0.0.1", port, localAddress }, () => {
    const hello = clientHello(ticket, silence === "record");
    socket.write(record(hello, silence === "record" ? hello.length + MISSING_BYTES : hello.length));
  });
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  return { received: () => Buffer.concat(chunks), end: () => void socket.destroy() };
}

/** Whether a server has asked for another hello: by the random of its own (RFC 8446 4.1.3). */
export function asksToRetry(received: Buffer): boolean {
  return received.includes(RETRY_RANDOM);
}

function clientHello(ticket: Buffer, hasKeyShare: boolean): Buffer {
  // Any 32 bytes are a public key of x25519.
  const shares = hasKeyShare ? Buffer.concat([uint16(X25519), vector16(randomBytes(32))]) : Buffer.alloc(0);
  const name = Buffer.concat([Buffer.of(0), vector16(Buffer.from("shop.example"))]);
  const identity = Buffer.concat([vector16(ticket), randomBytes(4)]);
  const binder = Buffer.concat([Buffer.of(32), randomBytes(32)]);
  const extensions = [
    extension(0, vector16(name)),
    extension(10, vector16(uint16(X25519))),
    // ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256
    extension(13, vector16(Buffer.concat([uint16(0x0403), uint16(0x0804)]))),
    extension(43, Buffer.of(2, 3, 4)),
    // psk_dhe_ke
    extension(45, Buffer.of(1, 1)),
    extension(51, vector16(shares)),
    extension(41, Buffer.concat([vector16(identity), vector16(binder)])),
  ];
  const body = Buffer.concat([
    uint16(0x0303),
    randomBytes(32),
    Buffer.of(32),
    randomBytes(32),
    // TLS_AES_128_GCM_SHA256
    vector16(uint16(0x1301)),
    Buffer.of(1, 0),
    vector16(Buffer.concat(extensions)),
  ]);
  return Buffer.concat([Buffer.of(1, 0), vector16(body)]);
}

function record(message: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.of(22, 3, 1), uint16(length), message]);
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector16(body)]);
}

function vector16(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

const X25519 = 0x001d;
const MISSING_BYTES = 64;
const RETRY_RANDOM = Buffer.from("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c", "hex");
