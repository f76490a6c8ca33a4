/**
 * A session as a handshake shows it, written into a `Session`: what all sessions of the handshake have in common, and what
 * one of them offers. The record's pointers lead into the handshake. Nothing allocates.
 */
import { Known, Session } from "../session/record/session";
import { Handshake } from "../tls/handshake";
import { Offer } from "./offer";

/** Fills in the common fields of every session of a handshake: protocol, cipher suite and server name. */
export function describe(session: Session, handshake: Handshake): Session {
  session.clear();
  session.known = Known.KIND | Known.PROTOCOL | Known.CIPHER;
  session.protocol = handshake.answer.version;
  session.cipher = handshake.answer.cipher;
  const offers = handshake.offers;
  if (offers.sniLength > 0) {
    session.sni = offers.sni;
    session.sniLength = offers.sniLength;
    session.known |= Known.SNI;
  }
  return session;
}

/** Describes an offer as the session that a resumption of it would be. */
export function describeOffer(session: Session, handshake: Handshake, offer: Offer): Session {
  describe(session, handshake);
  session.kind = offer.kind;
  session.id = offer.id;
  session.idLength = offer.idLength;
  addTicketKey(session, offer.key);
  return session;
}

/** Adds the name of a ticket key; 0: none. */
export function addTicketKey(session: Session, key: usize): void {
  if (key == 0) return;
  session.ticketKey = key;
  session.known |= Known.TICKET_KEY;
}
