/** GET /v1/removed: removed sessions that are still refused, in pages; all, or those of one upstream or cause. */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Shown } from "../../session/jobs/walk";
import { Known } from "../../session/record/session";
import { AskedUpstream } from "../fields/asked";
import { ListedKind, writeListing } from "../listing/listing";
import { causeName } from "../fields/value_names";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { writeTombstone } from "../answers/session_json";

export class RemovedRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/removed", "GET, HEAD");
    this.queryNames = ["limit", "cursor", "upstream", "cause"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const upstream = new AskedUpstream(request.query.value("upstream"));
    if (upstream.error.length > 0) {
      badRequest(response, upstream.error);
      return;
    }
    const cause = request.query.value("cause");
    if (cause !== null && cause != "api" && cause != "flush") {
      badRequest(response, "cause: expected api or flush");
      return;
    }
    const listed = new ListedTombstones(upstream, cause === null ? "" : cause);
    writeListing(request, response, this.cache, listed, "removed");
  }
}

class ListedTombstones extends ListedKind {
  /** An empty `cause` matches any. */
  constructor(
    private readonly upstream: AskedUpstream,
    private readonly cause: string,
  ) {
    super();
  }

  binding(): string {
    return "/v1/removed?upstream=" + this.upstream.text + "&cause=" + this.cause;
  }

  shown(): Shown {
    return Shown.Removals;
  }

  matches(cache: Cache): bool {
    if (this.cause.length > 0 && causeName(cache.tombstone.cause) != this.cause) return false;
    if (this.upstream.text.length == 0) return true;
    const found = cache.found;
    return found.knows(Known.UPSTREAM) && this.upstream.matches(found.upstream, found.upstreamLength);
  }

  write(json: JsonWriter, cache: Cache): void {
    writeTombstone(json, cache.tombstone);
  }
}
