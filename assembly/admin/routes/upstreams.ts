/**
 * GET /v1/upstreams: the upstreams whose sessions and ticket keys the cache holds, and how many of each. POST
 * /v1/sessions/remove for one upstream removes so many. Cost: all pages of the cache, in slices.
 */
import { Cache } from "../../session/cache";
import { UpstreamCount } from "../../session/jobs/upstream_count";
import { unavailable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Route } from "../http/route";

export class UpstreamsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/upstreams", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const count = new UpstreamCount(this.cache);
    response.await(count, new Upstreams(count));
  }
}

class Upstreams extends JobReport {
  constructor(private readonly count: UpstreamCount) {
    super();
  }

  write(response: HttpResponse): void {
    if (!this.count.addTicketKeys()) {
      unavailable(response, "the ticket keys could not be read; try again");
      return;
    }
    const json = response.begin(200);
    json.beginObject();
    json.name("upstreams");
    json.beginArray();
    const upstreams = this.count.upstreams;
    for (let i = 0; i < upstreams.length; i++) {
      const upstream = upstreams[i];
      json.beginObject();
      json.name("upstream");
      json.string(upstream.address);
      json.name("sessions");
      json.number(upstream.sessions);
      json.name("hits");
      json.number(upstream.hits);
      json.name("last_used");
      if (upstream.lastUsed != 0) json.number(upstream.lastUsed);
      else json.nothing();
      json.name("ticket_keys");
      json.number(upstream.ticketKeys);
      json.endObject();
    }
    json.endArray();
    json.name("unknown");
    json.number(this.count.unknown);
    json.name("others");
    json.number(this.count.others);
    json.endObject();
  }
}
