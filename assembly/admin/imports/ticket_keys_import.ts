/**
 * Ticket keys that `GET /v1/ticket-keys` gave. Takes in those that were removed or configured; those
 * that were only seen are skipped, as each cache sees its own.
 */
import { canonicalAddress } from "../../bytes/address";
import { JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { KeyOutcome } from "../../session/revocation/ticket_keys";
import { TICKET_KEY_RULE, TicketKeyName } from "../fields/ticket_key_name";
import { ADDRESS_EXPECTED } from "../fields/value_names";
import { Import, Taken, textOf } from "./import_job";

export class TicketKeysImport extends Import {
  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "ticket_keys", items);
  }

  protected take(entry: JsonValue): Taken {
    const name = new TicketKeyName(textOf(entry, "name"));
    if (!name.valid) return this.malformed("name: " + TICKET_KEY_RULE);
    const state = textOf(entry, "state");
    const keys = this.cache.ticketKeys;
    if (state == "removed") {
      const outcome = keys.remove(name.pointer);
      if (outcome == KeyOutcome.NotStored) return Taken.NotStored;
      return outcome == KeyOutcome.Removed ? Taken.Taken : Taken.Identical;
    }
    if (state == "learned" || state == "shared") return Taken.Skipped;
    if (state != "configured") return this.malformed("state: expected removed, configured, learned or shared");
    const address = canonicalAddress(textOf(entry, "upstream"));
    if (address.length == 0) return this.malformed("upstream: " + ADDRESS_EXPECTED);
    // A removal of the same key that is in force here wins: only a call that names it lifts it.
    if (keys.isRemoved(name.pointer)) return Taken.Skipped;
    const bytes = String.UTF8.encode(address);
    const outcome = keys.configure(name.pointer, changetype<usize>(bytes), bytes.byteLength);
    if (outcome == KeyOutcome.NotStored) return Taken.NotStored;
    return outcome == KeyOutcome.Identical ? Taken.Identical : Taken.Taken;
  }
}
