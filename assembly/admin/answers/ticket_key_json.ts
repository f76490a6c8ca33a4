/** Ticket keys as the API shows them, by name. Unknown values are null; only a key that a configuration removes has a cause. */
import { JsonWriter } from "../../json/writer";
import { RemovalSet } from "../../session/configured/removal_set";
import { Cause, TICKET_KEY_LENGTH } from "../../session/record/session";
import { KeyState } from "../../session/revocation/ticket_keys";
import { Row } from "../../shared/row";
import { causeName, keyStateName } from "../fields/value_names";

/** `configured` has the keys that configurations remove. */
export function writeTicketKey(json: JsonWriter, row: Row, configured: RemovalSet): void {
  write(json, row.name, row, configured.removesTicketKey(row.name));
}

/** Writes a key that a configuration removes and nobody has seen. */
export function writeUnseenKey(json: JsonWriter, name: usize): void {
  const isConfigured = true;
  write(json, name, null, isConfigured);
}

/** `row` is null for a key that nobody has seen. */
function write(json: JsonWriter, name: usize, row: Row | null, isConfigured: bool): void {
  json.beginObject();
  json.name("name");
  json.hex(name, TICKET_KEY_LENGTH);
  json.name("upstream");
  if (row && row.upstreamLength > 0) json.bytes(row.upstream, row.upstreamLength);
  else json.nothing();
  json.name("state");
  json.string(keyStateName(row && !isConfigured ? row.state : KeyState.REMOVED));
  if (isConfigured) {
    json.name("cause");
    json.string(causeName(Cause.CONFIG));
  }
  json.name("tickets");
  json.number(row ? row.count : 0);
  json.name("last_used");
  if (row && row.lastUsed != 0) json.number(row.lastUsed);
  else json.nothing();
  json.endObject();
}
