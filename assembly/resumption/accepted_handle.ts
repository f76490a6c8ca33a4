/**
 * The handle of a session to which an abbreviated handshake of TLS 1.2 and before is attributed. A client usually makes up
 * the session ID beside a ticket (RFC 5077 3.4), but a server that goes by IDs may take it up, and its echo looks the same.
 * So if both are offered, both are judged, and the handshake is attributed to the handle that the cache holds; if nobody can
 * tell, to none.
 *
 * Attribution to one of two offered handles is a likelihood and no evidence: a client may offer somebody else's ticket or
 * ID, which both go in clear, beside a session of its own that the cache does not hold. So it counts a hit, which whoever
 * offers an ID can have anyway, and changes nothing else (`Cache.resume`): no upstream, no name, no ticket key.
 */
export const enum AcceptedHandle {
  /** Nobody can tell: nothing is learned, credited or believed. */
  Untold = 0,
  SessionId = 1,
  Ticket = 2,
  /** A ticket, and nothing else explains the resumption. */
  TicketForSure = 3,
  Psk = 4,
}
