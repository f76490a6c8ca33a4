/**
 * A ClientHello and what it offers to resume.
 *
 * Layout (RFC 8446 4.1.2; before TLS 1.3 the same, RFC 5246 7.4.1.2, where the extensions may be missing altogether):
 *
 *     u16 version, 32 bytes random, session ID <0..32>, cipher suites <2..2^16-2>, compression methods <1..2^8-1>,
 *     extensions <0..2^16-1>
 *
 * Promises: all of the message is walked, and a length that does not fit what surrounds it is an error and never a read outside. GREASE
 * (RFC 8701) needs no code: unknown values are passed over everywhere. After an error the offers mean nothing.
 *
 * Cost: one walk, and one SHA-256 of each ticket or of the first `PSK_IDENTITIES_MAX` PSK identities.
 */
import { CURSOR_SIZE, Cursor } from "../bytes/cursor";
import { ExtensionSet } from "./extension_set";
import { PSK_IDENTITIES_MAX, SESSION_ID_MAX, SNI_MAX } from "./limits";
import { ParseError } from "./parse_error";
import { ExtensionType, RANDOM_SIZE, Version } from "./protocol";
import { TICKET_IDENTITY_SIZE, TicketIdentity } from "./ticket_identity";


@unmanaged
export class Offers {
  /** Length of the server name; -1: none. */
  sniLength: i32;
  /** A server name was there, and is no text that may be shown or looked up. */
  sniInvalid: bool;
  /** supported_versions names TLS 1.3. */
  tls13: bool;
  earlyData: bool;
  /** A hello that cannot be read is inside, or filler that looks like one. */
  encryptedHello: bool;
  sessionIdLength: i32;
  /** All identities, hashed or not. */
  pskCount: i32;

  get sni(): usize {
    return changetype<usize>(this) + SNI_AT;
  }

  get sessionId(): usize {
    return changetype<usize>(this) + SESSION_ID_AT;
  }

  /** The ticket of TLS 1.2 and before; absent where the extension is empty and only says that tickets are understood. */
  get ticket(): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + TICKET_AT);
  }

  /** One of the first `PSK_IDENTITIES_MAX` identities; `index` must be in range. */
  psk(index: i32): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + PSK_AT + index * TICKET_IDENTITY_SIZE);
  }

  clear(): void {
    memory.fill(changetype<usize>(this), 0, OFFERS_SIZE);
    this.sniLength = -1;
  }
}

export function readClientHello(data: usize, length: i32, offers: Offers): ParseError {
  offers.clear();
  const hello = Cursor.over(CURSOR, data, length);

  hello.skip(2 + RANDOM_SIZE);
  const sessionIdLength = <i32>hello.u8();
  if (sessionIdLength > SESSION_ID_MAX) return ParseError.SessionIdTooLong;
  const sessionId = hello.take(sessionIdLength);

  const suitesLength = <i32>hello.u16();
  hello.skip(suitesLength);
  if (hello.failed) return ParseError.ClientHelloTruncated;
  if (suitesLength == 0 || suitesLength & 1) return ParseError.CipherSuites;

  const methodsLength = <i32>hello.u8();
  hello.skip(methodsLength);
  if (hello.failed) return ParseError.ClientHelloTruncated;
  if (methodsLength == 0) return ParseError.CompressionMethods;

  offers.sessionIdLength = sessionIdLength;
  memory.copy(offers.sessionId, sessionId, sessionIdLength);
  return readExtensions(hello, offers);
}

function readExtensions(hello: Cursor, offers: Offers): ParseError {
  if (hello.left == 0) return ParseError.None; // RFC 5246 7.4.1.2: the block itself may be missing
  const extensionsLength = <i32>hello.u16();
  if (hello.failed || extensionsLength > hello.left) return ParseError.ClientHelloTruncated;
  if (extensionsLength < hello.left) return ParseError.ClientHelloTrailing;

  ExtensionSet.start();
  while (hello.left > 0) {
    // RFC 8446 4.2.11: pre_shared_key must be the last one
    if (offers.pskCount > 0) return ParseError.PreSharedKeyNotLast;
    const type = <i32>hello.u16();
    const outer = hello.sub(<i32>hello.u16());
    if (hello.failed) return ParseError.ClientHelloTruncated;
    if (!ExtensionSet.add(type)) return ParseError.DuplicateExtension;
    const error = readExtension(type, hello, offers);
    if (error != ParseError.None) return error;
    hello.leave(outer);
  }
  return ParseError.None;
}

