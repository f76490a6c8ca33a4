/**
 * The admin API: takes requests and writes responses, without the host. For each request the caller makes a `Call`, then
 * calls:
 *
 *   begin        with the headers; true if the response is decided, and then no body needs to be read
 *   handle       with the whole body, or at once if there is none; may leave `response.job`
 *   tooLarge     instead of `handle`, as soon as more than MAX_BODY_LENGTH bytes of body are announced or have come
 *   bodyMissing  instead of `handle`, if nothing has come of a body that was announced
 *   finish       after that job
 *
 * Errors have an order: token (401), path (404), method (405), right to change (403), query and ID (400), size (413), body
 * (400, then 422). No request traps. Several requests may be under way at once.
 */
import { Config, DEFAULT_START_WAIT_MILLISECONDS } from "../config/config";
import { StatusValue } from "../fleet/state/status";
import { HostFacts } from "../ports/host_facts";
import { MAX_TEXT_LENGTH } from "../json/reader";
import { quoted } from "../json/quote";
import { WRITES_DENIED } from "../ports/shared_store";
import { Cache } from "../session/cache";
import { SteeringReport } from "../steering/setup/report";
import { Access, BearerTokens } from "./access";
import { isInFleet, writePending } from "./answers/fleet_json";
import {
  badRequest,
  contentTooLarge,
  forbidden,
  methodNotAllowed,
  notFound,
  requestTimeout,
  unauthorized,
  unavailable,
} from "./http/problem";
import { Call } from "./http/call";
import { HttpRequest } from "./http/request";
import { HttpResponse, NO_SETTING } from "./http/response";
import { Route } from "./http/route";
import { routesOf } from "./routes/all";

/** In bytes. */
export const MAX_BODY_LENGTH: i32 = MAX_TEXT_LENGTH;

export class AdminApi {
  private readonly tokens: BearerTokens;
  private readonly routes: Route[];
  private readonly fleet: StatusValue;

  constructor(
    private readonly cache: Cache,
    config: Config,
    facts: HostFacts = new HostFacts(),
    /** The state of the filters' steering; null if nothing keeps it. */
    steering: SteeringReport | null = null,
  ) {
    this.tokens = new BearerTokens(config.admin);
    const fleet = new StatusValue(cache.settings.cacheName, cache.sharedStore);
    this.fleet = fleet;
    const fleetConfig = config.fleet;
    this.routes = routesOf(
      cache,
      facts,
      steering,
      fleet,
      fleetConfig ? fleetConfig.startWaitMilliseconds : DEFAULT_START_WAIT_MILLISECONDS,
    );
  }

  free(): void {
    this.fleet.free();
  }

  /**
   * Routes a request by its headers. True: the response is decided. False: `handle` is next, with the body if there is one.
   */
  begin(call: Call): bool {
    const request = call.request;
    const response = call.response;
    const question = request.path.indexOf("?");
    const path = question < 0 ? request.path : request.path.substring(0, question);
    const route = this.routeOf(path, request);
    const access = this.tokens.accessOf(request.authorization);

    if (access == Access.None && (route === null || route.needsToken)) {
      unauthorized(response);
      return true;
    }
    if (route === null) {
      notFound(response, quoted(path) + " is not a path of this API; GET /v1/openapi.json lists them");
      return true;
    }
    if (!route.allows(request.method)) {
      methodNotAllowed(response, route.allow);
      return true;
    }
    if (access == Access.Read && !reads(request.method)) {
      forbidden(response);
      return true;
    }
    call.route = route;
    request.parameter = route.parameterOf(path);
    if (question >= 0) request.query.read(request.path.substring(question + 1));
    checkQuery(request, response, route);
    if (response.status == 0) route.check(request, response);
    return response.status != 0;
  }

  /** Responds with 413: the body is larger than MAX_BODY_LENGTH. */
  tooLarge(response: HttpResponse): void {
    contentTooLarge(response, MAX_BODY_LENGTH);
  }

  /** Responds with 408: nothing has come of a body that was announced. */
  bodyMissing(response: HttpResponse): void {
    requestTimeout(response, BODY_MISSING);
  }

  /** Responds, or leaves a job that has to finish first. */
  handle(call: Call): void {
    const request = call.request;
    const response = call.response;
    const route = call.route;
    if (route === null) return;
    if (request.bodyLength > MAX_BODY_LENGTH) {
      this.tooLarge(response);
      return;
    }
    if (route.needsToken && !this.cache.readSettings()) {
      unavailable(response, "the settings of the cache could not be read; try again");
      return;
    }
    const method = request.method;
    if (!reads(method) && request.bodyLength > 0 && request.query.names.length > 0) {
      badRequest(response, "body and query: both have fields; send all of them in one of the two");
      return;
    }
    if (reads(method)) route.get(request, response);
    else if (method == "PUT") route.put(request, response);
    else if (method == "POST") route.post(request, response);
    else route.remove(request, response);
    this.complete(response);
  }

  /** Writes the response that waited for `response.job`. */
  finish(response: HttpResponse): void {
    const job = response.job;
    const report = response.report;
    if (job === null || report === null) return;
    if (job.failed) unavailable(response, report.failure);
    else report.write(response);
    response.job = null;
    response.report = null;
    this.complete(response);
  }

  /** Says of a change whether a fleet makes it, too, and tells the fleet of a setting that was set. Replaces the advice to try again if the host forbids all writes. */
  private complete(response: HttpResponse): void {
    if (response.isForFleet && isInFleet(this.cache) && !this.isOwnSetting(response)) {
      writePending(response.body);
      if (response.setting != NO_SETTING) this.cache.settings.noteSet(response.setting);
    }
    if (response.status == 503 && this.cache.deniesWrites) unavailable(response, "not stored: " + WRITES_DENIED);
  }

  /** Whether a change is one of a setting that this proxy does not share. Costs a read of the store for a setting. */
  private isOwnSetting(response: HttpResponse): bool {
    if (response.setting == NO_SETTING) return false;
    const status = this.fleet.read();
    return status != null && status.keepsSettings;
  }

  nowNanoseconds(): u64 {
    return this.cache.clock.nowNanoseconds();
  }

  private routeOf(path: string, request: HttpRequest): Route | null {
    for (let i = 0; i < this.routes.length; i++) {
      if (this.routes[i].matches(path) && this.routes[i].serves(request)) return this.routes[i];
    }
    return null;
  }
}

function reads(method: string): bool {
  return method == "GET" || method == "HEAD";
}

function checkQuery(request: HttpRequest, response: HttpResponse, route: Route): void {
  const query = request.query;
  if (query.error.length > 0) {
    badRequest(response, query.error);
    return;
  }
  const known = route.namesFor(request.method);
  for (let i = 0; i < query.names.length; i++) {
    if (known.includes(query.names[i])) continue;
    const names = known.length == 0 ? "expected no query" : "expected " + known.join(", ");
    badRequest(response, "query: " + quoted(query.names[i]) + " is not a parameter of this method; " + names);
    return;
  }
}

const BODY_MISSING: string =
  "the announced body does not come: Envoy keeps it back; set allow_on_headers_stop_iteration: true beside vm_config, " +
  "or leave the body out and send the fields in the query, as in PUT /v1/timeout?timeout=7200";
