/**
 * One TLS handshake, seen from the middle: bytes of both directions go in, events come out, and everything known so far can
 * be read.
 *
 * Promises: never traps, whatever the bytes are; never waits for or holds bytes of the connection; every answer is the same
 * however the bytes of a direction were cut. Until the server's answer has shown whether it resumes (`ServerHello`), nothing
 * that a client sends ends the watching: an offer that cannot be followed is `Unsure`, and an acceptance of it is
 * `acceptedUnfollowed`. Behind that, bytes that are not a TLS handshake end the watching with an event, and do no harm.
 *
 * Memory: one block of `Handshake.size` bytes, counted against a bound for the whole VM, whatever the hellos' lengths: both
 * are read as they pass, tickets are hashed. If that bound is reached, a block of `Handshake.smallSize` reads the server's
 * answer alone.
 *
 * Cost: O(bytes) up to `Complete`, a few steps for each record; afterwards nothing needs to be fed.
 *
 * Layout of the block: these fields, then one part after the other at the `..._OFFSET` constants below; a small block ends
 * before the client's parts.
 */
import { CLIENT_HELLO_READER_SIZE, ClientHelloReader } from "./hello/client_hello";
import { Course, Direction, FLOW_SIZE, Flow, Part, Role } from "./flow";
import { MAX_PSK_IDENTITIES } from "./wire/limits";
import { allocateBlock, allocateReserve, releaseBlock, releaseReserve } from "./memory";
import { MESSAGE_READER_SIZE, MessageReader } from "./wire/message";
import { TICKET_READER_SIZE, TicketReader } from "./ticket/new_session_ticket";
import { OFFERS_SIZE, Offers, Unsure } from "./hello/offers";
import { ParseError } from "./wire/parse_error";
import { AlertDescription, AlertLevel, ContentType, MessageType, Version } from "./wire/protocol";
import { RECORD_READER_SIZE, RecordReader } from "./wire/record";
import { RecordFollower } from "./wire/record_follower";
import { SERVER_HELLO_READER_SIZE, ServerHelloReader } from "./hello/server_hello";
export { Direction } from "./flow";
export { TICKET_OWNER } from "./hello/offers";

export const enum Event {
  /** All bytes consumed, nothing new. */
  NeedMore = 0,
  /** The offers are readable. Comes a second time after a HelloRetryRequest; those offers replace the first. */
  ClientHello = 1,
  /**
   * Version, cipher and acceptance are readable. Not for a HelloRetryRequest. In TLS <= 1.2 it comes with the first byte or
   * message behind the ServerHello, which shows whether the server resumes (`undecided`).
   */
  ServerHello = 2,
  /** The client's bytes do not begin with a record: its offers stay unknown. Comes once, and does not end the watching. */
  Unfollowed = 3,
  /** The handshake is finished: the issued ID and ticket are final. */
  Complete = 4,
  /** The server's bytes are not TLS. */
  NotTls = 5,
  /** The bytes cannot be followed, for the reason in `error`. */
  Malformed = 6,
  /** A fatal alert, or a close in the form of an alert. */
  Failed = 7,
}

/** The offer that the server's answer accepted. */
export const enum Accepted {
  None = 0,
  SessionId = 1,
  Ticket = 2,
  Psk = 3,
}


@unmanaged
export class Handshake {
  /** Bytes that the last `feed` took; at least 1 if it was given any. */
  consumed: i32;
  error: ParseError;
  private event: Event;
  /** The event that ended the watching; NeedMore until then. */
  private ending: Event;
  /** The server resumes a session. Final at `ServerHello`. */
  resumed: bool;
  /** One of `Accepted`, None for a full handshake. Final at `ServerHello`. */
  acceptedKind: u8;
  acceptedPskIndex: i32;
  /** An offer was accepted, and nobody can tell which session it was. */
  acceptedUnfollowed: bool;
  /** The server resumes, and issues a new ticket with that (RFC 5077 3.3). Final at `ServerHello`; TLS <= 1.2 only. */
  renews: bool;
  /** The ServerHello of TLS <= 1.2 was read, and nothing behind it has shown yet whether the server resumes. */
  undecided: bool;
  /** Only the server's answer is read, for want of memory. */
  small: bool;
  private reportedUnfollowed: bool;
  /** Bits of `Unsure` that no later hello takes back. */
  private lasting: u32;
  /** An error of the client's side that nobody has counted yet. */
  private uncounted: ParseError;

