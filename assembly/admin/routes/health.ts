/** GET /healthz: that the filter runs, without a token. */
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";

export class HealthRoute extends Route {
  constructor() {
    super("/healthz", "GET, HEAD");
    this.open = true;
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("status");
    json.string("ok");
    json.endObject();
  }
}
