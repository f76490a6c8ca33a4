/** GET /v1/fleet: whether this proxy shares its cache with others, what is not told yet, and which proxies there are. */
import { StatusValue } from "../../fleet/state/status";
import { Cache } from "../../session/cache";
import { writeFleet } from "../answers/fleet_json";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class FleetRoute extends Route {
  constructor(
    private readonly cache: Cache,
    private readonly status: StatusValue,
  ) {
    super("/v1/fleet", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    writeFleet(response.begin(200), this.status.read(), this.cache.clock.nowNanoseconds());
  }
}
