/**
 * One event of a session, as logs keep it: OpenSSL reports the same to a program by its new_cb and remove_cb.
 *
 * Layout, 56 bytes, little-endian:
 *   0   u64  version: ascending for each page of the cache and for each writer, so for each ID
 *   8   u32  time (Unix seconds)
 *   12  u32  in the log: the number of events that were lost just before this one
 *   16  u8   type     17  u8  cause     18  u8  length of the ID
 *   19  u8   1 = of a removal: the cache did not hold the session | 16 times the `LossCause` of the lost events
 *   20  u16  offset of its names from the beginning of this event, 0 = none     22  u16  zero
 *   24  the ID, 32 bytes
 * Names: u8 length of the server name, of the upstream and of the client's address, 0 = unknown, then these texts.
 *
 * Names stand behind all events of the same buffer, so an event is valid only where it lies; `copyTo` moves it.
 */
import { narrow } from "../record/moment";
import { MAX_ID_LENGTH, MAX_SNI_LENGTH, MAX_UPSTREAM_LENGTH, Session } from "../record/session";


@unmanaged
export class Event {
  version: u64;
  private seconds: u32;
  lost: u32;
  type: u8;
  cause: u8;
  idLength: u8;
  private flags: u8;
  private namesOffset: u16;
  private zero: u16;


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
    return (this.flags & UNHELD) == 0;
  }


  @inline
  get lostCause(): u8 {
    return this.flags >> LOST_CAUSE_SHIFT;
  }

  /** Notes that events were lost just before this one. */
  tellLost(count: u32, cause: u8): void {
    this.lost = count;
    this.flags = (this.flags & UNHELD) | (cause << LOST_CAUSE_SHIFT);
  }

  /** The server name of the session, `sniLength` bytes. */
  get sni(): usize {
    return this.names + NAMES_HEADER_SIZE;
  }

  get sniLength(): i32 {
    return this.lengthAt(0);
  }

  /** The address of the server that has issued the session, or that has answered. */
  get upstream(): usize {
    return this.sni + <usize>this.sniLength;
  }

  get upstreamLength(): i32 {
    return this.lengthAt(1);
  }

  /** The address of the client that has offered the session. */
  get client(): usize {
    return this.upstream + <usize>this.upstreamLength;
  }

  get clientLength(): i32 {
    return this.lengthAt(2);
  }

  /** Bytes of its names. */
  get namesSize(): i32 {
    if (this.namesOffset == 0) return 0;
    return <i32>NAMES_HEADER_SIZE + this.sniLength + this.upstreamLength + this.clientLength;
  }

  write(version: u64, time: u64, type: u8, cause: u8, id: usize, idLength: i32): void {
    memory.fill(changetype<usize>(this), 0, EVENT_SIZE);
    this.version = version;
    this.seconds = narrow(time);
    this.type = type;
    this.cause = cause;
    this.idLength = <u8>idLength;
    memory.copy(this.id, id, idLength);
  }

  /** Marks a removal of an ID of which the cache held no session. */
  markUnheld(): void {
    this.flags |= UNHELD;
  }

  /** Makes this a place without an event, of a second. */
  clear(seconds: u64): void {
    memory.fill(changetype<usize>(this), 0, EVENT_SIZE);
    this.seconds = narrow(seconds);
  }

  /** Copies the names of its session and client to an address behind this. Returns the address behind them. */
  writeNames(about: EventNames, at: usize): usize {
    if (about.sniLength + about.upstreamLength + about.clientLength == 0) return at;
    this.namesOffset = <u16>(at - changetype<usize>(this));
    store<u8>(at, <u8>about.sniLength);
    store<u8>(at, <u8>about.upstreamLength, 1);
    store<u8>(at, <u8>about.clientLength, 2);
    memory.copy(this.sni, about.sni, about.sniLength);
    memory.copy(this.upstream, about.upstream, about.upstreamLength);
    memory.copy(this.client, about.client, about.clientLength);
    return at + <usize>this.namesSize;
  }

  /**
   * Copies this to another place, and its names to an address behind that, unless `like`, an earlier event, has the same
   * names: then both share them. Returns the address behind the names.
   */
  copyTo(other: Event, like: Event | null, at: usize): usize {
    const size = this.namesSize;
    memory.copy(changetype<usize>(other), changetype<usize>(this), EVENT_SIZE);
    if (size == 0) return at;
    if (like && like.namesSize == size && memory.compare(like.names, this.names, size) == 0) {
      other.namesOffset = <u16>(like.names - changetype<usize>(other));
      return at;
    }
    other.namesOffset = <u16>(at - changetype<usize>(other));
    memory.copy(at, this.names, size);
    return at + <usize>size;
  }

  /** Whether the lengths are possible and the names lie between two addresses. */
  isWithin(start: usize, end: usize): bool {
    if (<i32>this.idLength > MAX_ID_LENGTH) return false;
    if (this.namesOffset == 0) return true;
    const names = this.names;
    return names >= start && names + NAMES_HEADER_SIZE <= end && names + <usize>this.namesSize <= end;
  }

  /** The address behind its names, 0 if it has none. */
  get namesEnd(): usize {
    return this.namesOffset == 0 ? 0 : this.names + <usize>this.namesSize;
  }


  @inline
  private get names(): usize {
    return changetype<usize>(this) + <usize>this.namesOffset;
  }

  private lengthAt(which: usize): i32 {
    return this.namesOffset == 0 ? 0 : <i32>load<u8>(this.names + which);
  }
}

