/**
 * A ClientHello, read as it passes and never held: its offers to resume.
 *
 * Layout (RFC 8446 4.1.2; before TLS 1.3 the same, RFC 5246 7.4.1.2, except that the extensions may be missing altogether):
 *
 *     u16 version, 32 bytes random, session ID <0..32>, cipher suites <2..2^16-2>, compression methods <1..2^8-1>,
 *     extensions <0..2^16-1>
 *
 * Promises: reads as leniently as the most lenient server. An error inside an extension is kept to that extension; only if
 * the extensions cannot be told apart, nothing of the hello can be relied on (`Unsure.ALL`). Any extension may come twice,
 * in any order; each of those that count here is taken in. GREASE (RFC 8701) needs no code: unknown values are passed over.
 * Every answer is the same however the bytes were cut, and no read leaves the given bytes.
 *
 * Memory: `CLIENT_HELLO_READER_SIZE` bytes that the caller provides, 8-byte aligned, whatever the hello's length.
 *
 * Cost: one walk, and one SHA-256 of each ticket and of the first `MAX_PSK_IDENTITIES` PSK identities.
 */
import { HelloFields } from "./hello_fields";
import { IDENTITY_READER_SIZE, IdentityReader } from "../ticket/identity_reader";
import { MAX_PSK_IDENTITIES, MAX_SESSION_ID_LENGTH, MAX_SNI_LENGTH } from "../wire/limits";
import { Offers, TICKET_OWNER, Unsure } from "./offers";
import { ParseError } from "../wire/parse_error";
import { ExtensionType, RANDOM_SIZE, Version } from "../wire/protocol";
import { TicketIdentity } from "../ticket/ticket_identity";

/** The place of the reader: a number of `numberSize` bytes, or a run of bytes. */
const enum Step {
  Fixed = 0,
  SessionIdLength = 1,
  SessionId = 2,
  LongSessionId = 3,
  SuitesLength = 4,
  Suites = 5,
  MethodsLength = 6,
  Methods = 7,
  BlockLength = 8,
  ExtensionType = 9,
  ExtensionLength = 10,
  NameListLength = 11,
  NameType = 12,
  NameLength = 13,
  Name = 14,
  OtherName = 15,
  Ticket = 16,
  VersionsLength = 17,
  Version = 18,
  IdentitiesLength = 19,
  IdentityLength = 20,
  Identity = 21,
  OtherIdentity = 22,
  IdentityAge = 23,
  BindersLength = 24,
  BinderLength = 25,
  Binder = 26,
  /** The rest of an extension. */
  Passed = 27,
  /** The rest of the hello, which cannot be read any more. */
  Lost = 28,
}


@unmanaged
export class ClientHelloReader extends HelloFields {
  private step: Step;
  /** Bytes that are left of the current extension, and of the list in it. */
  private body: i32;
  private list: i32;
  private binders: i32;
  private nameSeen: bool;
  /** A host name has begun, valid or not. */
  private nameTold: bool;
  private pskSeen: bool;
  /** The current ticket is not the first one: the server decides which of them is meant. */
  private ticketAgain: bool;
  /** Receives the current ticket or identity. */
  private identity: usize;
  private owner: i32;

  /** Begins a hello of `length` bytes, at least 1. `unsure`: bits that stay, whatever it offers. */
  start(length: i32, offers: Offers, unsure: u32): void {
    offers.clear(unsure);
    memory.fill(changetype<usize>(this), 0, offsetof<ClientHelloReader>());
    this.left = length;
    this.run = 2 + RANDOM_SIZE;
  }

  /** Adds a piece, which must not reach past the announced length; true when the hello is whole. */
  push(data: usize, count: i32, offers: Offers): bool {
    let at = data;
    const end = data + <usize>count;
    while (at < end) at += <usize>this.take(at, <i32>(end - at), offers);
    if (this.left > 0) return false;
    this.close(offers);
    return true;
  }

  /** Takes at least one byte; returns how many. */
  private take(at: usize, available: i32, offers: Offers): i32 {
    const size = numberSize(this.step);
    if (size == 0) return this.takeRun(at, available, offers);
    const taken = this.gather(at, available, size);
    if (this.gathered < size) return taken;
    const value = this.takeNumber();
    if (this.step <= Step.ExtensionLength) this.outerNumber(value, offers);
    else this.innerNumber(value, size, offers);
    return taken;
  }

