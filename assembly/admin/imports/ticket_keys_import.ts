/**
 * Ticket keys that `GET /v1/ticket-keys` gave. Takes in those that were removed or configured; those that were only seen are
 * skipped, as each cache sees its own. Of a removed one its upstream, if given, counts if none is known here. Earlier modules
 * called a configured one `told`.
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
    if (state == "learned" || state == "shared") return Taken.Skipped;
    const isRemoved = state == "removed";
    if (!isRemoved && state != "configured" && state != "told") {
      return this.malformed("state: expected removed, configured, learned or shared");
    }
    const text = textOf(entry, "upstream");
    const address = canonicalAddress(text);
    if (address.length == 0 && (text.length > 0 || !isRemoved)) return this.malformed("upstream: " + ADDRESS_EXPECTED);
    const upstream = String.UTF8.encode(address);
    return isRemoved ? this.remove(name.pointer, upstream) : this.configure(name.pointer, upstream);
  }

  private remove(name: usize, upstream: ArrayBuffer): Taken {
    const keys = this.cache.ticketKeys;
    const outcome = keys.remove(name);
    if (outcome == KeyOutcome.NotStored) return Taken.NotStored;
    keys.fillUpstream(name, changetype<usize>(upstream), upstream.byteLength);
    return outcome == KeyOutcome.Removed ? Taken.Taken : Taken.Identical;
  }

  private configure(name: usize, upstream: ArrayBuffer): Taken {
    const keys = this.cache.ticketKeys;
    // A removal of the same key that is in force here wins: only a call that names it lifts it.
    if (keys.isRemoved(name)) return Taken.Skipped;
    const outcome = keys.configure(name, changetype<usize>(upstream), upstream.byteLength);
    if (outcome == KeyOutcome.NotStored) return Taken.NotStored;
    return outcome == KeyOutcome.Identical ? Taken.Identical : Taken.Taken;
  }
}
