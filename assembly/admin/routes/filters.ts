/** GET /v1/filters: the filters of the cache. Their number is bounded, so there are no pages. */
import { HostFacts } from "../../ports/host_facts";
import { Cache } from "../../session/cache";
import { writeRegistration } from "../answers/registration_json";
import { unavailable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class FiltersRoute extends Route {
  constructor(
    private readonly cache: Cache,
    private readonly facts: HostFacts,
  ) {
    super("/v1/filters", "GET, HEAD");
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const settings = this.cache.settings;
    const registrations = settings.registrations;
    if (!registrations.read()) return unavailable(response, "the filters could not be read; try again");
    const json = response.begin(200);
    const version = this.facts.version();
    json.beginObject();
    json.name("filters");
    json.beginArray();
    for (let place: u32 = 0; place < registrations.places; place++) {
      const filter = registrations.registered(place);
      if (filter.identity == 0) continue;
      writeRegistration(json, filter, registrations.workers(place, this.seconds()), settings, version);
    }
    json.endArray();
    json.endObject();
  }

  /** By the machine's own clock; by the clock of the day if there is no other. */
  private seconds(): u32 {
    const clock = this.cache.clock;
    const seconds = clock.monotonicSeconds();
    return <u32>(seconds == 0 ? clock.nowSeconds() : seconds);
  }
}
