/** GET and PUT /v1/timeout: SSL_CTX_set_timeout, in seconds. Applies to sessions that are stored later. */
import { Cache } from "../../session/cache";
import { TIMEOUT } from "../../session/settings/given_settings";
import { readField } from "../http/body";
import { unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class TimeoutRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/timeout", "GET, HEAD, PUT");
    this.fields = ["timeout"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("timeout");
    json.number(this.cache.settings.timeoutSeconds);
    json.endObject();
  }

  put(request: HttpRequest, response: HttpResponse): void {
    const value = readField(request, response, "timeout");
    if (value === null) return;
    if (!value.isWhole(1, i32.MAX_VALUE)) {
      unprocessable(response, "timeout: expected whole seconds from 1 to 2147483647");
      return;
    }
    const seconds = <u32>value.number;
    if (!this.cache.settings.changeTimeout(seconds)) {
      unavailable(response, "not changed: other changes came first; try again");
      return;
    }
    const json = response.begin(200);
    response.isForFleet = true;
    response.setting = TIMEOUT;
    json.beginObject();
    json.name("timeout");
    json.number(seconds);
    json.name("previous");
    json.number(this.cache.settings.previous);
    json.endObject();
  }
}
