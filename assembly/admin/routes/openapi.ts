/** GET /v1/openapi.json: this API in OpenAPI 3.1. */
import { OPENAPI } from "../openapi.generated";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";

export class OpenApiRoute extends Route {
  constructor() {
    super("/v1/openapi.json", "GET, HEAD");
  }

  get(request: AdminRequest, response: AdminResponse): void {
    response.begin(200).document(OPENAPI);
  }
}
