/** Ticket keys as the API shows them, by name. Unknown values are null. */
import { JsonWriter } from "../../json/writer";
import { Row } from "../../shared/table";
import { keyStateName } from "../fields/value_names";

export function writeTicketKey(json: JsonWriter, row: Row): void {
  json.beginObject();
  json.name("name");
  json.hex(row.name, row.nameLength);
  json.name("upstream");
  if (row.upstreamLength > 0) json.bytes(row.upstream, row.upstreamLength);
  else json.nothing();
  json.name("state");
  json.string(keyStateName(row.state));
  json.name("tickets");
  json.number(row.count);
  json.name("last_used");
  if (row.lastUsed != 0) json.number(row.lastUsed);
  else json.nothing();
  json.endObject();
}
