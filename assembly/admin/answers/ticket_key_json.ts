/** Ticket keys as the API shows them, by name. Unknown values are null; only a key that a configuration removes has a cause. */
import { JsonWriter } from "../../json/writer";
import { RemovalSet } from "../../session/configured/removal_set";
import { Cause, TICKET_KEY_LENGTH } from "../../session/record/session";
import { KeyState } from "../../session/revocation/ticket_keys";
import { Row } from "../../shared/row";
import { causeName, keyStateName } from "../fields/value_names";

/** `configured` has the keys that configurations remove. */
export function writeTicketKey(json: JsonWriter, row: Row, configured: RemovalSet): void {
  const isConfigured = configured.removesTicketKey(row.name);
  json.beginObject();
  json.name("name");
  json.hex(row.name, row.nameLength);
  json.name("upstream");
  if (row.upstreamLength > 0) json.bytes(row.upstream, row.upstreamLength);
  else json.nothing();
  json.name("state");
  json.string(keyStateName(isConfigured ? KeyState.REMOVED : row.state));
  if (isConfigured) {
    json.name("cause");
    json.string(causeName(Cause.CONFIG));
  }
  json.name("tickets");
  json.number(row.count);
  json.name("last_used");
  if (row.lastUsed != 0) json.number(row.lastUsed);
  else json.nothing();
  json.endObject();
}

/** Writes a key that a configuration removes and nobody has seen. */
export function writeUnseenKey(json: JsonWriter, name: usize): void {
  json.beginObject();
  json.name("name");
  json.hex(name, TICKET_KEY_LENGTH);
  json.name("upstream");
  json.nothing();
  json.name("state");
  json.string(keyStateName(KeyState.REMOVED));
  json.name("cause");
  json.string(causeName(Cause.CONFIG));
  json.name("tickets");
  json.number(0);
  json.name("last_used");
  json.nothing();
  json.endObject();
}
