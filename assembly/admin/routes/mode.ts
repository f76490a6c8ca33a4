/** GET and PUT /v1/mode: SSL_CTX_set_session_cache_mode. */
import { readMode } from "../../config/mode_names";
import { modeNames } from "../../session/settings/mode";
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { readField } from "../http/body";
import { unavailable, unprocessable } from "../http/problem";
import { AdminRequest } from "../http/request";
import { AdminResponse } from "../http/response";
import { Route } from "../http/route";

export class ModeRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/mode", "GET, HEAD, PUT");
    this.fields = ["mode"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const json = response.begin(200);
    json.beginObject();
    writeMode(json, "mode", this.cache.settings.mode);
    json.endObject();
  }

  put(request: AdminRequest, response: AdminResponse): void {
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
    json.beginObject();
    writeMode(json, "mode", text.mode);
    writeMode(json, "previous", this.cache.settings.previous);
    json.endObject();
  }
}

function writeMode(json: JsonWriter, name: string, mode: u32): void {
  const names = modeNames(mode);
  json.name(name);
  json.beginArray();
  for (let i = 0; i < names.length; i++) json.string(names[i]);
  json.endArray();
}
