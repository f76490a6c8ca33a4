/** GET /v1/removed: the sessions that were removed and are still refused, in pages; of one upstream, for one cause, or all. */
import { canonicalAddress } from "../../bytes/address";
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Known } from "../../session/session";
import { ListedKind, writeListing } from "../listing";
import { causeName } from "../names";
import { badRequest } from "../problem";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";
import { writeTombstone } from "../session_json";

export class RemovedRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/removed", "GET, HEAD");
    this.queryNames = ["limit", "cursor", "upstream", "cause"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const upstream = request.query.value("upstream");
    const address = upstream === null ? "" : canonicalAddress(upstream);
    if (upstream !== null && address.length == 0) {
      badRequest(response, "upstream: expected IPv4:port or [IPv6]:port");
      return;
    }
    const cause = request.query.value("cause");
    if (cause !== null && cause != "api" && cause != "flush") {
      badRequest(response, "cause: expected one of api, flush");
      return;
    }
    const listed = new ListedTombstones(address, cause === null ? "" : cause);
    writeListing(request, response, this.cache, listed, "removed");
  }
}

class ListedTombstones extends ListedKind {
  private readonly upstream: ArrayBuffer;

  /** Each is empty for any. */
  constructor(
    private readonly address: string,
    private readonly cause: string,
  ) {
    super();
    this.upstream = String.UTF8.encode(address);
  }

  binding(): string {
    return "/v1/removed?upstream=" + this.address + "&cause=" + this.cause;
  }

  tombstones(): bool {
    return true;
  }

  matches(cache: Cache): bool {
    if (this.cause.length > 0 && causeName(cache.tombstone.cause) != this.cause) return false;
    const length = this.upstream.byteLength;
    if (length == 0) return true;
    const found = cache.found;
    if (!found.knows(Known.UPSTREAM) || found.upstreamLength != length) return false;
    return memory.compare(found.upstream, changetype<usize>(this.upstream), length) == 0;
  }

  write(json: JsonWriter, cache: Cache): void {
    writeTombstone(json, cache.tombstone);
  }
}
