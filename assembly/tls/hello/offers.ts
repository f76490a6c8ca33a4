/**
 * The offers of a client's hellos to resume, and the server name, as far as they can be read.
 *
 * Servers differ in what they forgive. So an error of a hello is kept to its own part, in `unsure`, and an acceptance of
 * such a part cannot be followed: it was a session, but nobody can tell which.
 *
 * Layout: these fields, then session ID, ticket, PSK identities, further identities, server name. `OFFERS_SIZE` bytes that
 * the caller provides, zero at the start.
 */
import { MAX_FURTHER_IDENTITIES, MAX_PSK_IDENTITIES, MAX_SESSION_ID_LENGTH, MAX_SNI_LENGTH } from "../wire/limits";
import { TICKET_IDENTITY_SIZE, TicketIdentity } from "../ticket/ticket_identity";

/** Bits of `Offers.unsure`: parts that could not be followed. */
export namespace Unsure {
  /** Session ID and tickets, which TLS 1.2 and before may resume. */
  export const LEGACY: u32 = 1;
  /** PSK identities, which TLS 1.3 may resume. */
  export const PSK: u32 = 2;
  /** The server name. */
  export const NAME: u32 = 4;
  export const ALL: u32 = 7;
}

/** The owner of a further identity: the number of a PSK identity, or this. */
export const TICKET_OWNER: i32 = -1;


@unmanaged
export class Offers {
  /** Length of the server name as far as it was read, whether it can be relied on or not; -1: there is none. */
  readSniLength: i32;
  /** Bits of `Unsure`. */
  unsure: u32;
  /** supported_versions names TLS 1.3. */
  tls13: bool;
  earlyData: bool;
  /** An encrypted hello is inside, or filler that looks like one. */
  encryptedHello: bool;
  /** A session_ticket extension is empty: the client would take a ticket (RFC 5077 3.2). */
  asksForTicket: bool;
  /** 0 if it is longer than any may be; `unsure` then. */
  sessionIdLength: i32;
  /** All identities, hashed or not. */
  pskCount: i32;
  furtherCount: i32;
  /** A bit for each owner whose identity ends where a form of tickets does: then it is meant, and no further one. */
  private whole: u32;

  /** Length of a server name that can be relied on: 1 to 255 visible ASCII characters; -1: there is none. */
  get sniLength(): i32 {
    return (this.unsure & Unsure.NAME) != 0 ? -1 : this.readSniLength;
  }

  /** Address of the server name; 0 if there is none to rely on. */
  get sni(): usize {
    return this.sniLength >= 0 ? this.sniPlace : 0;
  }

  get sniPlace(): usize {
    return changetype<usize>(this) + SNI_OFFSET;
  }

  /**
   * Address of the session ID; 0 if there is none. In TLS 1.3 and beside a ticket it may be made up and names no session.
   */
  get sessionId(): usize {
    return this.sessionIdLength > 0 ? this.sessionIdPlace : 0;
  }

  get sessionIdPlace(): usize {
    return changetype<usize>(this) + SESSION_ID_OFFSET;
  }

