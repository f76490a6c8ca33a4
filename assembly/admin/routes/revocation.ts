/**
 * PUT and DELETE /v1/revocations/{sni}: one server name. After PUT no session that was issued for it up to now resumes; a
 * second PUT moves that time. DELETE lifts it.
 */
import { Cache } from "../../session/cache";
import { RevocationOutcome } from "../../session/revocations";
import { readObject } from "../body";
import { beginOutcome } from "../outcome";
import { badRequest, unavailable } from "../problem";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { writeRevocation } from "../revocation_json";
import { Route } from "../route";
import { SERVER_NAME_RULE, ServerName } from "../server_name";

export class RevocationRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations/{sni}", "PUT, DELETE");
  }

  check(request: AdminRequest, response: AdminResponse): void {
    if (new ServerName(request.parameter).length == 0) badRequest(response, SERVER_NAME_RULE);
  }

  put(request: AdminRequest, response: AdminResponse): void {
    if (request.bodyLength > 0 && readObject(request, response, NO_FIELDS) === null) return;
    const sni = new ServerName(request.parameter);
    const revocations = this.cache.revocations;
    if (revocations.revoke(sni.pointer, sni.length) != RevocationOutcome.Done) {
      unavailable(response, "not revoked: no room for one more, or other changes came first; try again");
      return;
    }
    const replaced = revocations.replaced;
    const json = beginOutcome(response, replaced ? 200 : 201, 1, replaced ? "replaced" : "added");
    json.name("revocation");
    writeRevocation(json, sni.pointer, sni.length, revocations.time);
    json.endObject();
  }

  remove(request: AdminRequest, response: AdminResponse): void {
    const sni = new ServerName(request.parameter);
    switch (this.cache.revocations.lift(sni.pointer, sni.length)) {
      case RevocationOutcome.Done:
        beginOutcome(response, 200, 1, "removed").endObject();
        break;
      case RevocationOutcome.NotFound:
        beginOutcome(response, 404, 0, "not_found").endObject();
        break;
      default:
        unavailable(response, "not lifted: other changes came first; try again");
    }
  }
}

const NO_FIELDS: StaticArray<string> = [];
