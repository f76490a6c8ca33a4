/**
 * GET /v1/ticket-keys: the ticket keys that were seen, configured or removed; all, or those of one upstream. Keys that a
 * configuration removes and nobody has seen are the last.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Row } from "../../shared/row";
import { AskedUpstream } from "../fields/asked";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { ListedRow, writeTable } from "../listing/table_listing";
import { writeTicketKey, writeUnseenKey } from "../answers/ticket_key_json";
import { ConfiguredEntries } from "../listing/configured_entries";
import { Removes } from "../../session/configured/removal_list";

export class TicketKeysRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/ticket-keys", "GET, HEAD");
    this.queryNames = ["upstream"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const upstream = new AskedUpstream(request.query.value("upstream"));
    if (upstream.error.length > 0) {
      badRequest(response, upstream.error);
      return;
    }
    writeTable(response, "ticket_keys", this.cache.ticketKeys.table, new ListedTicketKey(this.cache, upstream));
  }
}

export class ListedTicketKey extends ListedRow {
  private readonly others: ConfiguredEntries;

  constructor(
    private readonly cache: Cache,
    private readonly upstream: AskedUpstream,
  ) {
    super();
    this.others = new ConfiguredEntries(cache.configured.set, Removes.TicketKey);
  }

  shows(row: Row): bool {
    return this.upstream.matches(row.upstream, row.upstreamLength);
  }

  write(json: JsonWriter, row: Row): void {
    writeTicketKey(json, row, this.cache.configured.set);
  }

  writeOther(json: JsonWriter, number: u64): bool {
    // Nothing is known of the upstream of a key without a row.
    if (this.upstream.text.length > 0 || !this.others.moveTo(number)) return false;
    if (!this.cache.ticketKeys.look(this.others.bytes)) writeUnseenKey(json, this.others.bytes);
    return true;
  }
}