  /** Bytes of one block. */
  static get size(): i32 {
    return <i32>END_OFFSET;
  }

  /** Bytes of a block that reads the server's answer alone. */
  static get smallSize(): i32 {
    return <i32>CLIENT_RECORDS_OFFSET;
  }

  /**
   * A block for one connection: a small one if the memory for live handshakes is used up; null if the reserve is, too, and
   * the connection cannot be watched.
   */
  static create(): Handshake | null {
    let block = allocateBlock(Handshake.size);
    const small = block == 0;
    if (small) block = allocateReserve(Handshake.smallSize);
    if (block == 0) return null;
    const handshake = changetype<Handshake>(block);
    handshake.acceptedPskIndex = -1;
    handshake.small = small;
    if (!small) handshake.offers.clear(0);
    return handshake;
  }

  /** Frees all its memory; the handshake must not be used afterwards. */
  free(): void {
    const block = changetype<usize>(this);
    if (this.small) releaseReserve(block, Handshake.smallSize);
    else releaseBlock(block, Handshake.size);
  }

  /**
   * Takes bytes up to the first event, and leaves their number in `consumed`; feed the rest again, unless the event ends the
   * watching (`Complete` and above). After such an end all bytes are consumed and the same event comes again.
   */
  feed(direction: i32, data: usize, length: i32): Event {
    if (this.passesOver(direction)) {
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
   * As `feed`, but takes a byte of a header, or bytes of one record; `inEarlyData` reports their sort before. For the
   * client's bytes up to the answer, and only while the handshake is watched.
   */
  feedStep(data: usize, length: i32): Event {
    if (this.passesOver(Direction.Downstream)) {
      this.consumed = length;
      return this.ending;
    }
    this.event = Event.NeedMore;
    this.consumed = this.step(Direction.Downstream, data, length);
    if (this.event >= Event.Complete) this.end();
    return this.event;
  }

  /** Whether the next byte of the client is the first of a record. */
  get betweenRecords(): bool {
    return !this.small && !this.records(Direction.Downstream).partial;
  }

  /**
   * Whether the client's next byte, `next`, belongs to a record of application data: up to the server's answer that is early
   * data (RFC 8446 2.3).
   */
  inEarlyData(next: u8): bool {
    if (this.small) return false;
    const records = this.records(Direction.Downstream);
    if (!records.partial) return next == <u8>ContentType.APPLICATION_DATA;
    return records.beginsType(ContentType.APPLICATION_DATA);
  }

  /**
   * Completes the handshake with the client's next `length` bytes, unread, if their number alone shows that its Finished is
   * among them. False: nothing has changed, and the bytes must be fed.
   */
  completeUnread(length: i32): bool {
    if (this.passesOver(Direction.Downstream) || this.partial(Direction.Downstream)) return false;
    if (!this.flow.takeFinished(length)) return false;
    this.event = Event.Complete;
    this.end();
    return true;
  }

  /** Returns an error of the client's side that was not counted yet, once; None if there is none. */
  takeUncounted(): ParseError {
    const error = this.uncounted;
    this.uncounted = ParseError.None;
    return error;
  }

  /** Hands the client's records on to a follower behind the handshake. False if they cannot be followed. */
  handOver(follower: RecordFollower): bool {
    if (this.small || this.answer.version >= Version.TLS13 || !this.flow.decided) return false;
    const records = this.records(Direction.Downstream);
    if (records.lost && !records.followable) return false;
    follower.start(records, this.flow.clientSealsIn);
    return true;
  }

  /**
   * The client's offers, readable after ClientHello. Their addresses lie inside the block and live as long as it. A small
   * block has none: all of them are `Unsure`.
   */
  get offers(): Offers {
    return changetype<Offers>(this.small ? NO_OFFERS : changetype<usize>(this) + OFFERS_OFFSET);
  }

  /** The server's hello, readable after ServerHello. */
  get answer(): ServerHelloReader {
    return changetype<ServerHelloReader>(changetype<usize>(this) + ANSWER_OFFSET);
  }

  /** The ticket that the server of TLS <= 1.2 issued, readable after Complete. */
  get tickets(): TicketReader {
    return changetype<TicketReader>(this.small ? NO_TICKETS : changetype<usize>(this) + TICKETS_OFFSET);
  }

  /** Whether the bytes of a direction have stopped in the middle of a record or message. */
  partial(direction: i32): bool {
    if (this.small && direction == Direction.Downstream) return false;
    return this.records(direction).partial || this.messages(direction).partial;
  }

  /** Whether a ClientHello was read. */
  get begun(): bool {
    return this.flow.begun;
  }

  /** Whether `Complete` has come. */
  get completed(): bool {
    return this.ending == Event.Complete;
  }

  /** Whether the client has answered a HelloRetryRequest: the offers are those of its second ClientHello. */
  get retried(): bool {
    return !this.flow.mayRetry;
  }

  /**
   * Whether the ServerHello of TLS <= 1.2 was read, nothing behind it was, and it may be a resumption: it echoes the session
   * ID, or there was none to echo beside the ticket (RFC 5077 3.4).
   */
  get mayResume(): bool {
    if (!this.undecided) return false;
    const length = this.offers.sessionIdLength;
    if (length == 0) return this.offers.ticket.present;
    if (length != this.answer.sessionIdLength) return false;
    return memory.compare(this.answer.sessionId, this.offers.sessionId, length) == 0;
  }

  /** Whether the server's answer has shown if it resumes. */
  get decided(): bool {
    return this.flow.decided;
  }

  /** Whether the accepted PSK stands in an encrypted hello: nothing is known of it. */
  get acceptedUnseen(): bool {
    return this.acceptedKind == Accepted.Psk && this.acceptedPskIndex >= this.offers.pskCount;
  }

  /** Address of the session ID that was issued, 0 if none was. */
  get issuedId(): usize {
    return this.issuedIdLength > 0 ? this.answer.sessionId : 0;
  }

  /** Length of the session ID that a full TLS <= 1.2 handshake issued; 0 until Complete, and for any other handshake. */
  get issuedIdLength(): i32 {
    const full = this.ending == Event.Complete && this.answer.version < Version.TLS13 && !this.resumed;
    return full ? this.answer.sessionIdLength : 0;
  }

  /** Whether bytes of a direction are ignored from here on. */
  private passesOver(direction: i32): bool {
    if (this.ending != Event.NeedMore) return true;
    if (direction == Direction.Upstream) return false;
    return this.small || (this.reportedUnfollowed && !this.records(Direction.Downstream).followable);
  }

  /** Takes at least one byte; returns how many. */
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
    const whole = records.push(byte);
    if (records.lost && direction == Direction.Upstream) this.event = Event.NotTls;
    else if (records.lost && !this.reportedUnfollowed) this.lose();
    else if (whole) this.recordStart(direction, records);
  }

  /** The client's bytes do not begin with a record. */
  private lose(): void {
    this.reportedUnfollowed = true;
    this.notFollowed(Unsure.ALL);
    this.event = Event.Unfollowed;
  }

  private recordStart(direction: i32, records: RecordReader): void {
    const flow = this.flow;
    if (flow.decided) {
      const error = records.check(flow.sealed(direction));
      if (error != ParseError.None) return this.fail(error);
    }
    let role = flow.record(direction, records.type, records.length);
    if (role == Role.Unexpected) return this.fail(ParseError.UnexpectedRecord);
    if (flow.decided) {
      // RFC 8446 5.1: nothing comes between the pieces of a message, except the alert that ends it all
      if (role != Role.Messages && role != Role.Alert && this.messages(direction).partial)
        return this.fail(ParseError.InterleavedMessage);
    } else if (role == Role.Alert && records.length != ALERT_SIZE) {
      role = Role.Skip;
    }
    records.role = role;
    if (records.length == 0 && records.pass(0)) this.recordEnd(direction, role);
  }

  /** Takes at least one of the `length` bytes, which all belong to the current record; returns how many. */
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
        if (this.undecided) this.decide(Course.Abbreviated);
        this.flow.changed(direction);
        return 1;
      default:
        return length;
    }
  }

  private recordEnd(direction: i32, role: Role): void {
    if (role == Role.SealedAlert) this.event = Event.Failed;
    if (role == Role.Finished && this.flow.finished(direction)) this.event = Event.Complete;
  }

  /** RFC 8446 6, RFC 5246 7.2: only a warning other than a close leaves the handshake alive. */
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
    if (this.undecided && direction == Direction.Upstream && messages.type != MessageType.HELLO_REQUEST) {
      this.renews = messages.part == Part.NewSessionTicket;
      this.decide(this.renews ? Course.Abbreviated : Course.Full);
    }
    switch (messages.part) {
      case Part.Unexpected:
        return this.fail(ParseError.UnexpectedMessage);
      case Part.ClientHello:
        this.uncounted = ParseError.None;
        this.clientHello.start(messages.length, this.offers, this.lasting);
        break;
      case Part.UnaskedClientHello:
        this.noteUnfollowed(ParseError.UnexpectedMessage);
        break;
      case Part.ServerHello:
        this.answer.start(messages.length);
        break;
      case Part.NewSessionTicket: {
        if (this.small) break;
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

  /** `length` bytes of the current message, which may be its last. */
  private messageBody(messages: MessageReader, data: usize, length: i32): void {
    switch (messages.part) {
      case Part.ClientHello:
        // The answer is there: no later offer changes it.
        if (!this.flow.unanswered) return;
        if (this.clientHello.push(data, length, this.offers)) this.clientHelloRead();
        return;
      case Part.ServerHello:
        if (this.answer.push(data, length)) this.serverHelloRead();
        return;
      case Part.NewSessionTicket: {
        if (this.small) return;
        const error = this.tickets.push(data, length);
        if (error != ParseError.None) this.fail(error);
        return;
      }
      default:
        return;
    }
  }

  private clientHelloRead(): void {
    this.uncounted = this.clientHello.error;
    this.flow.offered(this.offers.earlyData);
    this.event = Event.ClientHello;
  }

  private serverHelloRead(): void {
    const answer = this.answer;
    // A server that answers a hello that is not whole here has understood more than anybody here. If its own hello cannot be
    // read, the bytes behind it still show whether it resumes.
    if (answer.error != ParseError.None) this.noteUnfollowed(answer.error);
    else if (!this.small && !this.flow.awaitsAnswer) this.noteUnfollowed(ParseError.UnexpectedMessage);
    if (answer.retry) return this.flow.retry();
    this.flow.answered(answer.version, answer.cipher);
    if (answer.version == Version.TLS13) {
      this.acceptPsk(answer.selectedPsk);
      this.event = Event.ServerHello;
    } else {
      this.undecided = true;
    }
  }

  /** The server of TLS <= 1.2 has shown by its next bytes whether it resumes. */
  private decide(course: Course): void {
    this.undecided = false;
    this.flow.decide(course);
    if (course == Course.Abbreviated) this.acceptLegacy();
    this.event = Event.ServerHello;
  }

  /**
   * RFC 8446 4.2.11: a selected identity must have been offered; if not here, then in an encrypted hello (RFC 9849 6.1), or
   * in one that nobody could follow.
   */
  private acceptPsk(index: i32): void {
    if (index < 0) return;
    const offers = this.offers;
    this.resumed = true;
    this.acceptedKind = <u8>Accepted.Psk;
    this.acceptedPskIndex = index;
    const seen = index < min(offers.pskCount, MAX_PSK_IDENTITIES);
    const inside = index >= offers.pskCount && offers.encryptedHello;
    this.acceptedUnfollowed = (offers.unsure & Unsure.PSK) != 0 || (!seen && !inside);
  }

  /** RFC 5246 7.3, RFC 5077 3.4: a ticket comes before a session ID, if a server goes by the book. */
  private acceptLegacy(): void {
    const offers = this.offers;
    const ticket = offers.ticket.present;
    this.resumed = true;
    this.acceptedKind = <u8>(ticket ? Accepted.Ticket : Accepted.SessionId);
    this.acceptedUnfollowed = (offers.unsure & Unsure.LEGACY) != 0 || (!ticket && offers.sessionIdLength == 0);
  }

  /** Notes that nothing of the client's offers can be relied on, for a reason that is to be counted. */
  private noteUnfollowed(error: ParseError): void {
    this.notFollowed(Unsure.ALL);
    this.uncounted = error;
  }

  /** Notes bits of `Unsure` that no later hello takes back. */
  private notFollowed(unsure: u32): void {
    this.lasting |= unsure;
    if (!this.small) this.offers.unsure |= unsure;
  }

  private end(): void {
    this.ending = this.event;
  }

  /** An answer that the same byte has decided is reported first: it may be one to refuse. */
  private fail(error: ParseError): void {
    this.error = error;
    if (this.event == Event.ServerHello) this.ending = Event.Malformed;
    else this.event = Event.Malformed;
  }

  private records(direction: i32): RecordReader {
    const at = direction == Direction.Downstream ? CLIENT_RECORDS_OFFSET : SERVER_RECORDS_OFFSET;
    return changetype<RecordReader>(changetype<usize>(this) + at);
  }

  private messages(direction: i32): MessageReader {
    const at = direction == Direction.Downstream ? CLIENT_MESSAGES_OFFSET : SERVER_MESSAGES_OFFSET;
    return changetype<MessageReader>(changetype<usize>(this) + at);
  }

  private get flow(): Flow {
    return changetype<Flow>(changetype<usize>(this) + FLOW_OFFSET);
  }

  private get clientHello(): ClientHelloReader {
    return changetype<ClientHelloReader>(changetype<usize>(this) + CLIENT_HELLO_OFFSET);
  }
}

/** The offers of a small block: none, and none for sure. */
const NO_OFFERS: usize = noOffers();

function noOffers(): usize {
  const offers = changetype<Offers>(heap.alloc(OFFERS_SIZE));
  offers.clear(Unsure.ALL);
  return changetype<usize>(offers);
}

/** The issued ticket of a small block: none. Never written to. */
const NO_TICKETS: usize = memory.data(TICKET_READER_SIZE, 8);

/** RFC 5246 7.1: its only value. */
const CHANGE_CIPHER_SPEC: u8 = 0x01;

const ALERT_SIZE: i32 = 2;

const FIELDS_SIZE: usize = (offsetof<Handshake>() + 7) & ~7;
const SERVER_RECORDS_OFFSET: usize = FIELDS_SIZE;
const SERVER_MESSAGES_OFFSET: usize = SERVER_RECORDS_OFFSET + RECORD_READER_SIZE;
const FLOW_OFFSET: usize = SERVER_MESSAGES_OFFSET + MESSAGE_READER_SIZE;
const ANSWER_OFFSET: usize = FLOW_OFFSET + FLOW_SIZE;
const CLIENT_RECORDS_OFFSET: usize = ANSWER_OFFSET + SERVER_HELLO_READER_SIZE;
const CLIENT_MESSAGES_OFFSET: usize = CLIENT_RECORDS_OFFSET + RECORD_READER_SIZE;
const CLIENT_HELLO_OFFSET: usize = CLIENT_MESSAGES_OFFSET + MESSAGE_READER_SIZE;
const TICKETS_OFFSET: usize = CLIENT_HELLO_OFFSET + CLIENT_HELLO_READER_SIZE;
const OFFERS_OFFSET: usize = TICKETS_OFFSET + TICKET_READER_SIZE;
const END_OFFSET: usize = OFFERS_OFFSET + OFFERS_SIZE;
