/** GET /v1/openapi.json: this API in OpenAPI 3.1. */
import { OPENAPI } from "../generated/openapi.generated";
import { AdminRequest } from "../http/request";
import { AdminResponse } from "../http/response";
import { Route } from "../http/route";

export class OpenApiRoute extends Route {
  constructor() {
    super("/v1/openapi.json", "GET, HEAD");
  }

  get(request: AdminRequest, response: AdminResponse): void {
    response.begin(200).document(OPENAPI);
  }
}