/** Reads the body of one extension to its end. */
function readExtension(type: i32, body: Cursor, offers: Offers): ParseError {
  switch (type) {
    case ExtensionType.SERVER_NAME:
      return readServerName(body, offers);
    case ExtensionType.SESSION_TICKET: {
      // RFC 5077 3.2: empty where the client has no ticket yet
      const length = body.left;
      if (length > 0) offers.ticket.read(body.rest(), length);
      return ParseError.None;
    }
    case ExtensionType.SUPPORTED_VERSIONS:
      return readSupportedVersions(body, offers);
    case ExtensionType.EARLY_DATA: // RFC 8446 4.2.10: empty in a ClientHello
      offers.earlyData = true;
      return body.left == 0 ? ParseError.None : ParseError.EarlyData;
    case ExtensionType.ENCRYPTED_CLIENT_HELLO:
      offers.encryptedHello = true;
      body.rest();
      return ParseError.None;
    case ExtensionType.PRE_SHARED_KEY:
      return readPreSharedKey(body, offers);
    default:
      body.rest();
      return ParseError.None;
  }
}

/** RFC 6066 3: a list of (name type, opaque name <1..2^16-1>), of which only host_name (0) was ever defined. */
function readServerName(body: Cursor, offers: Offers): ParseError {
  const outer = body.sub(<i32>body.u16());
  if (body.left == 0) return ParseError.ServerName;
  while (body.left > 0) {
    const type = body.u8();
    const length = <i32>body.u16();
    const name = body.take(length);
    if (body.failed || length == 0) return ParseError.ServerName;
    if (type != HOST_NAME) continue;
    if (offers.sniLength >= 0 || offers.sniInvalid) return ParseError.ServerName; // two of a type are forbidden
    keepServerName(name, length, offers);
  }
  body.leave(outer);
  return closed(body, ParseError.ServerName);
}

/** The name is attacker text that ends up in logs, metrics and keys: only visible ASCII is kept. */
function keepServerName(name: usize, length: i32, offers: Offers): void {
  offers.sniInvalid = true;
  if (length > SNI_MAX) return;
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(name + i);
    if (byte < 0x21 || byte > 0x7e) return;
  }
  offers.sniInvalid = false;
  offers.sniLength = length;
  memory.copy(offers.sni, name, length);
}

/** RFC 8446 4.2.1: versions <2..254>. */
function readSupportedVersions(body: Cursor, offers: Offers): ParseError {
  const outer = body.sub(<i32>body.u8());
  if (body.left == 0) return ParseError.SupportedVersions;
  while (body.left > 0) {
    if (body.u16() == Version.TLS13) offers.tls13 = true;
  }
  body.leave(outer);
  return closed(body, ParseError.SupportedVersions);
}

/** RFC 8446 4.2.11: identities <7..2^16-1> of (identity <1..2^16-1>, u32 age), binders <33..2^16-1> of <32..255>, one for each. */
function readPreSharedKey(body: Cursor, offers: Offers): ParseError {
  const identities = body.sub(<i32>body.u16());
  while (body.left > 0) {
    const length = <i32>body.u16();
    const identity = body.take(length);
    body.skip(OBFUSCATED_AGE_SIZE);
    if (body.failed || length == 0) return ParseError.PreSharedKey;
    if (offers.pskCount < PSK_IDENTITIES_MAX) offers.psk(offers.pskCount).read(identity, length);
    offers.pskCount++;
  }
  body.leave(identities);

  let binderCount = 0;
  const binders = body.sub(<i32>body.u16());
  while (body.left > 0) {
    const length = <i32>body.u8();
    body.skip(length);
    if (length < BINDER_MIN) return ParseError.PreSharedKey;
    binderCount++;
  }
  body.leave(binders);

  if (offers.pskCount == 0 || binderCount != offers.pskCount) return ParseError.PreSharedKey;
  return closed(body, ParseError.PreSharedKey);
}

/** The body of an extension was read to its last byte, or `error`. */
function closed(body: Cursor, error: ParseError): ParseError {
  return body.failed || body.left > 0 ? error : ParseError.None;
}

const HOST_NAME: u32 = 0;
const OBFUSCATED_AGE_SIZE: i32 = 4;
/** RFC 8446 4.2.11: PskBinderEntry <32..255>. */
const BINDER_MIN: i32 = 32;

/** Parsing one hello never begins inside another's. */
const CURSOR: usize = memory.data(CURSOR_SIZE, 8);

const SESSION_ID_AT: usize = offsetof<Offers>();
const TICKET_AT: usize = SESSION_ID_AT + SESSION_ID_MAX;
const PSK_AT: usize = TICKET_AT + TICKET_IDENTITY_SIZE;
const SNI_AT: usize = PSK_AT + PSK_IDENTITIES_MAX * TICKET_IDENTITY_SIZE;
export const OFFERS_SIZE: i32 = (<i32>SNI_AT + SNI_MAX + 7) & ~7;
