/**
 * A ServerHello, read as it passes and never held: the chosen version and cipher suite, and the accepted offer.
 *
 * Layout (RFC 8446 4.1.3; before TLS 1.3 the same, RFC 5246 7.4.1.3, except that the extensions may be missing altogether):
 *
 *     u16 version, 32 bytes random, session ID <0..32>, u16 cipher suite, u8 compression method, extensions <0..2^16-1>
 *
 * A HelloRetryRequest is a ServerHello with a fixed random. Promises: every answer is the same however the bytes were cut,
 * and no read leaves the given bytes. Whether an accepted ID or PSK was offered is not known here.
 *
 * Memory: `SERVER_HELLO_READER_SIZE` bytes that the caller provides, 8-byte aligned, whatever the hello's length.
 */
import { HelloFields } from "./hello_fields";
import { MAX_SESSION_ID_LENGTH } from "../wire/limits";
import { ParseError } from "../wire/parse_error";
import { ExtensionType, HELLO_RETRY_RANDOM, RANDOM_SIZE, Version } from "../wire/protocol";

/** The place of the reader: a number of `numberSize` bytes, or a run of bytes. */
const enum Step {
  LegacyVersion = 0,
  Random = 1,
  SessionIdLength = 2,
  SessionId = 3,
  Cipher = 4,
  Compression = 5,
  BlockLength = 6,
  ExtensionType = 7,
  ExtensionLength = 8,
  SelectedVersion = 9,
  SelectedPsk = 10,
  /** The body of an extension. */
  Passed = 11,
  /** An error was found: the rest is passed over. */
  Lost = 12,
  LongSessionId = 13,
}


@unmanaged
export class ServerHelloReader extends HelloFields {
  /** 0x0300 to 0x0304; supported_versions decides if it is there. */
  version: u16;
  cipher: u16;
  /** Index of the accepted PSK identity; -1: none. */
  selectedPsk: i32;
  sessionIdLength: i32;
  /** It is a HelloRetryRequest. */
  retry: bool;
  /** The server of TLS <= 1.2 is going to issue a ticket (RFC 5077 3.2). */
  promisesTicket: bool;
  private step: Step;

  get sessionId(): usize {
    return changetype<usize>(this) + SESSION_ID_OFFSET;
  }

  /** Begins a hello of `length` bytes. */
  start(length: i32): void {
    memory.fill(changetype<usize>(this), 0, offsetof<ServerHelloReader>());
    this.selectedPsk = -1;
    this.retry = true;
    this.left = length;
  }

  /** Adds a piece, which must not reach past the announced length; true when the hello is whole. */
  push(data: usize, count: i32): bool {
    let at = data;
    const end = data + <usize>count;
    while (at < end) at += <usize>this.take(at, <i32>(end - at));
    if (this.left > 0) return false;
    this.close();
    return true;
  }

  /** Takes at least one byte; returns how many. */
  private take(at: usize, available: i32): i32 {
    const size = numberSize(this.step);
    if (size == 0) return this.takeRun(at, min(available, this.run));
    const taken = this.gather(at, available, size);
    if (this.gathered == size) this.number(this.takeNumber());
    return taken;
  }

  private takeRun(at: usize, taken: i32): i32 {
    if (this.step == Step.Random) {
      const place = HELLO_RETRY_RANDOM + <usize>(RANDOM_SIZE - this.run);
      if (memory.compare(at, place, taken) != 0) this.retry = false;
    } else if (this.step == Step.SessionId) {
      memory.copy(this.sessionId + <usize>(this.sessionIdLength - this.run), at, taken);
    }
    this.left -= taken;
    this.run -= taken;
    if (this.run == 0) this.runEnded();
    return taken;
  }

