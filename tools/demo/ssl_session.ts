/**
 * Reads the session ID and the ticket out of a session as OpenSSL writes it (i2d_SSL_SESSION), for it is the client's own
 * word on what it may resume. A SEQUENCE in DER: version, protocol, cipher, session ID, master key, then tagged fields, of
 * which [9] is the ticket's lifetime hint and [10] the ticket. And writes another ticket in.
 */
export interface SslSession {
  sessionId: Buffer;
  ticket: Buffer | null;
  ticketLifetimeSeconds: number | null;
}

export function sessionOf(der: Buffer): SslSession {
  const fields = elements(element(der, 0).content);
  const sessionId = fields[3];
  if (sessionId?.tag !== OCTET_STRING) throw new Error("no session ID where OpenSSL writes it");
  const tagged = (number: number): Buffer | null => {
    const field = fields.find(({ tag }) => tag === (CONTEXT | number));
    return field === undefined ? null : element(field.content, 0).content;
  };
  const lifetime = tagged(9);
  return {
    sessionId: sessionId.content,
    ticket: tagged(10),
    ticketLifetimeSeconds: lifetime === null ? null : Number(`0x${lifetime.toString("hex")}`),
  };
}

/** The same session with another ticket, for a client that offers what nobody has issued to it. */
export function withTicket(der: Buffer, ticket: Buffer): Buffer {
  const { content } = element(der, 0);
  const ticketField = tlv(CONTEXT | 10, tlv(OCTET_STRING, ticket));
  const fields: Buffer[] = [];
  let isIn = false;
  for (let at = 0; at < content.length;) {
    const { tag, end } = element(content, at);
    // Tagged fields come in the order of their numbers.
    if (!isIn && (tag & CLASS_BITS) === CONTEXT_CLASS && tag >= (CONTEXT | 10)) {
      fields.push(ticketField);
      isIn = true;
    }
    if (tag !== (CONTEXT | 10)) fields.push(content.subarray(at, end));
    at = end;
  }
  if (!isIn) fields.push(ticketField);
  return tlv(SEQUENCE, Buffer.concat(fields));
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length >= 0x10000) throw new Error(`${length} bytes are more than a session holds`);
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

interface Element {
  tag: number;
  content: Buffer;
  end: number;
}

function elements(bytes: Buffer): Element[] {
  const all: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = element(bytes, at);
    all.push(next);
    at = next.end;
  }
  return all;
}

function element(bytes: Buffer, at: number): Element {
  const tag = bytes.readUInt8(at);
  const first = bytes.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  return { tag, content: bytes.subarray(start, start + length), end: start + length };
}

const OCTET_STRING = 0x04;
const SEQUENCE = 0x30;
const CLASS_BITS = 0xc0;
const CONTEXT_CLASS = 0x80;
/** Context-specific and constructed. */
const CONTEXT = 0xa0;
