/**
 * One TLS handshake, seen from the middle: bytes of both directions go in, events and what is known so far come out.
 *
 * Promises: never traps, whatever the bytes are; never waits for or holds bytes of the connection; every answer is the same however the
 * bytes of a direction were cut. What is not a TLS handshake ends the watching with an event, not with harm.
 *
 * Memory: one block of `Handshake.size` bytes, counted against a bound for the whole VM. A hello that lies whole in the given bytes is read
 * where it lies; only one that comes in pieces is gathered, in a buffer that grows with it and is released when it is whole. Where no
 * memory is left for that, the error is `ReassemblyFull`: the only answer that depends on cuts. Other messages are passed over
 * without a copy, tickets are hashed as they pass.
 *
 * Cost: O(bytes) up to `Complete`, a few steps for each record; afterwards nothing is to be fed.
 *
 * Layout of the block: these fields, then one part after the other as the `..._AT` constants below say.
 */
import { ANSWER_SIZE, Answer, readServerHello } from "./server_hello";
import { OFFERS_SIZE, Offers, readClientHello } from "./client_hello";
import { Direction, FLOW_SIZE, Flow, Part, Role } from "./flow";
import { CLIENT_HELLO_MAX, PSK_IDENTITIES_MAX, SERVER_HELLO_MAX } from "./limits";
import { allocateBlock, releaseBlock } from "./memory";
import { MESSAGE_READER_SIZE, MessageReader } from "./message";
import { TICKET_READER_SIZE, TicketReader } from "./new_session_ticket";
import { ParseError } from "./parse_error";
import { AlertDescription, AlertLevel, Version } from "./protocol";
import { REASSEMBLY_SIZE, Reassembly } from "./reassembly";
import { RECORD_READER_SIZE, RecordReader } from "./record";
export { Direction } from "./flow";

export const enum Event {
  /** All bytes consumed, nothing new. */
  NeedMore = 0,
  /** The offers are readable. Comes a second time after a HelloRetryRequest; those offers replace the first. */
  ClientHello = 1,
  /**
   * Version, cipher and what was accepted are readable. Not for a HelloRetryRequest; later than the ServerHello itself
   * where that does not say what was accepted (`undecided`).
   */
  ServerHello = 2,
  /** The handshake is finished: `resumed` and what was issued are final. */
  Complete = 3,
  /** The first bytes of a direction are no TLS handshake. */
  NotTls = 4,
  /** The bytes cannot be followed; `error` says why. */
  Malformed = 5,
  /** A fatal alert, or a close in the form of an alert. */
  Failed = 6,
}

/** How the ServerHello accepted what was offered. */
export const enum Accepted {
  None = 0,
  SessionId = 1,
  Ticket = 2,
  Psk = 3,
}


@unmanaged
export class Handshake {
  /** Bytes that the last `feed` took; at least 1 where it was given any. */
  consumed: i32;
  error: ParseError;
  private event: Event;
  /** The event that ended the watching; NeedMore until then. */
  private ending: Event;
  /** Final at `Complete`; for TLS 1.3 already at `ServerHello`. */
  resumed: bool;
  /** One of `Accepted`. A TLS <= 1.2 echo may still turn out to be a full handshake: `resumed` decides. */
  acceptedKind: u8;
  acceptedPskIndex: i32;
  /**
   * The ServerHello was read, but a TLS <= 1.2 ticket that came without a session ID leaves nothing to echo: only what
   * the server sends next tells whether it was accepted. The event waits for that.
   */
  undecided: bool;

  /** Bytes of one block. */
  static get size(): i32 {
    return <i32>END_AT;
  }

  /** A block for one connection, or null where the memory for live handshakes is used up: then the connection goes unwatched. */
  static create(): Handshake | null {
    const block = allocateBlock(Handshake.size);
    if (block == 0) return null;
    const handshake = changetype<Handshake>(block);
    handshake.acceptedPskIndex = -1;
    handshake.offers.clear();
    handshake.records(Direction.Downstream).start();
    handshake.records(Direction.Upstream).start();
    return handshake;
  }

