/**
 * POST /v1/import: takes in again whatever `GET /v1/removed`, `/v1/ticket-keys` and `/v1/revocations` gave, of this cache or of
 * another one, with its times. Entries that are in force already change nothing, so it can be done again.
 */
import { Cache } from "../../session/cache";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { takeIn } from "../imports/lists_import";

export class ImportRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/import", "POST");
  }

  post(request: HttpRequest, response: HttpResponse): void {
    takeIn(request, response, this.cache, ALL_LISTS);
  }
}

const ALL_LISTS: StaticArray<string> = ["removed", "ticket_keys", "revocations"];
