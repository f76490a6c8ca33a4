/**
 * One thing that happened to a session, as it is kept in logs: what OpenSSL tells a program by its new_cb and remove_cb.
 *
 * Layout, 56 bytes, little-endian:
 *   0   u64  version: ascending for each page of the cache and for each writer, so for each ID
 *   8   u64  time (Unix seconds)
 *   16  u8   type     17  u8  cause     18  u8  length of the ID
 *   19  u8   1 = of a removal: the cache did not hold the session     20  4 bytes zero
 *   24  the ID, 32 bytes
 */
@unmanaged
export class Event {
  version: u64;
  time: u64;
  type: u8;
  cause: u8;
  idLength: u8;
  private unheld: u8;
  private zeros: u32;


  @inline
  get id(): usize {
    return changetype<usize>(this) + ID_OFFSET;
  }

  /** Of a removal: whether the cache held the session. */
  @inline
  get held(): bool {
    return this.unheld == 0;
  }

  write(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32, held: bool): void {
    memory.fill(changetype<usize>(this), 0, EVENT_SIZE);
    this.version = version;
    this.time = time;
    this.type = type;
    this.cause = cause;
    this.idLength = <u8>idLength;
    this.unheld = <u8>!held;
    memory.copy(this.id, id, idLength);
  }
}

export namespace EventType {
  /** A place without an event. */
  export const NONE: u8 = 0;
  export const NEW: u8 = 1;
  export const REPLACED: u8 = 2;
  export const REMOVED: u8 = 3;
  export const EVICTED: u8 = 4;
  export const EXPIRED: u8 = 5;
  export const FLUSHED: u8 = 6;
  export const REFUSED: u8 = 7;
}

export namespace EventCause {
  /** A call of the admin API. */
  export const API: u8 = 1;
  /** A handshake that was observed. */
  export const HANDSHAKE: u8 = 2;
  /** The cache had its size. */
  export const SIZE: u8 = 3;
  /** The page had no room. */
  export const ROOM: u8 = 4;
  /** The session's time was over. */
  export const TIMEOUT: u8 = 5;
  export const FLUSH: u8 = 6;
  // Of a refusal: what it was for.
  export const SESSION: u8 = 7;
  export const TICKET_KEY: u8 = 8;
  export const SNI: u8 = 9;
  export const STRICT: u8 = 10;
  /** What was offered could not be followed. */
  export const UNFOLLOWED: u8 = 11;
}

export function eventTypeName(type: u8): string {
  switch (type) {
    case EventType.NEW:
      return "new";
    case EventType.REPLACED:
      return "replaced";
    case EventType.REMOVED:
      return "removed";
    case EventType.EVICTED:
      return "evicted";
    case EventType.EXPIRED:
      return "expired";
    case EventType.FLUSHED:
      return "flushed";
    default:
      return "refused";
  }
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

export const EVENT_SIZE: i32 = 56;
const ID_OFFSET: usize = 24;