  /** Gives all its memory back; the handshake must not be used afterwards. */
  free(): void {
    this.reassembly.release();
    releaseBlock(changetype<usize>(this), Handshake.size);
  }

  /**
   * Takes bytes up to the first event and says in `consumed` how many; the rest is to be fed again, unless the event ends the watching
   * (`Complete` and above). After such an end all bytes are consumed and the same event comes again.
   */
  feed(direction: i32, data: usize, length: i32): Event {
    if (this.ending != Event.NeedMore) {
      this.consumed = length;
      return this.ending;
    }
    this.event = Event.NeedMore;
    const end = data + <usize>max(length, 0);
    let at = data;
    while (at < end && this.event == Event.NeedMore) at += this.step(direction, at, <i32>(end - at));
    this.consumed = <i32>(at - data);
    if (this.event >= Event.Complete) this.end();
    return this.event;
  }

  /**
   * Whether the next `length` bytes of the client complete the handshake, as their number alone says that its Finished is
   * among them: then they need not be read, and this is `Complete`. Otherwise nothing has changed, and they are to be fed.
   */
  completesUnread(length: i32): bool {
    if (this.ending != Event.NeedMore || this.partial(Direction.Downstream)) return false;
    if (!this.flow.finishesWith(length)) return false;
    this.event = Event.Complete;
    this.end();
    return true;
  }

  // After ClientHello. Addresses are inside the block and live as long as it, or 0.

  get sni(): usize {
    return this.offers.sniLength >= 0 ? this.offers.sni : 0;
  }

  /** 1 to 255 visible ASCII characters; -1: none. */
  get sniLength(): i32 {
    return this.offers.sniLength;
  }

  /** A server name was there, too long or with other bytes than visible ASCII. */
  get sniInvalid(): bool {
    return this.offers.sniInvalid;
  }

  get offeredId(): usize {
    return this.offers.sessionIdLength > 0 ? this.offers.sessionId : 0;
  }

  /** Length of the session ID; in TLS 1.3 and beside a ticket it is made up and names no session. */
  get offeredIdLength(): i32 {
    return this.offers.sessionIdLength;
  }

  get offers13(): bool {
    return this.offers.tls13;
  }

  get offeredTicket(): bool {
    return this.offers.ticket.present;
  }

  get offeredTicketHash(): usize {
    return this.offers.ticket.hash;
  }

  get offeredTicketKey(): usize {
    return this.offers.ticket.key;
  }

  get offeredPskCount(): i32 {
    return this.offers.pskCount;
  }

  /** 0 for an identity beyond those offered or hashed. */
  pskHash(index: i32): usize {
    return this.hashedPsk(index) ? this.offers.psk(index).hash : 0;
  }

  /** 0 for an identity shorter than 16 bytes, or beyond those offered or hashed. */
  pskKey(index: i32): usize {
    return this.hashedPsk(index) ? this.offers.psk(index).key : 0;
  }

  /** Whether the bytes of a direction have stopped in the middle of a record or message. */
  partial(direction: i32): bool {
    return this.records(direction).partial || this.messages(direction).partial;
  }

  /** Whether the client has offered anything that a server could resume. */
  get offersSession(): bool {
    return this.offeredPskCount > 0 || this.offeredTicket || this.offeredIdLength > 0;
  }

  /** A ClientHello was read. */
  get begun(): bool {
    return this.flow.begun;
  }

  /** `Complete` has come. */
  get completed(): bool {
    return this.ending == Event.Complete;
  }

  /** A HelloRetryRequest was answered: the ClientHello at hand is the second one. */
  get retried(): bool {
    return !this.flow.mayRetry;
  }

  get offeredEncryptedHello(): bool {
    return this.offers.encryptedHello;
  }

  get offeredEarlyData(): bool {
    return this.offers.earlyData;
  }

  // After ServerHello.

