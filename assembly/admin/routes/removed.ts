/**
 * GET /v1/removed: removed sessions that are still refused, in pages; all, or those of a kind, upstream, server name or
 * cause. Those that a configuration removes are the last.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Removes } from "../../session/configured/removal_list";
import { Shown } from "../../session/jobs/walk";
import { Cause, Session } from "../../session/record/session";
import { SessionFilter } from "../fields/session_filter";
import { ConfiguredEntries } from "../listing/configured_entries";
import { ListedKind, writeListing } from "../listing/listing";
import { causeName } from "../fields/value_names";
import { badRequest } from "../http/problem";
import { takeIn } from "../imports/lists_import";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";
import { writeTombstone } from "../answers/session_json";

export class RemovedRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/removed", "GET, HEAD, POST");
    this.queryNames = ["limit", "cursor", "kind", "sni", "upstream", "cause"];
  }

  post(request: HttpRequest, response: HttpResponse): void {
    takeIn(request, response, this.cache, ONLY_REMOVED);
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const filter = new SessionFilter(request.query);
    if (filter.error.length > 0) {
      badRequest(response, filter.error);
      return;
    }
    const cause = request.query.value("cause");
    if (cause !== null && cause != "api" && cause != "flush" && cause != "config") {
      badRequest(response, "cause: expected api, flush or config");
      return;
    }
    const listed = new ListedTombstones(this.cache, filter, cause === null ? "" : cause);
    writeListing(request, response, this.cache, listed, "removed");
  }
}

export class ListedTombstones extends ListedKind {
  private readonly nobody: Session = new Session();
  private readonly others: ConfiguredEntries;

  /** An empty `cause` matches any. */
  constructor(
    private readonly cache: Cache,
    private readonly filter: SessionFilter,
    private readonly cause: string,
  ) {
    super();
    this.others = new ConfiguredEntries(cache.configured.set, Removes.Session);
  }

  binding(): string {
    return "/v1/removed?cause=" + this.cause + "&" + this.filter.binding;
  }

  shown(): Shown {
    return Shown.Removals;
  }

  matches(cache: Cache): bool {
    // Such a session is listed behind the others.
    if (cache.configured.set.removesSession(cache.tombstone.id, cache.tombstone.idLength)) return false;
    if (this.cause.length > 0 && causeName(cache.tombstone.cause) != this.cause) return false;
    return this.filter.matches(cache.found);
  }

  write(json: JsonWriter, cache: Cache): void {
    writeTombstone(json, cache.tombstone, cache.found);
  }

  writeOther(json: JsonWriter, number: u64): bool {
    if (!this.hasOther(number)) return false;
    const removed = this.cache.tombstone;
    removed.id = this.others.bytes;
    removed.idLength = this.others.length;
    removed.time = this.others.since;
    // As if it had just been removed, for as long as the configuration has it.
    removed.until = this.cache.clock.nowSeconds() + <u64>this.cache.settings.removedSeconds;
    removed.cause = Cause.CONFIG;
    writeTombstone(json, removed, this.nobody);
    return true;
  }

  hasOther(number: u64): bool {
    // Nothing is known of them.
    const isExcluded = !this.filter.isAll || (this.cause.length > 0 && this.cause != causeName(Cause.CONFIG));
    return !isExcluded && this.others.moveTo(number);
  }
}

const ONLY_REMOVED: StaticArray<string> = ["removed"];
