/**
 * GET /v1/events: what happened to sessions, OpenSSL's new_cb and remove_cb for those who have no C to link.
 *
 * `next` is the mark to ask with next time, also where nothing has happened. `missed` is the number of events between
 * the mark and the last one shown that fell out of the log before they could be read. A mark of an earlier process, whose log
 * is gone, begins with the oldest event that is kept.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Event, eventCauseName, eventTypeName } from "../../session/events/event";
import { EventLog, EventReader } from "../../session/events/event_log";
import { Cursor } from "../cursor";
import { LIMIT_EXPECTED, limitOf } from "../listing";
import { badRequest, unavailable } from "../problem";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";

export class EventsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/events", "GET, HEAD");
    this.queryNames = ["after", "limit"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const limit = limitOf(request.query.value("limit"));
    if (limit == 0) return badRequest(response, LIMIT_EXPECTED);
    const mark = new Cursor("/v1/events");
    const after = request.query.value("after");
    if (after !== null && !mark.read(after)) {
      return badRequest(response, "after: not a mark of this log; take it from `seq` or `next`");
    }
    const log = this.cache.events.log;
    this.cache.events.run();
    if (!log.load(this.cache.clock.nowNanoseconds())) {
      return unavailable(response, "the log of events could not be read; try again");
    }
    const known = mark.page == makingOf(log) ? mark.version : 0;
    write(response.begin(200), new EventReader(log, known), limit, makingOf(log));
  }
}

function write(json: JsonWriter, reader: EventReader, limit: i32, making: u32): void {
  json.beginObject();
  json.name("events");
  json.beginArray();
  for (let shown = 0; shown < limit; shown++) {
    const event = reader.next();
    if (!event) break;
    writeEvent(json, event, markOf(reader.sequence, making));
  }
  json.endArray();
  json.name("next");
  json.string(markOf(reader.sequence, making));
  json.name("missed");
  json.number(reader.missed);
  json.endObject();
}

export function writeEvent(json: JsonWriter, event: Event, mark: string): void {
  json.beginObject();
  json.name("seq");
  json.string(mark);
  json.name("type");
  json.string(eventTypeName(event.type));
  json.name("id");
  json.hex(event.id, event.idLength);
  json.name("time");
  json.number(event.time);
  json.name("cause");
  json.string(eventCauseName(event.cause));
  json.endObject();
}

export function markOf(sequence: u64, making: u32): string {
  const mark = new Cursor("/v1/events");
  mark.page = making;
  mark.version = sequence;
  return mark.text();
}

/** Tells logs of different processes apart. */
export function makingOf(log: EventLog): u32 {
  return <u32>(log.making ^ (log.making >> 32));
}
