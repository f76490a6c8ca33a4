/** Which events a listing shows: those of a type, since a time, of an ID, a server name, an upstream, or several of these. */
import { Event, eventTypeName, EventType, LAST_EVENT_TYPE } from "../session/events/event";
import { canonicalAddress } from "../bytes/address";
import { equalsLowered, lowerCase } from "../bytes/ascii";
import { Query } from "./query";
import { ID_RULE, SessionId } from "./session_id";

export class EventFilter {
  /** Empty, or what is wrong with the query. */
  error: string = "";
  /** `EventType.NONE`: any. */
  private type: u8 = EventType.NONE;
  private since: u64 = 0;
  private id: SessionId | null = null;
  private sni: ArrayBuffer = new ArrayBuffer(0);
  private upstream: ArrayBuffer = new ArrayBuffer(0);

  /** Takes what a query asks for. */
  read(query: Query): void {
    this.readType(query.value("type"));
    this.readSince(query.value("since"));
    this.readId(query.value("id"));
    const upstream = query.value("upstream");
    if (upstream !== null) {
      const address = canonicalAddress(upstream);
      this.upstream = String.UTF8.encode(address);
      if (address.length == 0) this.error = "upstream: expected IPv4:port or [IPv6]:port";
    }
    const sni = query.value("sni");
    if (sni !== null) {
      this.sni = String.UTF8.encode(sni);
      lowerCase(changetype<usize>(this.sni), this.sni.byteLength);
      if (sni.length == 0) this.error = "sni: expected a server name; leave it out for any";
    }
  }

  matches(event: Event): bool {
    if (this.type != EventType.NONE && event.type != this.type) return false;
    if (event.time < this.since) return false;
    const id = this.id;
    if (id && !equals(event.id, event.idLength, id.pointer, id.length)) return false;
    const upstreamLength = this.upstream.byteLength;
    if (upstreamLength > 0) {
      const upstream = changetype<usize>(this.upstream);
      if (!equals(event.upstream, event.upstreamLength, upstream, upstreamLength)) return false;
    }
    return this.sni.byteLength == 0 || this.sniEquals(event.sni, event.sniLength);
  }

  private readType(text: string | null): void {
    if (text === null) return;
    let names = "";
    for (let type = EventType.NEW; type <= LAST_EVENT_TYPE; type++) {
      const name = eventTypeName(type);
      if (name == text) this.type = type;
      names += names.length > 0 ? ", " + name : name;
    }
    if (this.type == EventType.NONE) this.error = "type: expected one of " + names;
  }

  private readSince(text: string | null): void {
    if (text === null) return;
    let seconds: u64 = 0;
    let isWhole = text.length > 0 && text.length <= MAX_DIGITS;
    for (let i = 0; i < text.length && isWhole; i++) {
      const code = text.charCodeAt(i);
      isWhole = code >= 0x30 && code <= 0x39;
      seconds = seconds * 10 + <u64>(code - 0x30);
    }
    if (isWhole) this.since = seconds;
    else this.error = "since: expected whole Unix seconds";
  }

  private readId(text: string | null): void {
    if (text === null) return;
    const id = new SessionId(text);
    this.id = id;
    if (id.length == 0) this.error = "id: " + ID_RULE;
  }

  private sniEquals(sni: usize, length: i32): bool {
    return length == this.sni.byteLength && equalsLowered(sni, changetype<usize>(this.sni), length);
  }
}

function equals(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength == bLength && memory.compare(a, b, aLength) == 0;
}

/** Of a second that fits 64 bits in any case. */
const MAX_DIGITS: i32 = 18;
