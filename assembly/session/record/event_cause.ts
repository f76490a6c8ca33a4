/** Causes of events: why a session was removed, evicted, refused or diverted. Events, metrics and logs share them. */
export namespace EventCause {
  /** A call of the admin API. */
  export const API: u8 = 1;
  /** A handshake that was observed. */
  export const HANDSHAKE: u8 = 2;
  /** The cache was full. */
  export const SIZE: u8 = 3;
  /** The page had no room. */
  export const ROOM: u8 = 4;
  /** The session's time was over. */
  export const TIMEOUT: u8 = 5;
  export const FLUSH: u8 = 6;
  // Causes of refusals and diversions: the removed or revoked thing, or the enforcement.
  export const SESSION: u8 = 7;
  export const TICKET_KEY: u8 = 8;
  export const SNI: u8 = 9;
  export const STRICT: u8 = 10;
  /** The offer could not be followed. */
  export const UNFOLLOWED: u8 = 11;
}

export function eventCauseName(cause: u8): string {
  switch (cause) {
    case EventCause.API:
      return "api";
    case EventCause.HANDSHAKE:
      return "handshake";
    case EventCause.SIZE:
      return "size";
    case EventCause.ROOM:
      return "room";
    case EventCause.TIMEOUT:
      return "timeout";
    case EventCause.FLUSH:
      return "flush";
    case EventCause.SESSION:
      return "session";
    case EventCause.TICKET_KEY:
      return "ticket_key";
    case EventCause.SNI:
      return "sni";
    case EventCause.UNFOLLOWED:
      return "unfollowed";
    default:
      return "strict";
  }
}