/** The names of an event's session and client; a length of 0 if a name is unknown. A view, as `Session` is. */
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

  /** Takes the names of a session, without those that are too long. */
  take(session: Session): void {
    this.sni = session.sni;
    this.sniLength = lengthOrNone(session.sni, session.sniLength, MAX_SNI_LENGTH);
    this.upstream = session.upstream;
    this.upstreamLength = lengthOrNone(session.upstream, session.upstreamLength, MAX_UPSTREAM_LENGTH);
  }

  /** Takes the names of an event that lie at an address. Returns where they end, 0 if that is beyond `end`. */
  read(names: usize, end: usize): usize {
    if (names + NAMES_HEADER_SIZE > end) return 0;
    this.sniLength = load<u8>(names);
    this.upstreamLength = min<i32>(load<u8>(names, 1), MAX_UPSTREAM_LENGTH);
    this.clientLength = min<i32>(load<u8>(names, 2), MAX_UPSTREAM_LENGTH);
    this.sni = names + NAMES_HEADER_SIZE;
    this.upstream = this.sni + <usize>this.sniLength;
    this.client = this.upstream + <usize>this.upstreamLength;
    const after = this.client + <usize>this.clientLength;
    return after > end ? 0 : after;
  }

  /** Takes the client's address. */
  takeClient(client: usize, length: i32): void {
    this.client = client;
    this.clientLength = lengthOrNone(client, length, MAX_UPSTREAM_LENGTH);
  }
}

/** A length, or 0 if there is no text or it is longer than `max`. */
function lengthOrNone(text: usize, length: i32, maxLength: i32): i32 {
  return text == 0 || length < 0 || length > maxLength ? 0 : length;
}

/** Why events were lost. */
export namespace LossCause {
  /** Their writer overwrote them in its outbox before anybody had collected them. */
  export const OVERRUN: u8 = 0;
  /** Their writer ended in the middle of the change; nobody knows whether it happened. */
  export const UNCONFIRMED: u8 = 1;
  /** Their writer had no place for an outbox. */
  export const NO_PLACE: u8 = 2;
  /** They had left the log when the reader came. */
  export const LOG: u8 = 3;
  /** Their part of the log could not be read. */
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
  /** A session that would have been refused was steered to a server that did a full handshake. */
  export const DIVERTED: u8 = 8;
}

/** The types are the numbers from NEW to this. */
export const LAST_EVENT_TYPE: u8 = EventType.DIVERTED;

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

export const EVENT_SIZE: i32 = 56;
const ID_OFFSET: usize = 24;
const UNHELD: u8 = 1;
const LOST_CAUSE_SHIFT: u8 = 4;
const NAMES_HEADER_SIZE: usize = 3;
/** The most bytes that the names of one event take. */
export const MAX_NAMES_SIZE: i32 = <i32>NAMES_HEADER_SIZE + MAX_SNI_LENGTH + 2 * MAX_UPSTREAM_LENGTH;
