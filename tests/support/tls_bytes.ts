/**
 * TLS exchanges as bytes, made by hand, both directions in the order in which a proxy sees them. Ciphertext is filler:
 * a passthrough proxy cannot look into it either.
 *
 * Layouts: RFC 5246 (TLS 1.2), RFC 5077 (tickets), RFC 8446 (TLS 1.3). What real stacks send is tested with real stacks.
 */
import { createHash } from "node:crypto";
import type { Flight } from "../fake_host/fake_host.ts";

export interface HelloOptions {
  sessionId?: Buffer;
  sni?: string;
  /** The session_ticket extension: empty asks for one, non-empty offers one. */
  ticket?: Buffer;
  tls13?: boolean;
  pskIdentities?: Buffer[];
  earlyData?: boolean;
}

export function clientHello(options: HelloOptions = {}): Buffer {
  const { sessionId = Buffer.alloc(0), sni, ticket, tls13 = false, pskIdentities = [], earlyData = false } = options;
  const extensions: Buffer[] = [extension(0x0017, Buffer.alloc(0))];
  if (sni !== undefined) {
    extensions.unshift(extension(0x0000, prefixed(2, Buffer.concat([Buffer.of(0), prefixed(2, Buffer.from(sni))]))));
  }
  if (ticket !== undefined) extensions.push(extension(0x0023, ticket));
  if (tls13) {
    extensions.push(extension(0x002b, prefixed(1, Buffer.from("3a3a03040303", "hex"))));
    extensions.push(extension(0x002d, Buffer.from("0101", "hex")));
    extensions.push(
      extension(0x0033, prefixed(2, Buffer.concat([Buffer.from("001d", "hex"), prefixed(2, Buffer.alloc(32, 9))]))),
    );
  }
  if (earlyData) extensions.push(extension(0x002a, Buffer.alloc(0)));
  if (pskIdentities.length > 0) {
    const identities = pskIdentities.map((identity) => Buffer.concat([prefixed(2, identity), Buffer.alloc(4, 1)]));
    const binders = pskIdentities.map(() => prefixed(1, Buffer.alloc(32, 7)));
    extensions.push(
      extension(0x0029, Buffer.concat([prefixed(2, Buffer.concat(identities)), prefixed(2, Buffer.concat(binders))])),
    );
  }
  const body = Buffer.concat([
    Buffer.from("0303", "hex"),
    Buffer.alloc(32, 0xc1),
    prefixed(1, sessionId),
    prefixed(2, Buffer.from("0a0a1301c02cc030", "hex")),
    prefixed(1, Buffer.of(0)),
    prefixed(2, Buffer.concat(extensions)),
  ]);
  return handshakeRecord(0x01, body);
}

export interface ServerHelloOptions {
  sessionId?: Buffer;
  cipher?: number;
  version?: number;
  tls13?: boolean;
  selectedPsk?: number;
  /** Says that a NewSessionTicket will follow. */
  ticket?: boolean;
}

export function serverHello(options: ServerHelloOptions = {}): Buffer {
  const { sessionId = Buffer.alloc(0), tls13 = false, version = 0x0303, selectedPsk, ticket = false } = options;
  const cipher = options.cipher ?? (tls13 ? 0x1301 : 0xc02c);
  const extensions: Buffer[] = [];
  if (ticket) extensions.push(extension(0x0023, Buffer.alloc(0)));
  if (tls13) {
    extensions.push(extension(0x002b, Buffer.from("0304", "hex")));
    extensions.push(extension(0x0033, Buffer.concat([Buffer.from("001d", "hex"), prefixed(2, Buffer.alloc(32, 8))])));
  }
  if (selectedPsk !== undefined) extensions.push(extension(0x0029, uint(2, selectedPsk)));
  const body = Buffer.concat([
    uint(2, version),
    Buffer.alloc(32, 0x5e),
    prefixed(1, sessionId),
    uint(2, cipher),
    Buffer.of(0),
    extensions.length === 0 ? Buffer.alloc(0) : prefixed(2, Buffer.concat(extensions)),
  ]);
  return handshakeRecord(0x02, body);
}

export interface Tls12Options {
  id?: Buffer;
  sni?: string;
  cipher?: number;
  version?: number;
}

/** A full TLS <= 1.2 handshake in which the server issues a session ID. `offered` is the ID that the client tried in vain. */
export function fullWithId(issued: Buffer, options: Tls12Options & { offered?: Buffer } = {}): Flight[] {
  const { cipher, offered, sni, version } = options;
  return [
    client(clientHello({ ...given({ sni, sessionId: offered }) })),
    server(serverHello({ sessionId: issued, ...given({ cipher, version }) }), certificate(), serverHelloDone()),
    client(clientKeyExchange(), changeCipherSpec(), finished()),
    server(changeCipherSpec(), finished()),
  ];
}

/** An abbreviated TLS <= 1.2 handshake: the server takes the session ID back up. */
export function resumedById(id: Buffer, options: Tls12Options = {}): Flight[] {
  const { cipher, sni, version } = options;
  return [
    client(clientHello({ sessionId: id, ...given({ sni }) })),
    server(serverHello({ sessionId: id, ...given({ cipher, version }) }), changeCipherSpec(), finished()),
    client(changeCipherSpec(), finished()),
  ];
}

export interface TicketOptions {
  sni?: string;
  lifetimeHintSeconds?: number;
  /** The session ID that the server puts into its hello although it issues a ticket. */
  sessionId?: Buffer;
}

