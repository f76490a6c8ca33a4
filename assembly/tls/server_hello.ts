/**
 * A ServerHello: the version and cipher suite that were chosen, and what was accepted.
 *
 * Layout (RFC 8446 4.1.3; before TLS 1.3 the same, RFC 5246 7.4.1.3, where the extensions may be missing altogether):
 *
 *     u16 version, 32 bytes random, session ID <0..32>, u16 cipher suite, u8 compression method, extensions <0..2^16-1>
 *
 * A HelloRetryRequest is a ServerHello with a fixed random. Promises: as for the ClientHello. Whether an accepted ID or PSK was
 * offered is not known here.
 */
import { CURSOR_SIZE, Cursor } from "../bytes/cursor";
import { ExtensionSet } from "./extension_set";
import { SESSION_ID_MAX } from "./limits";
import { ParseError } from "./parse_error";
import { ExtensionType, HELLO_RETRY_RANDOM, RANDOM_SIZE, Version } from "./protocol";


@unmanaged
export class Answer {
  /** 0x0300 to 0x0304; supported_versions decides where it is there. */
  version: i32;
  cipher: i32;
  /** Index of the accepted PSK identity; -1: none. */
  selectedPsk: i32;
  sessionIdLength: i32;
  /** This is a HelloRetryRequest. */
  retry: bool;

  get sessionId(): usize {
    return changetype<usize>(this) + SESSION_ID_AT;
  }
}

export function readServerHello(data: usize, length: i32, answer: Answer): ParseError {
  const hello = Cursor.over(CURSOR, data, length);
  const legacyVersion = <i32>hello.u16();
  const random = hello.take(RANDOM_SIZE);
  const sessionIdLength = <i32>hello.u8();
  if (sessionIdLength > SESSION_ID_MAX) return ParseError.SessionIdTooLong;
  const sessionId = hello.take(sessionIdLength);
  const cipher = <i32>hello.u16();
  hello.skip(1); // compression: changes what is sealed, not what is seen
  if (hello.failed) return ParseError.ServerHelloTruncated;

  answer.version = legacyVersion;
  answer.cipher = cipher;
  answer.selectedPsk = -1;
  answer.retry = memory.compare(random, HELLO_RETRY_RANDOM, RANDOM_SIZE) == 0;
  answer.sessionIdLength = sessionIdLength;
  memory.copy(answer.sessionId, sessionId, sessionIdLength);

  // RFC 8446 4.2.1: TLS 1.3 is only ever chosen in supported_versions
  if (legacyVersion < Version.SSL30 || legacyVersion > Version.TLS12) return ParseError.ServerVersion;
  const error = readExtensions(hello, answer);
  if (error != ParseError.None) return error;
  return answer.retry && answer.version != Version.TLS13 ? ParseError.ServerVersion : ParseError.None;
}

function readExtensions(hello: Cursor, answer: Answer): ParseError {
  if (hello.left == 0) return ParseError.None; // RFC 5246 7.4.1.3: the block itself may be missing
  const extensionsLength = <i32>hello.u16();
  if (hello.failed || extensionsLength > hello.left) return ParseError.ServerHelloTruncated;
  if (extensionsLength < hello.left) return ParseError.ServerHelloTrailing;

  ExtensionSet.start();
  while (hello.left > 0) {
    const type = <i32>hello.u16();
    const outer = hello.sub(<i32>hello.u16());
    if (hello.failed) return ParseError.ServerHelloTruncated;
    if (!ExtensionSet.add(type)) return ParseError.DuplicateExtension;
    const error = readExtension(type, hello, answer);
    if (error != ParseError.None) return error;
    hello.leave(outer);
  }
  return ParseError.None;
}

/** Reads the body of one extension to its end. */
function readExtension(type: i32, body: Cursor, answer: Answer): ParseError {
  switch (type) {
    case ExtensionType.SUPPORTED_VERSIONS: // RFC 8446 4.2.1: one version, and it must be TLS 1.3
      answer.version = <i32>body.u16();
      if (body.failed || body.left > 0) return ParseError.SupportedVersions;
      return answer.version == Version.TLS13 ? ParseError.None : ParseError.ServerVersion;
    case ExtensionType.PRE_SHARED_KEY: // RFC 8446 4.2.11: selected_identity
      answer.selectedPsk = <i32>body.u16();
      return body.failed || body.left > 0 ? ParseError.PreSharedKey : ParseError.None;
    default:
      body.rest();
      return ParseError.None;
  }
}

/** Parsing one hello never begins inside another's. */
const CURSOR: usize = memory.data(CURSOR_SIZE, 8);

const SESSION_ID_AT: usize = offsetof<Answer>();
export const ANSWER_SIZE: i32 = (<i32>SESSION_ID_AT + SESSION_ID_MAX + 7) & ~7;