  /** The ticket of TLS 1.2 and before; absent if the extension is empty and only asks for one. */
  get ticket(): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + TICKET_OFFSET);
  }

  /** One of the first `MAX_PSK_IDENTITIES` identities; `index` must be in range. */
  psk(index: i32): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + PSK_OFFSET + index * TICKET_IDENTITY_SIZE);
  }

  /** Address of the hash of a PSK identity; 0 for one that was not offered or not hashed. */
  pskHash(index: i32): usize {
    return this.isHashed(index) ? this.psk(index).hash : 0;
  }

  /** Address of the key name of a PSK identity; 0 for one shorter than 16 bytes, not offered or not hashed. */
  pskKey(index: i32): usize {
    return this.isHashed(index) ? this.psk(index).key : 0;
  }

  /** Whether a PSK identity was offered and is one of those that are hashed. */
  isHashed(index: i32): bool {
    return index >= 0 && index < min(this.pskCount, MAX_PSK_IDENTITIES);
  }

  /** One of `furtherCount` identities that may be meant as well. */
  further(index: i32): TicketIdentity {
    return changetype<TicketIdentity>(changetype<usize>(this) + FURTHER_OFFSET + index * FURTHER_SIZE + OWNER_SIZE);
  }

  /** The owner of a further identity: the identity that it may be meant by. */
  ownerOf(index: i32): i32 {
    return load<i32>(changetype<usize>(this) + FURTHER_OFFSET + index * FURTHER_SIZE);
  }

  /** Notes that an owner's identity ends where a form of tickets does. */
  noteWhole(owner: i32): void {
    this.whole |= bitOf(owner);
  }

  /** Notes that there is another identity of an owner, after all. */
  forgetWhole(owner: i32): void {
    this.whole &= ~bitOf(owner);
  }

  /** Whether nobody can tell which identity of an owner is meant. */
  isAmbiguous(owner: i32): bool {
    if (this.whole & bitOf(owner)) return false;
    for (let i = 0; i < this.furtherCount; i++) if (this.ownerOf(i) == owner) return true;
    return false;
  }

  /** Room for one more identity of `owner`; null if there is none left, which is noted in `unsure`. */
  addFurther(owner: i32): TicketIdentity | null {
    if (this.furtherCount >= MAX_FURTHER_IDENTITIES) {
      this.unsure |= owner == TICKET_OWNER ? Unsure.LEGACY : Unsure.PSK;
      return null;
    }
    const index = this.furtherCount++;
    store<i32>(changetype<usize>(this) + FURTHER_OFFSET + index * FURTHER_SIZE, owner);
    return this.further(index);
  }

  /** Notes that the server name cannot be relied on. */
  dropName(): void {
    this.readSniLength = -1;
    this.unsure |= Unsure.NAME;
  }

  /** Whether the client made the session ID up from its ticket, as OpenSSL does: then it names no session. */
  get idIsOfTicket(): bool {
    if (this.sessionIdLength != MAX_SESSION_ID_LENGTH || !this.ticket.present) return false;
    return memory.compare(this.sessionIdPlace, this.ticket.hashPlace, MAX_SESSION_ID_LENGTH) == 0;
  }

  /** Whether a session ID stands beside a ticket and is not seen to be made up from it: the server's echo proves neither. */
  get hasIdBesideTicket(): bool {
    return this.sessionIdLength > 0 && this.ticket.present && !this.idIsOfTicket;
  }

  /** Forgets all offers; `stays` are the bits of `unsure` from then on. */
  clear(stays: u32): void {
    memory.fill(changetype<usize>(this), 0, OFFERS_SIZE);
    this.readSniLength = -1;
    this.unsure = stays;
  }
}

function bitOf(owner: i32): u32 {
  const place: u32 = owner + 1;
  return (<u32>1) << place;
}

const OWNER_SIZE: i32 = 4;
const FURTHER_SIZE: i32 = OWNER_SIZE + TICKET_IDENTITY_SIZE;
const SESSION_ID_OFFSET: usize = offsetof<Offers>();
const TICKET_OFFSET: usize = SESSION_ID_OFFSET + MAX_SESSION_ID_LENGTH;
const PSK_OFFSET: usize = TICKET_OFFSET + TICKET_IDENTITY_SIZE;
const FURTHER_OFFSET: usize = PSK_OFFSET + MAX_PSK_IDENTITIES * TICKET_IDENTITY_SIZE;
const SNI_OFFSET: usize = FURTHER_OFFSET + MAX_FURTHER_IDENTITIES * FURTHER_SIZE;
export const OFFERS_SIZE: i32 = (<i32>SNI_OFFSET + MAX_SNI_LENGTH + 7) & ~7;
