/** GET /v1/sessions: the sessions that the cache holds, in pages. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Shown } from "../../session/jobs/walk";
import { ListedKind, writeListing } from "../listing/listing";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { SessionFilter } from "../fields/session_filter";
import { writeSession } from "../answers/session_json";

export class SessionsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/sessions", "GET, HEAD");
    this.queryNames = ["limit", "cursor", "kind", "sni", "upstream"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const filter = new SessionFilter(request.query);
    if (filter.error.length > 0) {
      badRequest(response, filter.error);
      return;
    }
    writeListing(request, response, this.cache, new ListedSessions(filter), "sessions");
  }
}

export class ListedSessions extends ListedKind {
  constructor(private readonly filter: SessionFilter) {
    super();
  }

  binding(): string {
    return "/v1/sessions?" + this.filter.binding;
  }

  shown(): Shown {
    return Shown.Sessions;
  }

  matches(cache: Cache): bool {
    const found = cache.found;
    return this.filter.matches(found) && !cache.configured.set.removesSession(found.id, found.idLength);
  }

  write(json: JsonWriter, cache: Cache): void {
    writeSession(json, cache.found);
  }
}
