/**
 * PUT and DELETE /v1/ticket-keys/{name}: one ticket key, by its name. PUT configures its upstream and lifts a removal;
 * without an upstream it only lifts. After DELETE no ticket under that key resumes, also of a key that was never seen.
 */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { KeyOutcome } from "../../session/revocation/ticket_keys";
import { canonicalAddress } from "../../bytes/address";
import { readObject } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { beginOutcome, writeNote } from "../answers/outcome";
import { badRequest, conflict, unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { writeTicketKey } from "../answers/ticket_key_json";
import { TICKET_KEY_RULE, TicketKeyName } from "../fields/ticket_key_name";
import { ADDRESS_EXPECTED } from "../fields/value_names";

export class TicketKeyRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/ticket-keys/{name}", "PUT, DELETE");
    this.fields = FIELDS;
  }

  check(request: HttpRequest, response: HttpResponse): void {
    if (!new TicketKeyName(request.parameter).valid) badRequest(response, TICKET_KEY_RULE);
  }

  put(request: HttpRequest, response: HttpResponse): void {
    if (this.cache.configured.set.removesTicketKey(new TicketKeyName(request.parameter).pointer)) {
      conflict(response, CONFIGURED);
      return;
    }
    let value: JsonValue | null = null;
    if (request.givesFields) {
      const object = readObject(request, response, FIELDS);
      if (object === null) return;
      value = object.member("upstream");
    }
    if (value === null) {
      this.lift(request, response);
      return;
    }
    const address = value.kind == JsonKind.String ? canonicalAddress(value.text) : "";
    if (address.length == 0) {
      unprocessable(response, "upstream: " + ADDRESS_EXPECTED);
      return;
    }
    const name = new TicketKeyName(request.parameter);
    const upstream = String.UTF8.encode(address);
    switch (this.cache.ticketKeys.configure(name.pointer, changetype<usize>(upstream), upstream.byteLength)) {
      case KeyOutcome.Added:
        this.writeOutcome(response, 201, 1, "added");
        break;
      case KeyOutcome.Replaced:
        this.writeOutcome(response, 200, 1, "replaced");
        break;
      case KeyOutcome.Identical:
        this.writeOutcome(response, 200, 0, "identical");
        break;
      default:
        unavailable(response, "not stored: the table of ticket keys is full, or other changes came first; try again");
    }
  }

  remove(request: HttpRequest, response: HttpResponse): void {
    const name = new TicketKeyName(request.parameter);
    switch (this.cache.ticketKeys.remove(name.pointer)) {
      case KeyOutcome.Removed:
        break;
      case KeyOutcome.NotFound:
        beginOutcome(response, 404, 0, "not_found").endObject();
        return;
      default:
        unavailable(response, "not removed: the table of ticket keys is full, or other changes came first; try again");
        return;
    }
    const json = beginOutcome(response, 200, 1, "removed");
    const before = this.cache.ticketKeys.stateBefore;
    // A server issues under it, or did until now.
    if (before != 0) writeNote(json, STILL_ISSUING);
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }

  private lift(request: HttpRequest, response: HttpResponse): void {
    const name = new TicketKeyName(request.parameter);
    switch (this.cache.ticketKeys.lift(name.pointer)) {
      case KeyOutcome.Replaced:
        this.writeOutcome(response, 200, 1, "lifted");
        break;
      case KeyOutcome.NotFound:
        // The key is known but not removed, so nothing has changed.
        if (this.cache.ticketKeys.row) this.writeOutcome(response, 200, 0, "identical");
        else beginOutcome(response, 404, 0, "not_found").endObject();
        break;
      default:
        unavailable(response, "not lifted: other changes came first; try again");
    }
  }

  private writeOutcome(response: HttpResponse, status: i32, result: u64, outcome: string): void {
    const json = beginOutcome(response, status, result, outcome);
    const row = this.cache.ticketKeys.row;
    json.name("ticket_key");
    if (row) writeTicketKey(json, row, this.cache.configured.set);
    else json.nothing();
    json.endObject();
  }
}

const STILL_ISSUING: string =
  "the server may still issue under this key, and clients that do not forget a refused session meet an error each time: " +
  "change the server's ticket key first, then remove its name here";

const CONFIGURED: string =
  "the configuration of a filter removes this ticket key; take its name out of removed.ticket_keys there";
const FIELDS: StaticArray<string> = ["upstream"];