  private takeRun(at: usize, available: i32, offers: Offers): i32 {
    let taken = min(available, this.run);
    switch (this.step) {
      case Step.SessionId:
        memory.copy(offers.sessionIdPlace + <usize>(offers.sessionIdLength - this.run), at, taken);
        break;
      case Step.Name:
        this.addName(at, taken, offers);
        break;
      case Step.Ticket:
      case Step.Identity:
        taken = this.addIdentity(at, taken, offers);
        break;
      default:
        break;
    }
    this.left -= taken;
    this.run -= taken;
    if (this.run == 0) this.runEnded(offers);
    return taken;
  }

  /** A number outside of the extensions' bodies. */
  private outerNumber(value: i32, offers: Offers): void {
    switch (this.step) {
      case Step.SessionIdLength:
        if (value <= MAX_SESSION_ID_LENGTH) {
          offers.sessionIdLength = value;
          return this.begin(Step.SessionId, value, offers);
        }
        // No cache holds such an ID: a server that takes it up cannot be followed.
        this.note(offers, Unsure.LEGACY, ParseError.SessionIdTooLong);
        return this.begin(Step.LongSessionId, value, offers);
      case Step.SuitesLength:
        return this.begin(Step.Suites, value, offers);
      case Step.MethodsLength:
        return this.begin(Step.Methods, value, offers);
      case Step.BlockLength:
        this.block = value;
        this.step = Step.ExtensionType;
        if (value > this.left) return this.lose(offers, ParseError.ClientHelloTruncated);
        return this.nextExtension(offers);
      case Step.ExtensionType:
        this.type = value;
        this.step = Step.ExtensionLength;
        return;
      default:
        if (!this.enterExtension(value)) return this.lose(offers, ParseError.ClientHelloTruncated);
        this.body = value;
        return this.beginExtension(offers);
    }
  }

  /** A number of `size` bytes inside an extension that has them. */
  private innerNumber(value: i32, size: i32, offers: Offers): void {
    this.body -= size;
    switch (this.step) {
      case Step.NameListLength: // RFC 6066 3: a list of (name type, opaque name <1..2^16-1>)
        this.list = value;
        if (value != this.body) return this.badName(offers);
        return this.nextName(offers);
      case Step.NameType:
        this.type = value;
        this.step = Step.NameLength;
        return;
      case Step.NameLength:
        this.list -= NAME_HEADER_SIZE;
        if (value == 0 || value > this.list) return this.badName(offers);
        this.list -= value;
        return this.beginName(value, offers);
      case Step.VersionsLength: // RFC 8446 4.2.1: versions <2..254>
        return this.nextVersion(offers);
      case Step.Version:
        if (value == Version.TLS13) offers.tls13 = true;
        return this.nextVersion(offers);
      case Step.IdentitiesLength: // RFC 8446 4.2.11: identities <7..2^16-1> of (identity <1..2^16-1>, u32 age)
        this.list = value;
        if (value > this.body) return this.badPsk(offers);
        return this.nextIdentity(offers);
      case Step.IdentityLength:
        this.list -= 2;
        if (value == 0 || value + OBFUSCATED_AGE_SIZE > this.list) return this.badPsk(offers);
        this.list -= value + OBFUSCATED_AGE_SIZE;
        return this.beginPsk(value, offers);
      case Step.BindersLength: // binders <33..2^16-1>, one for each identity
        if (value != this.body) return this.badPsk(offers);
        return this.nextBinder(offers);
      default: // the length of a binder
        if (value == 0 || value > this.body) return this.badPsk(offers);
        this.binders++;
        return this.beginInner(Step.Binder, value, offers);
    }
  }

  private runEnded(offers: Offers): void {
    switch (this.step) {
      case Step.Fixed:
        this.step = Step.SessionIdLength;
        return;
      case Step.SessionId:
      case Step.LongSessionId:
        this.step = Step.SuitesLength;
        return;
      case Step.Suites:
        this.step = Step.MethodsLength;
        return;
      case Step.Methods:
        this.step = Step.BlockLength;
        return;
      case Step.Name:
        if (load<u8>(offers.sniPlace + <usize>(offers.readSniLength - 1)) == FULL_STOP) return this.badName(offers);
        return this.nextName(offers);
      case Step.OtherName:
        return this.nextName(offers);
      case Step.Ticket:
        this.endIdentity(offers);
        return this.nextExtension(offers);
      case Step.Identity:
        this.endIdentity(offers);
        return this.beginInner(Step.IdentityAge, OBFUSCATED_AGE_SIZE, offers);
      case Step.OtherIdentity:
        return this.beginInner(Step.IdentityAge, OBFUSCATED_AGE_SIZE, offers);
      case Step.IdentityAge:
        return this.nextIdentity(offers);
      case Step.Binder:
        return this.nextBinder(offers);
      case Step.Passed:
        return this.nextExtension(offers);
      default:
        return;
    }
  }

