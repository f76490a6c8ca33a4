/** Selects the events of a listing by type, time, ID, server name and upstream. All that are given must match. */
import { Event, eventTypeName, EventType, LAST_EVENT_TYPE } from "../../session/events/event";
import { AskedServerName, AskedUpstream } from "./asked";
import { Query } from "../http/query";
import { ID_RULE, SessionId } from "./session_id";
import { wholeNumber } from "../http/whole_number";

export class EventFilter {
  /** Empty if the query is right; else the fault. */
  error: string = "";
  /** `EventType.NONE`: any. */
  private type: u8 = EventType.NONE;
  private since: u64 = 0;
  private id: SessionId | null = null;
  private sni: AskedServerName = new AskedServerName(null);
  private upstream: AskedUpstream = new AskedUpstream(null);

  /** Reads the filters of a query. */
  read(query: Query): void {
    this.readType(query.value("type"));
    this.readSince(query.value("since"));
    this.readId(query.value("id"));
    this.upstream = new AskedUpstream(query.value("upstream"));
    if (this.upstream.error.length > 0) this.error = this.upstream.error;
    this.sni = new AskedServerName(query.value("sni"));
    if (this.sni.error.length > 0) this.error = this.sni.error;
  }

  matches(event: Event): bool {
    if (this.type != EventType.NONE && event.type != this.type) return false;
    if (event.time < this.since) return false;
    const id = this.id;
    if (id && (event.idLength != id.length || memory.compare(event.id, id.pointer, id.length) != 0)) return false;
    if (!this.upstream.matches(event.upstream, event.upstreamLength)) return false;
    return this.sni.matches(event.sni, event.sniLength);
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
    const seconds = wholeNumber(text);
    if (seconds && seconds.isWhole(0, MAX_SECONDS)) this.since = seconds.number;
    else this.error = "since: expected whole Unix seconds";
  }

  private readId(text: string | null): void {
    if (text === null) return;
    const id = new SessionId(text);
    this.id = id;
    if (id.length == 0) this.error = "id: " + ID_RULE;
  }
}

/** Any event is earlier. */
const MAX_SECONDS: u64 = 999_999_999_999_999_999;
