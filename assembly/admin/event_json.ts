/** Events and their marks as the API shows them. */
import { JsonWriter } from "../json/writer";
import { Event, eventCauseName, EventType, eventTypeName } from "../session/events/event";
import { EventLog, EventReader } from "../session/events/event_log";
import { Cursor } from "./cursor";

/** Writes at most `limit` events and behind which mark to go on. */
export function writeEvents(json: JsonWriter, reader: EventReader, limit: i32, making: u32): void {
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

/** A mark's cursor: `page` tells which log it is of, `version` is the sequence number. */
export function eventMark(): Cursor {
  return new Cursor("/v1/events");
}

/** Tells logs of different processes apart. */
export function makingOf(log: EventLog): u32 {
  return <u32>(log.making ^ (log.making >> 32));
}

function writeEvent(json: JsonWriter, event: Event, mark: string): void {
  json.beginObject();
  json.name("seq");
  json.string(mark);
  json.name("type");
  json.string(eventTypeName(event.type));
  json.name("id");
  // Of a resumption that could not be followed nobody knows which session it was.
  if (event.idLength > 0) json.hex(event.id, event.idLength);
  else json.nothing();
  json.name("time");
  json.number(event.time);
  json.name("cause");
  json.string(eventCauseName(event.cause));
  if (event.type == EventType.REMOVED) {
    json.name("held");
    json.boolean(event.held);
  }
  json.endObject();
}

function markOf(sequence: u64, making: u32): string {
  const mark = eventMark();
  mark.page = making;
  mark.version = sequence;
  return mark.text();
}
