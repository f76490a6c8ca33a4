/**
 * GET /readyz: whether this proxy may get traffic, without a token. Where a fleet filter is configured, that is so once the
 * fleet's decisions were taken over, or if the store of the fleet was not reached for `start_wait_ms`; else always.
 */
import { readiness, Readiness } from "../../fleet/state/readiness";
import { StatusValue } from "../../fleet/state/status";
import { Cache } from "../../session/cache";
import { unavailable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class ReadyRoute extends Route {
  constructor(
    private readonly cache: Cache,
    private readonly status: StatusValue,
    private readonly waitMilliseconds: u32,
  ) {
    super("/readyz", "GET, HEAD");
    this.needsToken = false;
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const cache = this.cache;
    const ready = readiness(cache.settings, this.status, cache.clock, this.waitMilliseconds);
    if (ready == Readiness.Waiting) {
      return unavailable(response, "the decisions of the fleet are not here yet; see GET /v1/fleet");
    }
    const json = response.begin(200);
    json.beginObject();
    json.name("status");
    json.string("ok");
    json.name("fleet");
    json.string(ready == Readiness.Off ? "off" : ready == Readiness.Synced ? "synced" : "not_reached");
    json.endObject();
  }
}
