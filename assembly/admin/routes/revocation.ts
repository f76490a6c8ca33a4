/**
 * PUT and DELETE /v1/revocations/{sni}: the revocation of one server name. After PUT no session issued for that name up to
 * now resumes; a second PUT moves that time and the end, never back. The revocation ends by itself once all older tickets must
 * have expired: after `ticket_lifetime` seconds, by default the configuration's. DELETE lifts it.
 */
import { JsonKind } from "../../json/value";
import { Cache } from "../../session/cache";
import { RevocationOutcome, Unseen } from "../../session/revocation/revocations";
import { readObject } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { beginOutcome } from "../answers/outcome";
import { badRequest, conflict, unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { UNSEEN_NAMES, unseenOf, writeRevocation } from "../answers/revocation_json";
import { Route } from "../http/route";
import { SERVER_NAME_RULE, ServerName } from "../fields/server_name";

export class RevocationRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/revocations/{sni}", "PUT, DELETE");
    this.fields = FIELDS;
  }

  check(request: HttpRequest, response: HttpResponse): void {
    if (new ServerName(request.parameter).length == 0) badRequest(response, SERVER_NAME_RULE);
  }

  put(request: HttpRequest, response: HttpResponse): void {
    let lifetime = this.cache.settings.ticketLifetime;
    let unseen = Unseen.AS_IT_IS;
    if (request.givesFields) {
      const object = readObject(request, response, FIELDS);
      if (object === null) return;
      const givenLifetime = object.member("ticket_lifetime");
      if (givenLifetime !== null) {
        if (!givenLifetime.isWhole(1, i32.MAX_VALUE)) {
          unprocessable(response, "ticket_lifetime: expected whole seconds from 1 to 2147483647");
          return;
        }
        lifetime = <u32>givenLifetime.number;
      }
      const givenUnseen = object.member("unseen");
      if (givenUnseen !== null) {
        unseen = givenUnseen.kind == JsonKind.String ? unseenOf(givenUnseen.text) : Unseen.AS_IT_IS;
        if (unseen == Unseen.AS_IT_IS) {
          unprocessable(response, "unseen: expected one of " + UNSEEN_NAMES);
          return;
        }
      }
    }
    const sni = new ServerName(request.parameter);
    const revocations = this.cache.revocations;
    if (revocations.revoke(sni.pointer, sni.length, lifetime, unseen) != RevocationOutcome.Done) {
      unavailable(response, "not revoked: the table of revocations is full, or other changes came first; try again");
      return;
    }
    const replaced = revocations.replaced;
    const json = beginOutcome(response, replaced ? 200 : 201, 1, replaced ? "replaced" : "added");
    json.name("revocation");
    writeRevocation(json, revocations.name, sni.length, revocations.time, revocations.until, revocations.unseen);
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }

  remove(request: HttpRequest, response: HttpResponse): void {
    const sni = new ServerName(request.parameter);
    if (this.cache.configured.set.revokedAt(sni.pointer, sni.length) != 0) {
      conflict(response, CONFIGURED);
      return;
    }
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

const CONFIGURED: string = "the configuration of a filter revokes this name; take it out of removed.server_names there";
const FIELDS: StaticArray<string> = ["ticket_lifetime", "unseen"];
