/**
 * GET and PUT /v1/cache-size: SSL_CTX_sess_set_cache_size; 0 is unlimited. A smaller size evicts before the response is
 * sent, not with the next add as in OpenSSL.
 */
import { Cache } from "../../session/cache";
import { Shrink } from "../../session/jobs/shrink";
import { readField } from "../http/body";
import { unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Route } from "../http/route";

export class CacheSizeRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/cache-size", "GET, HEAD, PUT");
    this.fields = ["cache_size"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("cache_size");
    json.number(this.cache.settings.cacheSize);
    json.endObject();
  }

  put(request: HttpRequest, response: HttpResponse): void {
    const value = readField(request, response, "cache_size");
    if (value === null) return;
    if (!value.isWhole(0, i32.MAX_VALUE)) {
      unprocessable(response, "cache_size: expected a whole number from 0 (unlimited) to 2147483647");
      return;
    }
    const size = <u32>value.number;
    if (!this.cache.changeCacheSize(size)) {
      unavailable(response, "not changed: other changes came first; try again");
      return;
    }
    const previous = this.cache.previous;
    const report = new SizeChanged(size, previous);
    if (size != 0 && (previous == 0 || size < previous)) response.await(new Shrink(this.cache), report);
    else report.write(response);
  }
}

class SizeChanged extends JobReport {
  constructor(
    private readonly size: u32,
    private readonly previous: u32,
  ) {
    super();
  }

  write(response: HttpResponse): void {
    const json = response.begin(200);
    json.beginObject();
    json.name("cache_size");
    json.number(this.size);
    json.name("previous");
    json.number(this.previous);
    json.endObject();
  }
}
