/**
 * The fields of POST /v1/sessions/remove: a selection of sessions, and whether they are only counted. A malformed value is
 * an error and never matches all sessions.
 */
import { canonicalAddress } from "../../bytes/address";
import { lowerCase } from "../../bytes/ascii";
import { JsonKind, JsonValue } from "../../json/value";
import { Selection } from "../../session/record/selection";
import { MAX_SNI_LENGTH, TICKET_KEY_LENGTH } from "../../session/record/session";
import { ADDRESS_EXPECTED, kindOf, KINDS_EXPECTED, protocolOf, PROTOCOLS_EXPECTED } from "./value_names";
import { TICKET_KEY_RULE, TicketKeyName } from "./ticket_key_name";

export const SELECTION_FIELDS: StaticArray<string> = [
  "upstream",
  "sni",
  "kind",
  "ticket_key",
  "protocol",
  "issued_before",
  "dry_run",
];

export class SessionSelection {
  readonly selection: Selection = new Selection();
  /** Whether the sessions are only counted. */
  dryRun: bool = false;
  /** Empty if all fields are right; else the first fault, and what would be right. */
  error: string = "";

  /** `object` has no fields but SELECTION_FIELDS. */
  constructor(object: JsonValue) {
    for (let i = 0; i < object.names.length && this.error.length == 0; i++) {
      this.read(object.names[i], object.items[i]);
    }
  }

  private read(name: string, value: JsonValue): void {
    const selection = this.selection;
    const text = value.kind == JsonKind.String ? value.text : "";
    if (name == "upstream") {
      selection.upstream = String.UTF8.encode(canonicalAddress(text));
      if (selection.upstream.byteLength == 0) this.error = "upstream: " + ADDRESS_EXPECTED;
    } else if (name == "sni") {
      const sni = String.UTF8.encode(text);
      lowerCase(changetype<usize>(sni), sni.byteLength);
      selection.sni = sni;
      if (sni.byteLength < 1 || sni.byteLength > MAX_SNI_LENGTH) {
        this.error = "sni: expected a string of 1 to " + MAX_SNI_LENGTH.toString() + " bytes in UTF-8";
      }
    } else if (name == "kind") {
      selection.kind = kindOf(text);
      if (selection.kind == 0) this.error = "kind: " + KINDS_EXPECTED;
    } else if (name == "ticket_key") {
      this.readTicketKey(text);
    } else if (name == "protocol") {
      selection.protocol = protocolOf(text);
      if (selection.protocol == 0) this.error = "protocol: " + PROTOCOLS_EXPECTED;
    } else if (name == "issued_before") {
      if (value.isWhole(1, u64.MAX_VALUE)) selection.issuedBefore = value.number;
      else this.error = "issued_before: expected whole Unix seconds from 1 on";
    } else {
      this.dryRun = value.boolean;
      if (value.kind != JsonKind.Boolean) this.error = "dry_run: expected true or false";
    }
  }

  private readTicketKey(text: string): void {
    const name = new TicketKeyName(text);
    if (!name.valid) {
      this.error = "ticket_key: " + TICKET_KEY_RULE;
      return;
    }
    const bytes = new ArrayBuffer(TICKET_KEY_LENGTH);
    memory.copy(changetype<usize>(bytes), name.pointer, TICKET_KEY_LENGTH);
    this.selection.ticketKey = bytes;
  }
}
