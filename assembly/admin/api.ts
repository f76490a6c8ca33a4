/**
 * The admin API: a request in, an answer out; nothing of the host. For each request the caller makes a `Call`, then:
 *
 *   begin    with the headers: true when the answer is decided, then no body needs to be read
 *   tooLarge instead of `handle`, as soon as more than MAX_BODY_LENGTH bytes of body are announced or have come
 *   bodyMissing instead of `handle`, where a body was announced and none of it has come
 *   handle   with the whole body, or at once where there is none; may leave `response.job`
 *   finish   when that job has finished
 *
 * What is wrong is said in this order: token (401), path (404), method (405), right to change (403), query and ID
 * (400), size (413), body (400, then 422). Nothing traps, whatever the request is. Several requests may be under way at once.
 */
import { Config } from "../config/config";
import { HostFacts } from "../ports/host_facts";
import { MAX_TEXT_LENGTH } from "../json/reader";
import { quoted } from "../json/quote";
import { WRITES_DENIED } from "../ports/shared_store";
import { Cache } from "../session/cache";
import { SteeringReport } from "../steering/setup/report";
import { Access, BearerTokens } from "./access";
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
import { HttpResponse } from "./http/response";
import { Route } from "./http/route";
import { routesOf } from "./routes/all";

/** In bytes. */
export const MAX_BODY_LENGTH: i32 = MAX_TEXT_LENGTH;

export class AdminApi {
  private readonly tokens: BearerTokens;
  private readonly routes: Route[];

  constructor(
    private readonly cache: Cache,
    config: Config,
    facts: HostFacts = new HostFacts(),
    /** What filters say of their steering; null if none is known of. */
    steering: SteeringReport | null = null,
  ) {
    this.tokens = new BearerTokens(config.admin);
    this.routes = routesOf(cache, facts, steering);
  }

  /** True when the answer is decided; false when `handle` is to be called, with the body if there is one. */
  begin(call: Call): bool {
    const request = call.request;
    const response = call.response;
    const question = request.path.indexOf("?");
    const path = question < 0 ? request.path : request.path.substring(0, question);
    const route = this.routeOf(path);
    const access = this.tokens.accessOf(request.authorization);

    if (access == Access.None && (route === null || route.needsToken)) {
      unauthorized(response);
      return true;
    }
    if (route === null) {
      notFound(response, quoted(path) + " does not exist; GET /v1/openapi.json lists what does");
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

  /** Answers that the body is larger than MAX_BODY_LENGTH. */
  tooLarge(response: HttpResponse): void {
    contentTooLarge(response, MAX_BODY_LENGTH);
  }

  /** Answers that nothing has come of a body that was announced. */
  bodyMissing(response: HttpResponse): void {
    requestTimeout(response, BODY_MISSING);
  }

  /** Answers, or leaves a job that has to finish first. */
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
      badRequest(response, "body and query: both have fields; send them in one of the two");
      return;
    }
    if (reads(method)) route.get(request, response);
    else if (method == "PUT") route.put(request, response);
    else if (method == "POST") route.post(request, response);
    else route.remove(request, response);
    this.explain(response);
  }

  /** Writes the answer that waited for `response.job`. */
  finish(response: HttpResponse): void {
    const job = response.job;
    const report = response.report;
    if (job === null || report === null) return;
    if (job.failed) unavailable(response, report.failure);
    else report.write(response);
    response.job = null;
    response.report = null;
    this.explain(response);
  }

  /** To try again is of no use where the host lets nothing be stored. */
  private explain(response: HttpResponse): void {
    if (response.status == 503 && this.cache.deniesWrites) unavailable(response, "not stored: " + WRITES_DENIED);
  }

  nowNanoseconds(): u64 {
    return this.cache.clock.nowNanoseconds();
  }

  private routeOf(path: string): Route | null {
    for (let i = 0; i < this.routes.length; i++) {
      if (this.routes[i].matches(path)) return this.routes[i];
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
    const names = known.length == 0 ? "takes none" : "takes " + known.join(", ");
    badRequest(response, "query: " + quoted(query.names[i]) + " is unknown; this path " + names);
    return;
  }
}

const BODY_MISSING: string =
  "nothing of the body has come: Envoy keeps it back from this filter unless allow_on_headers_stop_iteration is true, beside " +
  "vm_config in its configuration; or leave the body out and send the fields in the query, as in PUT /v1/timeout?timeout=7200";
