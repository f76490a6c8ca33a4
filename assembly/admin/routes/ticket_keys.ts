/** GET /v1/ticket-keys: the ticket keys that were seen, configured or removed; all, or those of one upstream. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Row } from "../../shared/table";
import { AskedUpstream } from "../fields/asked";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { ListedRow, writeTable } from "../listing/table_listing";
import { writeTicketKey } from "../answers/ticket_key_json";

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
    writeTable(response, "ticket_keys", this.cache.ticketKeys.table, new ListedTicketKey(upstream));
  }
}

class ListedTicketKey extends ListedRow {
  constructor(private readonly upstream: AskedUpstream) {
    super();
  }

  shows(row: Row): bool {
    return this.upstream.matches(row.upstream, row.upstreamLength);
  }

  write(json: JsonWriter, row: Row): void {
    writeTicketKey(json, row);
  }
}
