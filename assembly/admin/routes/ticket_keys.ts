/** GET /v1/ticket-keys: the names of ticket keys that were seen, configured or removed; of one upstream or of all. */
import { canonicalAddress } from "../../bytes/address";
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Row } from "../../session/table";
import { badRequest } from "../problem";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";
import { ListedRow, writeTable } from "../table_listing";
import { writeTicketKey } from "../ticket_key_json";

export class TicketKeysRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/ticket-keys", "GET, HEAD");
    this.queryNames = ["upstream"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const asked = request.query.value("upstream");
    const address = asked === null ? "" : canonicalAddress(asked);
    if (asked !== null && address.length == 0) {
      badRequest(response, "upstream: expected IPv4:port or [IPv6]:port");
      return;
    }
    writeTable(response, "ticket_keys", this.cache.ticketKeys.table, new ListedTicketKey(String.UTF8.encode(address)));
  }
}

class ListedTicketKey extends ListedRow {
  /** Empty for any. */
  constructor(private readonly upstream: ArrayBuffer) {
    super();
  }

  shows(row: Row): bool {
    const length = this.upstream.byteLength;
    if (length == 0) return true;
    return (
      <i32>row.upstreamLength == length && memory.compare(row.upstream, changetype<usize>(this.upstream), length) == 0
    );
  }

  write(json: JsonWriter, row: Row): void {
    writeTicketKey(json, row);
  }
}
