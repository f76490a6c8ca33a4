/**
 * GET /v1/upstreams: the upstreams whose sessions and ticket keys the cache holds, and how many of each; and those whose
 * resumptions were lost or refused. POST /v1/sessions/remove for one upstream removes as many as it has sessions. Cost: all
 * pages of the cache, in slices.
 */
import { JsonWriter } from "../../json/writer";
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
    if (!this.count.addTally()) {
      unavailable(response, "the lost and refused resumptions could not be read; try again");
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
      json.name("lost");
      json.number(upstream.lost);
      json.name("refused");
      json.number(upstream.refused);
      json.endObject();
    }
    json.endArray();
    json.name("unknown");
    json.number(this.count.unknown);
    json.name("others");
    json.number(this.count.others);
    if (this.count.restLost > 0 || this.count.restRefused > 0) this.writeRest(json);
    json.endObject();
  }

  private writeRest(json: JsonWriter): void {
    json.name("rest");
    json.beginObject();
    json.name("lost");
    json.number(this.count.restLost);
    json.name("refused");
    json.number(this.count.restRefused);
    json.endObject();
  }
}
