/** GET /v1/removed: the sessions that were removed and are still refused, in pages. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { ListedKind, writeListing } from "../listing";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";
import { writeTombstone } from "../session_json";

export class RemovedRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/removed", "GET, HEAD");
    this.queryNames = ["limit", "cursor"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    writeListing(request, response, this.cache, new ListedTombstones(), "removed");
  }
}

class ListedTombstones extends ListedKind {
  binding(): string {
    return "/v1/removed";
  }

  tombstones(): bool {
    return true;
  }

  matches(cache: Cache): bool {
    return true;
  }

  write(json: JsonWriter, cache: Cache): void {
    writeTombstone(json, cache.tombstone);
  }
}
