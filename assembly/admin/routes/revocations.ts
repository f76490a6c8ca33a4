/** GET /v1/revocations: the revoked server names; those that a configuration revokes are the last, and have no end. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Removes } from "../../session/configured/removal_list";
import { Cause } from "../../session/record/session";
import { Unseen } from "../../session/revocation/revocations";
import { Row } from "../../shared/row";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { writeRevocation } from "../answers/revocation_json";
import { Route } from "../http/route";
import { ConfiguredEntries } from "../listing/configured_entries";
import { ListedRow, writeTable } from "../listing/table_listing";

export class RevocationsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    writeTable(response, "revocations", this.cache.revocations.table, new ListedRevocation(this.cache));
  }
}

class ListedRevocation extends ListedRow {
  private readonly others: ConfiguredEntries;

  constructor(private readonly cache: Cache) {
    super();
    this.others = new ConfiguredEntries(cache.configured.set, Removes.ServerName);
  }

  shows(row: Row): bool {
    const isConfigured = this.cache.configured.set.revokedAt(row.name, row.nameLength) != 0;
    return !isConfigured && this.cache.revocations.isInForce(row);
  }

  write(json: JsonWriter, row: Row): void {
    writeRevocation(json, row.name, row.nameLength, row.time, row.lastUsed, row.state);
  }

  writeOther(json: JsonWriter, number: u64): bool {
    const name = this.others;
    if (!name.moveTo(number)) return false;
    // It may have been revoked by a call as well: then the later time counts.
    const time = this.cache.revocations.revokedAt(name.bytes, name.length);
    writeRevocation(json, name.bytes, name.length, time, NO_END, Unseen.BY_NAME, Cause.CONFIG);
    return true;
  }
}

const NO_END: u64 = 0;
