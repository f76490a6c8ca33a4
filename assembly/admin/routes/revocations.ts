/** GET /v1/revocations: the server names that are revoked. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Row } from "../../session/table";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { writeRevocation } from "../revocation_json";
import { Route } from "../route";
import { ListedRow, writeTable } from "../table_listing";

export class RevocationsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations", "GET, HEAD");
  }

  get(request: AdminRequest, response: AdminResponse): void {
    writeTable(response, "revocations", this.cache.revocations.table, new ListedRevocation());
  }
}

class ListedRevocation extends ListedRow {
  write(json: JsonWriter, row: Row): void {
    writeRevocation(json, row.name, row.nameLength, row.time);
  }
}