  /** The message has passed. */
  private close(offers: Offers): void {
    if (this.step == Step.Lost || (this.step == Step.ExtensionType && this.gathered == 0 && this.block == 0)) return;
    // RFC 5246 7.4.1.2: the block itself may be missing
    if (this.step == Step.BlockLength && this.gathered == 0) return;
    this.lose(offers, ParseError.ClientHelloTruncated);
  }

  /** Begins a run of bytes; one without any is over at once. */
  private begin(step: Step, length: i32, offers: Offers): void {
    this.step = step;
    this.run = length;
    if (length == 0) this.runEnded(offers);
  }

  /** As `begin`, inside an extension if it has so many bytes. */
  private beginInner(step: Step, length: i32, offers: Offers): void {
    this.body -= length;
    this.begin(step, length, offers);
  }

  /** Begins a number inside an extension; false if that has not so many bytes. */
  private beginNumber(step: Step): bool {
    this.step = step;
    return this.body >= numberSize(step);
  }

  private nextExtension(offers: Offers): void {
    this.step = Step.ExtensionType;
    const error = this.extensionError(ParseError.ClientHelloTruncated, ParseError.ClientHelloTrailing);
    if (error != ParseError.None) this.lose(offers, error);
  }

  private beginExtension(offers: Offers): void {
    switch (this.type) {
      case ExtensionType.SERVER_NAME:
        // Of two, one server takes the first and another takes the last.
        if (this.nameSeen) return this.badName(offers);
        this.nameSeen = true;
        if (!this.beginNumber(Step.NameListLength)) this.badName(offers);
        return;
      case ExtensionType.SESSION_TICKET: // RFC 5077 3.2: empty if the client has no ticket yet
        if (this.body > 0) return this.beginTicket(offers);
        offers.asksForTicket = true;
        return this.passRest(offers);
      case ExtensionType.SUPPORTED_VERSIONS:
        if (!this.beginNumber(Step.VersionsLength)) this.passRest(offers);
        return;
      case ExtensionType.EARLY_DATA:
        offers.earlyData = true;
        return this.passRest(offers);
      case ExtensionType.ENCRYPTED_CLIENT_HELLO:
        offers.encryptedHello = true;
        return this.passRest(offers);
      case ExtensionType.PRE_SHARED_KEY:
        // Of two, nobody can tell which one a server's index refers to.
        if (this.pskSeen || !this.beginNumber(Step.IdentitiesLength)) this.badPsk(offers);
        this.pskSeen = true;
        return;
      default:
        return this.passRest(offers);
    }
  }

  /** Passes over the rest of the current extension. */
  private passRest(offers: Offers): void {
    this.begin(Step.Passed, this.body, offers);
  }

  private nextName(offers: Offers): void {
    if (this.list == 0) return this.nameTold ? this.passRest(offers) : this.badName(offers);
    this.step = Step.NameType;
    if (this.list < NAME_HEADER_SIZE) this.badName(offers);
  }

  private beginName(length: i32, offers: Offers): void {
    if (this.type != HOST_NAME) return this.beginInner(Step.OtherName, length, offers);
    // Two of a type are forbidden: the server decides which one counts.
    if (this.nameTold || length > MAX_SNI_LENGTH) return this.badName(offers);
    this.nameTold = true;
    offers.readSniLength = length;
    this.beginInner(Step.Name, length, offers);
  }

  /** The name is attacker text that ends up in logs, metrics and keys: only visible ASCII is kept. */
  private addName(at: usize, count: i32, offers: Offers): void {
    const place = offers.sniPlace + <usize>(offers.readSniLength - this.run);
    memory.copy(place, at, count);
    for (let i = 0; i < count; i++) {
      const byte = load<u8>(at + <usize>i);
      if (byte < 0x21 || byte > 0x7e) return this.spoilName(offers);
    }
  }

  /** A name with other bytes: it is passed over to its end. */
  private spoilName(offers: Offers): void {
    offers.dropName();
    this.step = Step.OtherName;
    this.note(offers, Unsure.NAME, ParseError.None);
  }

