/** GET /v1/revocations: the revoked server names. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Revocations } from "../../session/revocation/revocations";
import { Row } from "../../shared/table";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { writeRevocation } from "../answers/revocation_json";
import { Route } from "../http/route";
import { ListedRow, writeTable } from "../listing/table_listing";

export class RevocationsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const revocations = this.cache.revocations;
    writeTable(response, "revocations", revocations.table, new ListedRevocation(revocations));
  }
}

class ListedRevocation extends ListedRow {
  constructor(private readonly revocations: Revocations) {
    super();
  }

  shows(row: Row): bool {
    return this.revocations.isInForce(row);
  }

  write(json: JsonWriter, row: Row): void {
    writeRevocation(json, row.name, row.nameLength, row.time, row.lastUsed, row.state);
  }
}
