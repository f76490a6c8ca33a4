/** GET /v1/ticket-keys: the names of ticket keys that were seen, told or removed. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Row } from "../../session/table";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";
import { ListedRow, writeTable } from "../table_listing";
import { writeTicketKey } from "../ticket_key_json";

export class TicketKeysRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/ticket-keys", "GET, HEAD");
  }

  get(request: AdminRequest, response: AdminResponse): void {
    writeTable(response, "ticket_keys", this.cache.ticketKeys.table, new ListedTicketKey());
  }
}

class ListedTicketKey extends ListedRow {
  write(json: JsonWriter, row: Row): void {
    writeTicketKey(json, row);
  }
}