  /** The PSK that was accepted stands in an encrypted hello: nothing is known of it. */
  get acceptedUnseen(): bool {
    return this.acceptedKind == Accepted.Psk && this.acceptedPskIndex >= this.offers.pskCount;
  }

  /** 0x0300 to 0x0304. */
  get version(): u16 {
    return <u16>this.answer.version;
  }

  get cipher(): u16 {
    return <u16>this.answer.cipher;
  }

  // After Complete.

  get issuedId(): usize {
    return this.issuedIdLength > 0 ? this.answer.sessionId : 0;
  }

  /** Length of the session ID that a full TLS <= 1.2 handshake issued, else 0. */
  get issuedIdLength(): i32 {
    const full = this.ending == Event.Complete && this.answer.version < Version.TLS13 && !this.resumed;
    return full ? this.answer.sessionIdLength : 0;
  }

  get issuedTicket(): bool {
    return this.tickets.ticket.present;
  }

  get issuedTicketHash(): usize {
    return this.tickets.ticket.hash;
  }

  get issuedTicketKey(): usize {
    return this.tickets.ticket.key;
  }

  /** In seconds, 0: unspecified. */
  get issuedTicketLifetimeHint(): u32 {
    return this.tickets.lifetimeHintSeconds;
  }

  /** Takes at least one byte; answers how many. */
  private step(direction: i32, data: usize, length: i32): i32 {
    const records = this.records(direction);
    if (!records.open) {
      this.recordHeader(direction, records, load<u8>(data));
      return 1;
    }
    const taken = this.recordBody(direction, records, data, min(length, records.left));
    if (records.pass(taken)) this.recordEnd(direction, records.role);
    return taken;
  }

  private recordHeader(direction: i32, records: RecordReader, byte: u8): void {
    const first = records.first;
    const whole = records.push(byte);
    // A server may refuse a hello with an alert; a client begins with nothing else than a hello.
    if (first && !whole && !records.looksLikeTls(direction == Direction.Upstream)) {
      this.event = Event.NotTls;
      return;
    }
    if (whole) this.recordStart(direction, records);
  }

  private recordStart(direction: i32, records: RecordReader): void {
    const error = records.check(this.flow.sealed(direction));
    if (error != ParseError.None) return this.fail(error);

    const role = this.flow.record(direction, records.type, records.length);
    if (role == Role.Unexpected) return this.fail(ParseError.UnexpectedRecord);
    // RFC 8446 5.1: nothing comes between the pieces of a message, except the alert that ends it all
    if (role != Role.Messages && role != Role.Alert && this.messages(direction).partial) {
      return this.fail(ParseError.InterleavedMessage);
    }
    records.role = role;
    if (records.length == 0 && records.pass(0)) this.recordEnd(direction, role);
  }

  /** Takes at least one of the `length` bytes, which all belong to the present record; answers how many. */
  private recordBody(direction: i32, records: RecordReader, data: usize, length: i32): i32 {
    switch (records.role) {
      case Role.Messages:
        return this.readMessages(direction, data, length);
      case Role.Alert:
        this.readAlert(records, load<u8>(data));
        return 1;
      case Role.ChangeCipherSpec:
        if (load<u8>(data) != CHANGE_CIPHER_SPEC) {
          this.fail(ParseError.ChangeCipherSpec);
          return 1;
        }
        this.flow.changed(direction);
        if (this.undecided && direction == Direction.Upstream) this.decide(true);
        return 1;
      default:
        return length;
    }
  }

  private recordEnd(direction: i32, role: Role): void {
    if (role == Role.SealedAlert) this.event = Event.Failed;
    if (role == Role.Finished && this.flow.finished(direction)) this.event = Event.Complete;
  }

  /** RFC 8446 6, RFC 5246 7.2: only a warning that is no close leaves the handshake alive. */
  private readAlert(records: RecordReader, byte: u8): void {
    if (records.left == ALERT_SIZE) {
      records.alertLevel = byte;
      return;
    }
    if (records.alertLevel == AlertLevel.WARNING && byte != AlertDescription.CLOSE_NOTIFY) return;
    this.event = Event.Failed;
  }

