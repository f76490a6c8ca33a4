/**
 * POST /v1/sessions/remove: removes all sessions of a selection with all their handles, as DELETE of each ID does. Responds
 * after the removal is in force. With `dry_run` it only counts the matches.
 */
import { Cache } from "../../session/cache";
import { SelectionRemoval } from "../../session/jobs/selection_removal";
import { readObject } from "../http/body";
import { writeEnforcedBy } from "../answers/enforced_by";
import { badRequest, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Route } from "../http/route";
import { SELECTION_FIELDS, SessionSelection } from "../fields/session_selection";

export class RemoveRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/sessions/remove", "POST");
    this.fields = SELECTION_FIELDS;
  }

  post(request: HttpRequest, response: HttpResponse): void {
    const object = readObject(request, response, SELECTION_FIELDS);
    if (object === null) return;
    const asked = new SessionSelection(object);
    if (asked.error.length > 0) {
      unprocessable(response, asked.error);
      return;
    }
    if (asked.selection.isAll) {
      badRequest(response, NOTHING_ASKED);
      return;
    }
    const removal = new SelectionRemoval(this.cache, asked.selection, asked.dryRun);
    response.await(removal, new SelectionRemoved(this.cache, removal, asked.dryRun));
  }
}

class SelectionRemoved extends JobReport {
  constructor(
    private readonly cache: Cache,
    private readonly removal: SelectionRemoval,
    private readonly dryRun: bool,
  ) {
    super();
  }

  write(response: HttpResponse): void {
    const json = response.begin(200);
    response.isForFleet = !this.dryRun && this.removal.removed > 0;
    json.beginObject();
    json.name("removed");
    json.number(this.removal.matched);
    if (!this.dryRun) {
      json.name("handles");
      json.number(this.removal.removed);
    }
    json.name("dry_run");
    json.boolean(this.dryRun);
    // A dry run changes nothing that somebody must enforce.
    if (!this.dryRun) writeEnforcedBy(json, this.cache);
    json.endObject();
  }
}

const NOTHING_ASKED: string =
  "body: expected at least one of upstream, sni, kind, ticket_key, protocol, issued_before; " +
  "POST /v1/sessions/flush removes all sessions";
