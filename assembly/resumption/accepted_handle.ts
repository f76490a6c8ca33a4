/**
 * Which handle of a session an abbreviated handshake of TLS 1.2 and before is put down to. A session ID beside a ticket is mostly
 * made up by the client (RFC 5077 3.4), but a server that goes by IDs may take it up, and its echo looks the same. So where both are
 * offered, both are judged, and the handshake is put down to the handle that the cache holds; where it cannot be told, to none.
 *
 * What is put down to one of two that were offered is a likelihood and no evidence: a client may offer somebody else's ticket or ID, which
 * both go in clear, beside a session of its own that the cache does not hold. So that counts a hit, which whoever offers an ID can have
 * anyway, and moves nothing else (`Cache.resume`): no upstream, no name, no ticket key.
 */
export const enum AcceptedHandle {
  /** It cannot be told: nothing is learned, credited or believed. */
  Untold = 0,
  SessionId = 1,
  Ticket = 2,
  /** A ticket that nothing else can explain the resumption by. */
  TicketForSure = 3,
  Psk = 4,
}