  private readMessages(direction: i32, data: usize, length: i32): i32 {
    const messages = this.messages(direction);
    let used = 0;
    while (used < length && this.event == Event.NeedMore) {
      if (!messages.open) {
        if (messages.push(load<u8>(data + used))) this.messageStart(direction, messages);
        used++;
        continue;
      }
      const within = min(length - used, messages.left);
      this.messageBody(messages, data + used, within);
      messages.pass(within);
      used += within;
    }
    return used;
  }

  private messageStart(direction: i32, messages: MessageReader): void {
    messages.part = this.flow.message(direction, messages.type, messages.length);
    if (this.undecided && direction == Direction.Upstream) this.decide(messages.part == Part.NewSessionTicket);
    switch (messages.part) {
      case Part.Unexpected:
        return this.fail(ParseError.UnexpectedMessage);
      case Part.ClientHello:
        if (messages.length > CLIENT_HELLO_MAX) return this.fail(ParseError.HelloTooLong);
        break;
      case Part.ServerHello:
        if (messages.length > SERVER_HELLO_MAX) return this.fail(ParseError.HelloTooLong);
        break;
      case Part.NewSessionTicket: {
        const error = this.tickets.start(messages.length);
        if (error != ParseError.None) return this.fail(error);
        break;
      }
      default:
        break;
    }
    if (messages.length > 0) return;
    this.messageBody(messages, 0, 0);
    messages.pass(0);
  }

  /** `length` bytes of the present message, which may be its last. */
  private messageBody(messages: MessageReader, data: usize, length: i32): void {
    switch (messages.part) {
      case Part.ClientHello:
      case Part.ServerHello:
        if (length == messages.length) return this.readHello(messages.part, data, length);
        return this.gather(messages, data, length);
      case Part.NewSessionTicket: {
        const error = this.tickets.push(data, length);
        if (error != ParseError.None) this.fail(error);
        return;
      }
      default:
        return;
    }
  }

  private gather(messages: MessageReader, data: usize, length: i32): void {
    const reassembly = this.reassembly;
    if (!reassembly.active && !reassembly.start(messages.length)) return this.fail(ParseError.ReassemblyFull);
    if (!reassembly.reserve(length)) return this.fail(ParseError.ReassemblyFull);
    if (!reassembly.push(data, length)) return;
    this.readHello(messages.part, reassembly.buffer, messages.length);
    reassembly.release();
  }

  private readHello(part: Part, data: usize, length: i32): void {
    if (part == Part.ClientHello) this.clientHello(data, length);
    else this.serverHello(data, length);
  }

  private clientHello(data: usize, length: i32): void {
    const error = readClientHello(data, length, this.offers);
    if (error != ParseError.None) return this.fail(error);
    this.flow.offered(this.offers.earlyData);
    this.event = Event.ClientHello;
  }

  private serverHello(data: usize, length: i32): void {
    const answer = this.answer;
    const error = readServerHello(data, length, answer);
    if (error != ParseError.None) return this.fail(error);
    if (answer.retry) {
      if (!this.flow.mayRetry) return this.fail(ParseError.UnexpectedMessage);
      return this.flow.retry();
    }
    if (answer.version == Version.TLS13) {
      if (!this.acceptPsk(answer.selectedPsk)) return this.fail(ParseError.SelectedIdentity);
    } else {
      this.acceptEcho();
    }
    // RFC 5077 3.4: where a ticket came without a session ID, there is nothing to echo
    const resumable = this.acceptedKind != Accepted.None || this.offeredTicket;
    this.flow.answered(answer.version, answer.cipher, resumable);
    this.undecided = answer.version != Version.TLS13 && this.offeredTicket && this.offers.sessionIdLength == 0;
    if (!this.undecided) this.event = Event.ServerHello;
  }

