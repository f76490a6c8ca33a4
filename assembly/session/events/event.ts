/**
 * One thing that happened to a session, as it is kept in logs: what OpenSSL tells a program by its new_cb and remove_cb.
 *
 * Layout, 64 bytes, little-endian:
 *   0   u64  version: ascending for each page of the cache and for each writer, so for each ID
 *   8   u32  time (Unix seconds)
 *   12  u32  in the log: how many events were lost just before this one
 *   16  u8   type     17  u8  cause     18  u8  length of the ID
 *   19  u8   1 = of a removal: the cache did not hold the session
 *   20  u8   length of the server name     21  u8  of the upstream     22  u8  of the client's address; 0 = unknown
 *   23  u8   a `LossCause`, what the lost ones were lost for
 *   24  the ID, 32 bytes
 *   56  u16 each  where server name, upstream and client's address begin, from the beginning of this event on
 *   62  u16  zero
 *
 * Texts stand behind all events of the same buffer, so an event is valid only where it lies; `copyTo` moves it.
 */
import { narrow } from "../moment";
import { Session } from "../session";


@unmanaged
export class Event {
  version: u64;
  private seconds: u32;
  lost: u32;
  type: u8;
  cause: u8;
  idLength: u8;
  private unheld: u8;
  sniLength: u8;
  upstreamLength: u8;
  clientLength: u8;
  lostCause: u8;


  @inline
  get id(): usize {
    return changetype<usize>(this) + ID_OFFSET;
  }


  @inline
  get time(): u64 {
    return this.seconds;
  }

  /** Of a removal: whether the cache held the session. */
  @inline
  get held(): bool {
    return this.unheld == 0;
  }

  /** The server name of the session, as long as `sniLength` says. */
  get sni(): usize {
    return this.textAt(SNI_OFFSET);
  }

  /** The address of the server that has issued it, or that has answered. */
  get upstream(): usize {
    return this.textAt(UPSTREAM_OFFSET);
  }

  /** The address of the client that has offered it. */
  get client(): usize {
    return this.textAt(CLIENT_OFFSET);
  }

  write(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32, held: bool): void {
    memory.fill(changetype<usize>(this), 0, EVENT_SIZE);
    this.version = version;
    this.seconds = narrow(time);
    this.type = type;
    this.cause = cause;
    this.idLength = <u8>idLength;
    this.unheld = <u8>!held;
    memory.copy(this.id, id, idLength);
  }

  /** Says of whom it tells; the texts are copied to `text`, of which the first byte that is free then is the answer. */
  writeNames(about: EventNames, text: usize): usize {
    let free = text;
    this.sniLength = <u8>about.sniLength;
    free = this.put(SNI_OFFSET, about.sni, about.sniLength, free);
    this.upstreamLength = <u8>about.upstreamLength;
    free = this.put(UPSTREAM_OFFSET, about.upstream, about.upstreamLength, free);
    this.clientLength = <u8>about.clientLength;
    return this.put(CLIENT_OFFSET, about.client, about.clientLength, free);
  }

  /**
   * Copies this to another place and its texts to `text`, or to where `like`, the event before that one, has the same. The
   * answer is the first byte that is free then.
   */
  copyTo(other: Event, like: Event | null, text: usize): usize {
    memory.copy(changetype<usize>(other), changetype<usize>(this), EVENT_SIZE);
    let free = text;
    const sni = like ? sharedText(like.sni, like.sniLength, this.sni, this.sniLength) : 0;
    free = other.share(SNI_OFFSET, sni, this.sni, this.sniLength, free);
    const upstream = like ? sharedText(like.upstream, like.upstreamLength, this.upstream, this.upstreamLength) : 0;
    free = other.share(UPSTREAM_OFFSET, upstream, this.upstream, this.upstreamLength, free);
    const client = like ? sharedText(like.client, like.clientLength, this.client, this.clientLength) : 0;
    return other.share(CLIENT_OFFSET, client, this.client, this.clientLength, free);
  }

  /** Whether its lengths are possible and its texts lie between two addresses. */
  isWithin(start: usize, end: usize): bool {
    if (this.idLength > MAX_ID_BYTES) return false;
    return (
      isBetween(this.sni, this.sniLength, start, end) &&
      isBetween(this.upstream, this.upstreamLength, start, end) &&
      isBetween(this.client, this.clientLength, start, end)
    );
  }

