/**
 * GET /v1/revocations: the revoked server names; those that a configuration revokes are the last, and have no end. With
 * `lifted=true` also those whose revocation was lifted within the last week.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Removes } from "../../session/configured/removal_list";
import { Cause } from "../../session/record/session";
import { Unseen } from "../../session/revocation/revocations";
import { Row } from "../../shared/row";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { writeLifted, writeRevocation } from "../answers/revocation_json";
import { Route } from "../http/route";
import { ConfiguredEntries } from "../listing/configured_entries";
import { ListedRow, writeTable } from "../listing/table_listing";

export class RevocationsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations", "GET, HEAD");
    this.queryNames = ["lifted"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const lifted = request.query.value("lifted");
    if (lifted !== null && lifted != "true" && lifted != "false") {
      badRequest(response, "lifted: expected true or false");
      return;
    }
    const listed = new ListedRevocation(this.cache, lifted !== null && lifted == "true");
    writeTable(response, "revocations", this.cache.revocations.table, listed);
  }
}

export class ListedRevocation extends ListedRow {
  private readonly others: ConfiguredEntries;

  constructor(
    private readonly cache: Cache,
    private readonly showsLifted: bool,
  ) {
    super();
    this.others = new ConfiguredEntries(cache.configured.set, Removes.ServerName);
  }

  shows(row: Row): bool {
    const isConfigured = this.cache.configured.set.revokedAt(row.name, row.nameLength) != 0;
    if (isConfigured) return false;
    const revocations = this.cache.revocations;
    return revocations.isInForce(row) || (this.showsLifted && revocations.liftedAt(row) != 0);
  }

  write(json: JsonWriter, row: Row): void {
    const lifted = this.cache.revocations.liftedAt(row);
    if (lifted != 0) writeLifted(json, row.name, row.nameLength, row.time, lifted);
    else writeRevocation(json, row.name, row.nameLength, row.time, row.lastUsed, row.state);
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
