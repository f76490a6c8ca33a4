/**
 * Reads the session ID and the ticket out of a session as OpenSSL writes it (i2d_SSL_SESSION), for it is the client's own
 * word on what it may resume. A SEQUENCE in DER: version, protocol, cipher, session ID, master key, then tagged fields, of
 * which [9] is the ticket's lifetime hint and [10] the ticket.
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
/** Context-specific and constructed. */
const CONTEXT = 0xa0;
