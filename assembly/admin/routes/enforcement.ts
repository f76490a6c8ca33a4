/** GET and PUT /v1/enforcement: which resumptions are refused. In force before the response is sent. */
import { JsonKind } from "../../json/value";
import { Cache } from "../../session/cache";
import { ENFORCEMENT } from "../../session/settings/given_settings";
import { enforcementName, enforcementOf } from "../../session/settings/enforcement";
import { readField } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class EnforcementRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/enforcement", "GET, HEAD, PUT");
    this.fields = ["enforcement"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("enforcement");
    json.string(enforcementName(this.cache.settings.enforcement));
    json.endObject();
  }

  put(request: HttpRequest, response: HttpResponse): void {
    const value = readField(request, response, "enforcement");
    if (value === null) return;
    const enforcement = value.kind == JsonKind.String ? enforcementOf(value.text) : -1;
    if (enforcement < 0) {
      unprocessable(response, 'enforcement: expected "observe", "revoked" or "strict"');
      return;
    }
    if (!this.cache.settings.changeEnforcement(enforcement)) {
      unavailable(response, "not changed: other changes came first; try again");
      return;
    }
    const json = response.begin(200);
    response.isForFleet = true;
    response.setting = ENFORCEMENT;
    json.beginObject();
    json.name("enforcement");
    json.string(enforcementName(enforcement));
    json.name("previous");
    json.string(enforcementName(this.cache.settings.previous));
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }
}