  private number(value: i32): void {
    switch (this.step) {
      case Step.LegacyVersion:
        this.version = <u16>value;
        // RFC 8446 4.2.1: TLS 1.3 is only ever chosen in supported_versions
        if (this.version < Version.SSL30 || this.version > Version.TLS12) return this.lose(ParseError.ServerVersion);
        return this.begin(Step.Random, RANDOM_SIZE);
      case Step.SessionIdLength:
        // Go echoes whatever it was sent, of any length: beyond the length of an ID it names no session.
        this.sessionIdLength = value <= MAX_SESSION_ID_LENGTH ? value : 0;
        return this.begin(value <= MAX_SESSION_ID_LENGTH ? Step.SessionId : Step.LongSessionId, value);
      case Step.Cipher:
        this.cipher = <u16>value;
        this.step = Step.Compression; // changes only sealed bytes
        return;
      case Step.Compression:
        this.step = Step.BlockLength;
        return;
      case Step.BlockLength:
        this.block = value;
        if (value > this.left) return this.lose(ParseError.ServerHelloTruncated);
        return this.nextExtension();
      case Step.ExtensionType:
        this.type = value;
        this.step = Step.ExtensionLength;
        return;
      case Step.ExtensionLength:
        if (!this.enterExtension(value)) return this.lose(ParseError.ServerHelloTruncated);
        return this.beginExtension(value);
      case Step.SelectedVersion: // RFC 8446 4.2.1: one version, and it must be TLS 1.3
        this.version = <u16>value;
        if (value != Version.TLS13) return this.lose(ParseError.ServerVersion);
        return this.nextExtension();
      default: // RFC 8446 4.2.11: selected_identity
        this.selectedPsk = value;
        return this.nextExtension();
    }
  }

  private beginExtension(length: i32): void {
    if (this.type == ExtensionType.SUPPORTED_VERSIONS) {
      this.step = Step.SelectedVersion;
      if (length != 2) this.lose(ParseError.SupportedVersions);
    } else if (this.type == ExtensionType.PRE_SHARED_KEY) {
      this.step = Step.SelectedPsk;
      if (length != 2) this.lose(ParseError.PreSharedKey);
    } else {
      if (this.type == ExtensionType.SESSION_TICKET) this.promisesTicket = true;
      this.begin(Step.Passed, length);
    }
  }

  private runEnded(): void {
    if (this.step == Step.Random) this.step = Step.SessionIdLength;
    else if (this.step == Step.SessionId || this.step == Step.LongSessionId) this.step = Step.Cipher;
    else if (this.step == Step.Passed) this.nextExtension();
  }

  private nextExtension(): void {
    this.step = Step.ExtensionType;
    const error = this.extensionError(ParseError.ServerHelloTruncated, ParseError.ServerHelloTrailing);
    if (error != ParseError.None) this.lose(error);
  }

  /** The message has passed. */
  private close(): void {
    if (this.step == Step.Lost) return;
    const whole = this.step == Step.ExtensionType && this.block == 0;
    // RFC 5246 7.4.1.3: the block itself may be missing
    const bare = this.step == Step.BlockLength;
    if ((!whole && !bare) || this.gathered != 0) return this.lose(ParseError.ServerHelloTruncated);
    if (this.retry && this.version != Version.TLS13) this.lose(ParseError.ServerVersion);
  }

  /** Begins a run of bytes; one without any is over at once. */
  private begin(step: Step, length: i32): void {
    this.step = step;
    this.run = length;
    if (length == 0) this.runEnded();
  }

  private lose(error: ParseError): void {
    this.error = error;
    this.retry = false;
    this.step = Step.Lost;
    this.run = i32.MAX_VALUE;
  }
}

/** Bytes of the number that is read in a step, 0 for a run of bytes. */
function numberSize(step: Step): i32 {
  return <i32>load<u8>(NUMBER_SIZES + <usize>step);
}

// prettier-ignore
const NUMBER_SIZES: usize = memory.data<u8>([2, 0, 1, 0, 2, 1, 2, 2, 2, 2, 2, 0, 0, 0]);

const SESSION_ID_OFFSET: usize = offsetof<ServerHelloReader>();
export const SERVER_HELLO_READER_SIZE: i32 = (<i32>SESSION_ID_OFFSET + MAX_SESSION_ID_LENGTH + 7) & ~7;
