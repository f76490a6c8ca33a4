/**
 * GET, PUT and DELETE /v1/sessions/{id}: one session. GET neither counts nor uses it. PUT is SSL_CTX_add_session and DELETE
 * is SSL_CTX_remove_session; `result` is their return value. DELETE of one handle removes all handles of its session: they
 * are refused at once, and the response waits until they are found.
 */
import { Cache, Lookup, PutOutcome, RemoveOutcome } from "../../session/cache";
import { Cause } from "../../session/record/session";
import { SessionRemoval } from "../../session/jobs/session_removal";
import { readObject } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { beginOutcome } from "../answers/outcome";
import { badRequest, conflict, gone, notFound, unavailable, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Route } from "../http/route";
import { SESSION_FIELDS, SessionChange } from "../fields/session_change";
import { ID_RULE, SessionId } from "../fields/session_id";
import { writeSession } from "../answers/session_json";

export class SessionRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/sessions/{id}", "GET, HEAD, PUT, DELETE");
    this.fields = SESSION_FIELDS;
  }

  check(request: HttpRequest, response: HttpResponse): void {
    if (new SessionId(request.parameter).length == 0) badRequest(response, ID_RULE);
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const id = new SessionId(request.parameter);
    switch (this.cache.peek(id.pointer, id.length)) {
      case Lookup.Found:
        writeSession(response.begin(200), this.cache.found);
        break;
      case Lookup.Expired:
        notFound(response, "the session has expired; PUT adds it again");
        break;
      case Lookup.Absent:
        notFound(response, "the cache holds no session of this ID; PUT adds one");
        break;
      case Lookup.Removed:
        gone(response, this.isConfigured(id) ? CONFIGURED : REMOVED);
        break;
      default:
        unavailable(response, "the cache could not be read; try again");
    }
  }

  put(request: HttpRequest, response: HttpResponse): void {
    const id = new SessionId(request.parameter);
    if (this.isConfigured(id)) {
      conflict(response, CONFIGURED);
      return;
    }
    const change = new SessionChange(id);
    if (request.givesFields) {
      const object = readObject(request, response, SESSION_FIELDS);
      if (object === null) return;
      change.read(object);
    }
    if (change.error.length > 0) {
      unprocessable(response, change.error);
      return;
    }
    switch (this.cache.put(change.session)) {
      case PutOutcome.Added:
        this.writeOutcome(response, 201, 1, "added");
        break;
      case PutOutcome.Replaced:
        this.writeOutcome(response, 200, 1, "replaced");
        break;
      case PutOutcome.Identical:
        this.writeOutcome(response, 200, 0, "identical");
        break;
      case PutOutcome.NoRoom:
        unavailable(response, "not stored: removed sessions fill the page of this ID; try again later");
        break;
      default:
        unavailable(response, "not stored: other changes came first; try again");
    }
  }

  remove(request: HttpRequest, response: HttpResponse): void {
    const id = new SessionId(request.parameter);
    const outcome = this.cache.remove(id.pointer, id.length, Cause.API);
    if (outcome == RemoveOutcome.Contended) {
      unavailable(response, "not removed: other changes came first; try again");
      return;
    }
    const report = new Removed(this.cache, outcome == RemoveOutcome.Removed);
    if (this.cache.removals.removedSession == 0) return report.write(response);
    const others = new SessionRemoval(this.cache, this.cache.removals.removedSession, Cause.API);
    report.others = others;
    response.await(others, report);
  }

  /** Whether a configuration removes a session. */
  private isConfigured(id: SessionId): bool {
    return this.cache.configured.set.removesSession(id.pointer, id.length);
  }

  private writeOutcome(response: HttpResponse, status: i32, result: u64, outcome: string): void {
    const json = beginOutcome(response, status, result, outcome);
    json.name("session");
    writeSession(json, this.cache.found);
    json.endObject();
  }
}

class Removed extends JobReport {
  /** The removal of the session's other handles; null if it has none. */
  others: SessionRemoval | null = null;

  constructor(
    private readonly cache: Cache,
    private readonly held: bool,
  ) {
    super();
  }

  write(response: HttpResponse): void {
    const others = this.others;
    const json = this.held ? beginOutcome(response, 200, 1, "removed") : beginOutcome(response, 404, 0, "not_found");
    // An ID that is not held is refused from now on, too.
    response.isForFleet = true;
    json.name("handles");
    json.number(<u64>this.held + (others ? others.removed : 0));
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }
}

const REMOVED: string =
  "the session was removed and is still refused; GET /v1/removed shows until when, PUT adds it again";
const CONFIGURED: string =
  "the configuration of a filter removes this session; take its ID out of removed.sessions there";
