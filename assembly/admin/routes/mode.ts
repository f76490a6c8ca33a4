/** GET and PUT /v1/mode: SSL_CTX_set_session_cache_mode. */
import { readMode } from "../../config/mode_field";
import { Cache } from "../../session/cache";
import { MODE } from "../../session/settings/given_settings";
import { writeMode } from "../answers/mode_json";
import { readField } from "../http/body";
import { unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class ModeRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/mode", "GET, HEAD, PUT");
    this.fields = ["mode"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("mode");
    writeMode(json, this.cache.settings.mode);
    json.endObject();
  }

  put(request: HttpRequest, response: HttpResponse): void {
    const value = readField(request, response, "mode");
    if (value === null) return;
    const text = readMode(value);
    if (text.error.length > 0) {
      unprocessable(response, "mode: " + text.error);
      return;
    }
    if (!this.cache.settings.changeMode(text.mode)) {
      unavailable(response, "not changed: other changes came first; try again");
      return;
    }
    const json = response.begin(200);
    response.isForFleet = true;
    response.setting = MODE;
    json.beginObject();
    json.name("mode");
    writeMode(json, text.mode);
    json.name("previous");
    writeMode(json, this.cache.settings.previous);
    json.endObject();
  }
}
