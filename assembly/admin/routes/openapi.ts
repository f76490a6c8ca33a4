/** GET /v1/openapi.json: the description of this API in OpenAPI 3.1. */
import { OPENAPI } from "../generated/openapi.generated";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class OpenApiRoute extends Route {
  constructor() {
    super("/v1/openapi.json", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    response.begin(200).document(OPENAPI);
  }
}
