/**
 * GET /v1/filters: the filters of the cache, what each gives and what is in force for it. Bounded, so there are no pages.
 *
 * `state`: `in_force`; `draining` where another configuration of it has taken its place and it serves what is left of its
 * connections; `starting` before its first tick. `gives` is what its text has; `settings` is what holds for it.
 */
import { HostFacts } from "../../ports/host_facts";
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { enforcementName } from "../../session/settings/enforcement";
import { CACHE_SIZE, ENFORCEMENT, LIFETIME, MODE, REMOVED, settingName } from "../../session/settings/given_settings";
import { SETTINGS, TIMEOUT, UNSET } from "../../session/settings/given_settings";
import { modeNames } from "../../session/settings/mode";
import { MISPLACED, Registration, Role, roleText, State } from "../../session/settings/registration";
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
    const registrations = this.cache.settings.registrations;
    if (!registrations.read()) return unavailable(response, "the filters could not be read; try again");
    const json = response.begin(200);
    json.beginObject();
    json.name("filters");
    json.beginArray();
    for (let place: u32 = 0; place < registrations.places; place++) {
      const filter = registrations.registered(place);
      if (filter.identity != 0) this.write(json, filter, registrations.workers(place, this.seconds()));
    }
    json.endArray();
    json.endObject();
  }

  private seconds(): u32 {
    const clock = this.cache.clock;
    const seconds = clock.monotonicSeconds();
    return <u32>(seconds == 0 ? clock.nowSeconds() : seconds);
  }

  private write(json: JsonWriter, filter: Registration, workers: u32): void {
    const name = filter.name;
    const slash = name.lastIndexOf("/");
    json.beginObject();
    json.name("root_id");
    json.string(roleText(name));
    json.name("name");
    json.string(slash < 0 ? name : name.substring(0, slash));
    json.name("state");
    json.string(stateName(filter));
    json.name("workers");
    json.number(workers);
    json.name("since");
    json.number(filter.since);
    json.name("settings");
    this.writeSettings(json, filter);
    json.name("gives");
    json.beginObject();
    for (let setting = 0; setting < SETTINGS; setting++) {
      if (filter.given(setting) != UNSET) writeSetting(json, setting, filter.given(setting));
    }
    json.endObject();
    json.name("envoy");
    const envoy = this.facts.version();
    if (envoy.length > 0) json.string(envoy);
    else json.nothing();
    json.name("module");
    json.beginObject();
    json.name("version");
    json.string(filter.version);
    json.name("sha256");
    json.nothing();
    json.endObject();
    json.endObject();
  }

  private writeSettings(json: JsonWriter, filter: Registration): void {
    const settings = this.cache.settings;
    json.beginObject();
    writeSetting(json, MODE, settings.mode);
    writeSetting(json, CACHE_SIZE, settings.cacheSize);
    writeSetting(json, TIMEOUT, settings.timeoutSeconds);
    writeSetting(json, REMOVED, settings.removedSeconds);
    writeSetting(json, LIFETIME, settings.ticketLifetime);
    writeSetting(json, ENFORCEMENT, settings.enforcementFor(filter.is(Role.ADMIN) ? UNSET : filter.given(ENFORCEMENT)));
    json.endObject();
  }
}

function stateName(filter: Registration): string {
  if (filter.is(MISPLACED)) return "misplaced";
  if (filter.state == State.PENDING) return "starting";
  return filter.state == State.SUPERSEDED ? "draining" : "in_force";
}

function writeSetting(json: JsonWriter, setting: i32, value: u32): void {
  json.name(settingName(setting));
  if (setting == ENFORCEMENT) return json.string(enforcementName(value));
  if (setting != MODE) return json.number(value);
  const names = modeNames(value);
  json.beginArray();
  for (let i = 0; i < names.length; i++) json.string(names[i]);
  json.endArray();
}