  /** The server went on, with what only an abbreviated handshake has or with something else. */
  private decide(abbreviated: bool): void {
    this.undecided = false;
    if (abbreviated) this.acceptedKind = <u8>Accepted.Ticket;
    this.event = Event.ServerHello;
  }

  /** RFC 8446 4.2.11: what is selected must have been offered; if not here, then in an encrypted hello (RFC 9849 6.1). */
  private acceptPsk(index: i32): bool {
    if (index < 0) return true;
    if (index >= this.offers.pskCount && !this.offers.encryptedHello) return false;
    this.acceptedKind = <u8>Accepted.Psk;
    this.acceptedPskIndex = index;
    this.resumed = true;
    return true;
  }

  /** RFC 5246 7.4.1.3, RFC 5077 3.4: the echo of a non-empty session ID accepts the ticket where there was one, else the ID. */
  private acceptEcho(): void {
    const length = this.answer.sessionIdLength;
    if (length == 0 || length != this.offers.sessionIdLength) return;
    if (memory.compare(this.answer.sessionId, this.offers.sessionId, length) != 0) return;
    this.acceptedKind = <u8>(this.offeredTicket ? Accepted.Ticket : Accepted.SessionId);
  }

  private end(): void {
    this.ending = this.event;
    this.reassembly.release();
    if (this.event != Event.Complete || this.answer.version == Version.TLS13) return;
    this.resumed = this.flow.abbreviated;
  }

  private fail(error: ParseError): void {
    this.error = error;
    this.event = Event.Malformed;
  }

  private hashedPsk(index: i32): bool {
    return index >= 0 && index < min(this.offers.pskCount, PSK_IDENTITIES_MAX);
  }

  private records(direction: i32): RecordReader {
    const at = direction == Direction.Downstream ? CLIENT_RECORDS_AT : SERVER_RECORDS_AT;
    return changetype<RecordReader>(changetype<usize>(this) + at);
  }

  private messages(direction: i32): MessageReader {
    const at = direction == Direction.Downstream ? CLIENT_MESSAGES_AT : SERVER_MESSAGES_AT;
    return changetype<MessageReader>(changetype<usize>(this) + at);
  }

  private get flow(): Flow {
    return changetype<Flow>(changetype<usize>(this) + FLOW_AT);
  }

  private get reassembly(): Reassembly {
    return changetype<Reassembly>(changetype<usize>(this) + REASSEMBLY_AT);
  }

  private get tickets(): TicketReader {
    return changetype<TicketReader>(changetype<usize>(this) + TICKETS_AT);
  }

  private get answer(): Answer {
    return changetype<Answer>(changetype<usize>(this) + ANSWER_AT);
  }

  private get offers(): Offers {
    return changetype<Offers>(changetype<usize>(this) + OFFERS_AT);
  }
}

/** RFC 5246 7.1: the only value it has. */
const CHANGE_CIPHER_SPEC: u8 = 0x01;

const ALERT_SIZE: i32 = 2;

const FIELDS_SIZE: usize = (offsetof<Handshake>() + 7) & ~7;
const CLIENT_RECORDS_AT: usize = FIELDS_SIZE;
const SERVER_RECORDS_AT: usize = CLIENT_RECORDS_AT + RECORD_READER_SIZE;
const CLIENT_MESSAGES_AT: usize = SERVER_RECORDS_AT + RECORD_READER_SIZE;
const SERVER_MESSAGES_AT: usize = CLIENT_MESSAGES_AT + MESSAGE_READER_SIZE;
const FLOW_AT: usize = SERVER_MESSAGES_AT + MESSAGE_READER_SIZE;
const REASSEMBLY_AT: usize = FLOW_AT + FLOW_SIZE;
const TICKETS_AT: usize = REASSEMBLY_AT + REASSEMBLY_SIZE;
const ANSWER_AT: usize = TICKETS_AT + TICKET_READER_SIZE;
const OFFERS_AT: usize = ANSWER_AT + ANSWER_SIZE;
const END_AT: usize = OFFERS_AT + OFFERS_SIZE;
