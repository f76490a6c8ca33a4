/** POST /v1/sessions/flush: SSL_CTX_flush_sessions. Responds after the flush. */
import { Cache } from "../../session/cache";
import { Flush } from "../../session/jobs/flush";
import { readObject } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Route } from "../http/route";

export class FlushRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/sessions/flush", "POST");
    this.fields = FIELDS;
  }

  post(request: HttpRequest, response: HttpResponse): void {
    const object = readObject(request, response, FIELDS);
    if (object === null) return;
    const before = object.member("before");
    if (before !== null && !before.isWhole(0, u64.MAX_VALUE)) {
      unprocessable(response, "before: expected whole Unix seconds; 0 flushes all sessions");
      return;
    }
    const flush = new Flush(this.cache, before === null ? 0 : before.number);
    if (!flush.begin()) {
      unavailable(response, "not flushed: other changes came first; try again");
      return;
    }
    response.await(flush, new Flushed(this.cache, flush));
  }
}

class Flushed extends JobReport {
  constructor(
    private readonly cache: Cache,
    private readonly flush: Flush,
  ) {
    super();
  }

  write(response: HttpResponse): void {
    const json = response.begin(200);
    response.isForFleet = true;
    json.beginObject();
    json.name("removed");
    json.number(this.flush.removed);
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }
}

const FIELDS: StaticArray<string> = ["before"];
