/**
 * GET /healthz: shows that the filter runs, without a token. With `?for=enforcement` it is 503 unless an observer or guard
 * of the cache is in force.
 */
import { Cache } from "../../session/cache";
import { quoted } from "../../json/quote";
import { isEnforced, warning } from "../answers/enforced_by";
import { badRequest, unavailable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class HealthRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/healthz", "GET, HEAD");
    this.needsToken = false;
    this.queryNames = QUERY_NAMES;
  }

  check(request: HttpRequest, response: HttpResponse): void {
    const purpose = request.query.value("for");
    if (purpose === null || purpose == ENFORCEMENT) return;
    badRequest(response, "for: " + quoted(purpose) + ' is unknown; expected "enforcement", or leave `for` out');
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const asked = request.query.value("for") !== null;
    if (asked && !isEnforced(this.cache)) return unavailable(response, warning(this.cache));
    const json = response.begin(200);
    json.beginObject();
    json.name("status");
    json.string("ok");
    json.endObject();
  }
}

const ENFORCEMENT: string = "enforcement";
const QUERY_NAMES: StaticArray<string> = ["for"];
