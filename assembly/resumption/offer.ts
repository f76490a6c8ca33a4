/**
 * One thing that a client offers to resume, and the choice between several: a PSK before a ticket before a session ID. TLS
 * 1.3 resumes by PSK alone (RFC 8446 4.2.11), and a server that takes a ticket ignores the ID beside it (RFC 5077 3.4).
 *
 * An `Offer` is a view of a handshake and valid as long as the handshake. Filling it allocates nothing and makes no host
 * call.
 */
import { Kind, MAX_ID_LENGTH } from "../session/record/session";
import { Accepted, Handshake, TICKET_OWNER } from "../tls/handshake";
import { AcceptedHandle } from "./accepted_handle";

export class Offer {
  /** A `Kind`; 0: nothing was offered. */
  kind: u8 = 0;
  /** Address of the session ID, or of the SHA-256 of the ticket or identity; 0 if it is not known. */
  id: usize = 0;
  /** 0 if `id` is. */
  idLength: i32 = 0;
  /** Address of the name of its ticket key, 0 if it has none. */
  key: usize = 0;
  /**
   * Whether it certainly names a session. A session ID may be made up: beside TLS 1.3 for middleboxes (RFC 8446 D.4), and in
   * a hello that asks for a ticket. Go makes one up for each hello, and a server that issues tickets has few sessions by ID.
   */
  certain: bool = false;

  /** Takes no offer. */
  clear(): this {
    return this.fill(0, 0, 0, 0);
  }

  /** Takes a client's first offer; if it offers nothing, one of `Kind.ID` with an ID of length 0. */
  firstOf(handshake: Handshake): this {
    return handshake.offers.pskCount > 0 ? this.pskOf(handshake, 0) : this.legacyOf(handshake);
  }

  /** Takes a client's first offer to a server of TLS 1.2 or before. */
  legacyOf(handshake: Handshake): this {
    return handshake.offers.ticket.present ? this.ticketOf(handshake) : this.sessionIdOf(handshake);
  }

  /** Takes the offer that a server has accepted, attributed to a handle; the first offer of its kind if nobody can tell. */
  acceptedOf(handshake: Handshake, handle: AcceptedHandle): this {
    if (handshake.acceptedKind == Accepted.Psk) return this.pskOf(handshake, handshake.acceptedPskIndex);
    const isTicket = handshake.acceptedKind == Accepted.Ticket && handle != AcceptedHandle.SessionId;
    return isTicket ? this.ticketOf(handshake) : this.sessionIdOf(handshake);
  }

  pskOf(handshake: Handshake, index: i32): this {
    return this.fill(Kind.PSK, handshake.offers.pskHash(index), MAX_ID_LENGTH, handshake.offers.pskKey(index));
  }

  ticketOf(handshake: Handshake): this {
    const ticket = handshake.offers.ticket;
    return this.fill(Kind.TICKET, ticket.hash, MAX_ID_LENGTH, ticket.key);
  }

  sessionIdOf(handshake: Handshake): this {
    const offers = handshake.offers;
    this.fill(Kind.ID, offers.sessionId, offers.sessionIdLength, 0);
    this.certain = !offers.tls13 && !(offers.asksForTicket && handshake.answer.promisesTicket);
    return this;
  }

  /** An identity that may be meant by the ticket or a PSK identity, besides those themselves: see `Offers.further`. */
  furtherOf(handshake: Handshake, index: i32): this {
    const offers = handshake.offers;
    const kind = offers.ownerOf(index) == TICKET_OWNER ? Kind.TICKET : Kind.PSK;
    return this.fill(kind, offers.further(index).hash, MAX_ID_LENGTH, 0);
  }

  private fill(kind: u8, id: usize, idLength: i32, key: usize): this {
    this.kind = kind;
    this.id = id;
    this.idLength = id != 0 ? idLength : 0;
    this.key = key;
    this.certain = true;
    return this;
  }
}