  /** The first byte behind its texts, 0 where it has none. */
  textEnd(): usize {
    let end: usize = 0;
    if (this.sniLength != 0) end = max(end, this.sni + <usize>this.sniLength);
    if (this.upstreamLength != 0) end = max(end, this.upstream + <usize>this.upstreamLength);
    if (this.clientLength != 0) end = max(end, this.client + <usize>this.clientLength);
    return end;
  }


  @inline
  private textAt(offset: usize): usize {
    return changetype<usize>(this) + <usize>load<u16>(changetype<usize>(this) + offset);
  }

  private share(offset: usize, shared: usize, text: usize, length: i32, free: usize): usize {
    if (shared == 0) return this.put(offset, text, length, free);
    store<u16>(changetype<usize>(this) + offset, <u16>(shared - changetype<usize>(this)));
    return free;
  }

  private put(offset: usize, text: usize, length: i32, free: usize): usize {
    if (length == 0) {
      store<u16>(changetype<usize>(this) + offset, 0);
      return free;
    }
    memory.copy(free, text, length);
    store<u16>(changetype<usize>(this) + offset, <u16>(free - changetype<usize>(this)));
    return free + <usize>length;
  }
}

/** Of whom an event tells, as far as it is known; lengths of 0 say that it is not. A view, as `Session` is. */
export class EventNames {
  sni: usize = 0;
  sniLength: i32 = 0;
  upstream: usize = 0;
  upstreamLength: i32 = 0;
  client: usize = 0;
  clientLength: i32 = 0;

  clear(): void {
    this.sniLength = 0;
    this.upstreamLength = 0;
    this.clientLength = 0;
  }

  /** Takes what a session says; what is longer than it can be is left out. */
  take(session: Session): void {
    this.sni = session.sni;
    this.sniLength = lengthOrNone(session.sni, session.sniLength, MAX_SNI_BYTES);
    this.upstream = session.upstream;
    this.upstreamLength = lengthOrNone(session.upstream, session.upstreamLength, MAX_ADDRESS_BYTES);
  }

  /** Takes the client's address. */
  takeClient(client: usize, length: i32): void {
    this.client = client;
    this.clientLength = lengthOrNone(client, length, MAX_ADDRESS_BYTES);
  }
}

function lengthOrNone(text: usize, length: i32, most: i32): i32 {
  return text == 0 || length < 0 || length > most ? 0 : length;
}

/** Where one text has the bytes of another; 0 where it has not. */
function sharedText(text: usize, length: u8, other: usize, otherLength: u8): usize {
  if (length == 0 || length != otherLength) return 0;
  return memory.compare(text, other, length) == 0 ? text : 0;
}

function isBetween(text: usize, length: u8, start: usize, end: usize): bool {
  return length == 0 || (text >= start && text + <usize>length <= end);
}

/** What events were lost for. */
export namespace LossCause {
  /** They were overwritten in their writer's outbox before anybody had collected them. */
  export const OVERRUN: u8 = 0;
  /** Their writer ended in the middle of the change, and nobody knows whether it happened. */
  export const UNCONFIRMED: u8 = 1;
  /** Their writer had no place for an outbox. */
  export const NO_PLACE: u8 = 2;
  /** They had left the log when the reader came. */
  export const LOG: u8 = 3;
  /** The log could not be read where they are. */
  export const UNREADABLE: u8 = 4;
}

export const LOSS_CAUSES: i32 = 5;

export function lossCauseName(cause: i32): string {
  switch (cause) {
    case LossCause.OVERRUN:
      return "overrun";
    case LossCause.UNCONFIRMED:
      return "unconfirmed";
    case LossCause.NO_PLACE:
      return "no_place";
    case LossCause.LOG:
      return "log";
    default:
      return "unreadable";
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
  /** A session that would have been refused was steered to a server that did not take it up. */
  export const DIVERTED: u8 = 8;
}

/** The types are the numbers from NEW to this. */
export const LAST_EVENT_TYPE: u8 = EventType.DIVERTED;

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
    case EventType.DIVERTED:
      return "diverted";
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

export const EVENT_SIZE: i32 = 64;
const ID_OFFSET: usize = 24;
const SNI_OFFSET: usize = 56;
const UPSTREAM_OFFSET: usize = 58;
const CLIENT_OFFSET: usize = 60;
const MAX_ID_BYTES: u8 = 32;
/** As in `session.ts`. */
const MAX_SNI_BYTES: i32 = 255;
const MAX_ADDRESS_BYTES: i32 = 64;
/** The most bytes of text that one event has. */
export const MAX_EVENT_TEXT: i32 = MAX_SNI_BYTES + 2 * MAX_ADDRESS_BYTES;