/** A full TLS 1.2 handshake in which the server issues a ticket. */
export function fullWithTicket(ticket: Buffer, options: TicketOptions = {}): Flight[] {
  const { lifetimeHintSeconds = 7200, sessionId, sni } = options;
  return [
    client(clientHello({ ticket: Buffer.alloc(0), ...given({ sni }) })),
    server(serverHello({ ticket: true, ...given({ sessionId }) }), certificate(), serverHelloDone()),
    client(clientKeyExchange(), changeCipherSpec(), finished()),
    server(newSessionTicket(ticket, lifetimeHintSeconds), changeCipherSpec(), finished()),
  ];
}

/** A TLS 1.2 handshake resumed by a ticket; the client makes up the session ID as OpenSSL does. */
export function resumedByTicket(ticket: Buffer, options: { sni?: string; renewed?: Buffer } = {}): Flight[] {
  const madeUp = sha256(ticket);
  const renewal = options.renewed === undefined ? [] : [newSessionTicket(options.renewed, 7200)];
  return [
    client(clientHello({ ticket, sessionId: madeUp, ...given({ sni: options.sni }) })),
    server(serverHello({ sessionId: madeUp, ticket: renewal.length > 0 }), ...renewal, changeCipherSpec(), finished()),
    client(changeCipherSpec(), finished()),
  ];
}

/** A ticket offered and declined: a full handshake follows, with a session ID or none. */
export function declinedTicket(ticket: Buffer, issued: Buffer = Buffer.alloc(0)): Flight[] {
  return [
    client(clientHello({ ticket, sessionId: sha256(ticket) })),
    server(serverHello({ sessionId: issued }), certificate(), serverHelloDone()),
    client(clientKeyExchange(), changeCipherSpec(), finished()),
    server(changeCipherSpec(), finished()),
  ];
}

export interface Psk13Options {
  sni?: string;
  /** Which identity the server takes; none: a full handshake. */
  selected?: number;
  sessionId?: Buffer;
  earlyData?: boolean;
}

/** A TLS 1.3 handshake, full or resumed by one of the identities offered. */
export function tls13(identities: Buffer[] = [], options: Psk13Options = {}): Flight[] {
  const { earlyData = false, selected, sni } = options;
  const sessionId = options.sessionId ?? Buffer.alloc(32, 0x13);
  const hello = { tls13: true, sessionId, pskIdentities: identities, earlyData, ...given({ sni }) };
  const early = earlyData ? [applicationData(80)] : [];
  return [
    client(clientHello(hello), ...early),
    server(
      serverHello({ tls13: true, sessionId, ...given({ selectedPsk: selected }) }),
      changeCipherSpec(),
      applicationData(600),
    ),
    client(changeCipherSpec(), applicationData(69)),
    server(applicationData(250)),
  ];
}

export function newSessionTicket(ticket: Buffer, lifetimeHintSeconds: number): Buffer {
  return handshakeRecord(0x04, Buffer.concat([uint(4, lifetimeHintSeconds), prefixed(2, ticket)]));
}

export function certificate(): Buffer {
  return handshakeRecord(0x0b, prefixed(3, prefixed(3, Buffer.alloc(900, 0xce))));
}

export function serverHelloDone(): Buffer {
  return handshakeRecord(0x0e, Buffer.alloc(0));
}

export function clientKeyExchange(): Buffer {
  return handshakeRecord(0x10, prefixed(1, Buffer.alloc(65, 4)));
}

export function changeCipherSpec(): Buffer {
  return record(0x14, Buffer.of(1));
}

/** An encrypted Finished of TLS <= 1.2. */
export function finished(): Buffer {
  return record(0x16, Buffer.alloc(40, 0xf1));
}

export function applicationData(length: number): Buffer {
  return record(0x17, Buffer.alloc(length, 0xda));
}

export function alert(level: number, description: number): Buffer {
  return record(0x15, Buffer.of(level, description));
}

export function handshakeRecord(type: number, body: Buffer): Buffer {
  return record(0x16, Buffer.concat([Buffer.of(type), prefixed(3, body)]));
}

export function record(type: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(type), Buffer.from("0303", "hex"), prefixed(2, body)]);
}

export function client(...messages: Buffer[]): Flight {
  return { from: "client", bytes: Buffer.concat(messages) };
}

export function server(...messages: Buffer[]): Flight {
  return { from: "server", bytes: Buffer.concat(messages) };
}

/** The same bytes cut so that none of the pieces is longer than `pieceBytes`. */
export function cut(flights: Flight[], pieceBytes: number): Flight[] {
  return flights.flatMap(({ from, bytes }) => {
    const pieces: Flight[] = [];
    for (let at = 0; at < bytes.length; at += pieceBytes)
      pieces.push({ from, bytes: bytes.subarray(at, at + pieceBytes) });
    return pieces;
  });
}

export function sha256(data: Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}

/** The same 32 bytes for the same number, others for another: a session ID that a test can name. */
export function sessionId(number: number): Buffer {
  return sha256(Buffer.from(`session ${number}`));
}

/** A ticket that begins with a key name, as OpenSSL makes them: 16 bytes of name, then what only its issuer reads. */
export function ticket(keyName: string, number: number): Buffer {
  const name = sha256(Buffer.from(keyName)).subarray(0, 16);
  return Buffer.concat([name, ...Array.from({ length: 5 }, (_, i) => sha256(Buffer.from(`${number}.${i}`)))]);
}

function extension(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint(2, type), prefixed(2, body)]);
}

function prefixed(bytes: number, body: Buffer): Buffer {
  return Buffer.concat([uint(bytes, body.length), body]);
}

function uint(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

/** Leaves out undefined properties, which an optional one may not be. */
function given<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as never;
}
