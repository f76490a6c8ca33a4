/**
 * The NewSessionTicket of TLS 1.2 (RFC 5077 3.3), read as it passes and never held. That of TLS 1.3 is sealed and never
 * seen.
 *
 *     0  u32    lifetime hint in seconds, 0: unspecified
 *     4  u16    length of the ticket; 0: the server changed its mind and issues none
 *     6  bytes  the ticket
 *
 * Promises: one hash over the ticket whatever its size, no buffer. `TICKET_READER_SIZE` bytes that the caller provides,
 * 8-byte aligned, all zero at the start. A second message takes the place of the first.
 */
import { SHA256_STATE_SIZE, sha256Final, sha256Init, sha256Update } from "../../bytes/sha256";
import { TICKET_KEY_LENGTH } from "../wire/limits";
import { ParseError } from "../wire/parse_error";
import { TICKET_IDENTITY_SIZE, TicketIdentity } from "./ticket_identity";


@unmanaged
export class TicketReader {
  private header: u64;
  private headerLength: i32;
  private messageLength: i32;
  private ticketLength: i32;
  private seen: i32;
  /** 0: unspecified. */
  lifetimeHintSeconds: u32;

  /** The ticket that was issued, once its message has passed. */
  get ticket(): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + TICKET_OFFSET);
  }

  start(messageLength: i32): ParseError {
    if (messageLength < HEADER_SIZE) return ParseError.NewSessionTicket;
    this.ticket.clear();
    this.header = 0;
    this.headerLength = 0;
    this.messageLength = messageLength;
    this.seen = 0;
    sha256Init(this.hashing);
    return ParseError.None;
  }

  /** Adds a piece of the message body, which must not reach past its announced length. */
  push(data: usize, count: i32): ParseError {
    let at = data;
    const end = data + count;
    while (at < end && this.headerLength < HEADER_SIZE) {
      this.header = (this.header << 8) | load<u8>(at++);
      if (++this.headerLength < HEADER_SIZE) continue;
      this.lifetimeHintSeconds = <u32>(this.header >> 16);
      this.ticketLength = <i32>(this.header & 0xffff);
      if (this.ticketLength != this.messageLength - HEADER_SIZE) return ParseError.NewSessionTicket;
    }
    const length = <i32>(end - at);
    if (length == 0) return ParseError.None;

    if (this.seen < TICKET_KEY_LENGTH) {
      memory.copy(this.ticket.keyPlace + this.seen, at, min(length, TICKET_KEY_LENGTH - this.seen));
    }
    this.seen += length;
    sha256Update(this.hashing, at, length);
    if (this.seen < this.ticketLength) return ParseError.None;
    sha256Final(this.hashing, this.ticket.hashPlace);
    this.ticket.length = this.ticketLength;
    return ParseError.None;
  }

  private get hashing(): usize {
    return changetype<usize>(this) + HASHING_OFFSET;
  }
}

const HEADER_SIZE: i32 = 6;
const HASHING_OFFSET: usize = (offsetof<TicketReader>() + 7) & ~7;
const TICKET_OFFSET: usize = HASHING_OFFSET + SHA256_STATE_SIZE;
export const TICKET_READER_SIZE: i32 = (<i32>TICKET_OFFSET + TICKET_IDENTITY_SIZE + 7) & ~7;