  private badName(offers: Offers): void {
    offers.dropName();
    this.note(offers, Unsure.NAME, ParseError.ServerName);
    this.passRest(offers);
  }

  private nextVersion(offers: Offers): void {
    if (!this.beginNumber(Step.Version)) this.passRest(offers);
  }

  private beginTicket(offers: Offers): void {
    this.owner = TICKET_OWNER;
    this.ticketAgain = offers.ticket.present;
    if (this.ticketAgain) offers.forgetWhole(TICKET_OWNER);
    const identity = this.ticketAgain ? offers.addFurther(TICKET_OWNER) : offers.ticket;
    if (!identity) return this.passRest(offers);
    this.beginIdentity(identity, this.body);
    this.beginInner(Step.Ticket, this.body, offers);
  }

  private nextIdentity(offers: Offers): void {
    if (this.list >= IDENTITY_LENGTH_SIZE) {
      this.step = Step.IdentityLength;
      return;
    }
    if (this.list > 0 || offers.pskCount == 0 || !this.beginNumber(Step.BindersLength)) this.badPsk(offers);
  }

  private beginPsk(length: i32, offers: Offers): void {
    this.owner = offers.pskCount++;
    this.ticketAgain = false;
    if (this.owner >= MAX_PSK_IDENTITIES) return this.beginInner(Step.OtherIdentity, length, offers);
    this.beginIdentity(offers.psk(this.owner), length);
    this.beginInner(Step.Identity, length, offers);
  }

  private nextBinder(offers: Offers): void {
    if (this.body > 0) {
      this.step = Step.BinderLength;
      return;
    }
    if (this.binders != offers.pskCount) return this.badPsk(offers);
    this.nextExtension(offers);
  }

  private badPsk(offers: Offers): void {
    this.note(offers, Unsure.PSK, ParseError.PreSharedKey);
    this.passRest(offers);
  }

  private beginIdentity(identity: TicketIdentity, length: i32): void {
    this.identity = changetype<usize>(identity);
    this.reader.start(length);
  }

  private addIdentity(at: usize, count: i32, offers: Offers): i32 {
    const reader = this.reader;
    const taken = reader.push(at, count);
    if (!reader.endsForm) return taken;
    const shorter = offers.addFurther(this.owner);
    if (shorter) reader.takeForm(shorter);
    else reader.passForm();
    return taken;
  }

  private endIdentity(offers: Offers): void {
    const reader = this.reader;
    reader.finish(changetype<TicketIdentity>(this.identity));
    if (reader.isWholeForm && !this.ticketAgain) offers.noteWhole(this.owner);
  }

  /** Notes offers that cannot be relied on, and the reason. */
  private note(offers: Offers, unsure: u32, error: ParseError): void {
    offers.unsure |= unsure;
    if (this.error == ParseError.None) this.error = error;
  }

  private lose(offers: Offers, error: ParseError): void {
    offers.dropName();
    this.note(offers, Unsure.ALL, error);
    this.step = Step.Lost;
    this.run = i32.MAX_VALUE;
  }

  private get reader(): IdentityReader {
    return changetype<IdentityReader>(changetype<usize>(this) + READER_OFFSET);
  }
}

/** Bytes of the number that is read in a step, 0 for a run of bytes. */
function numberSize(step: Step): i32 {
  return <i32>load<u8>(NUMBER_SIZES + <usize>step);
}

// prettier-ignore
const NUMBER_SIZES: usize = memory.data<u8>([
  0, 1, 0, 0, 2, 0, 1, 0, 2, 2, 2, // up to ExtensionLength
  2, 1, 2, 0, 0, // names
  0, 1, 2, // ticket, versions
  2, 2, 0, 0, 0, 2, 1, 0, // PSK identities
  0, 0,
]);
const NAME_HEADER_SIZE: i32 = 3;
const HOST_NAME: i32 = 0;
/** RFC 6066 3: a host name stands without a full stop at its end. */
const FULL_STOP: u8 = 0x2e;
const IDENTITY_LENGTH_SIZE: i32 = 2;
const OBFUSCATED_AGE_SIZE: i32 = 4;

const READER_OFFSET: usize = (offsetof<ClientHelloReader>() + 7) & ~7;
export const CLIENT_HELLO_READER_SIZE: i32 = <i32>READER_OFFSET + IDENTITY_READER_SIZE;
