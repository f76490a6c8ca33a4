/**
 * GET /v1/events: what happened to sessions, OpenSSL's new_cb and remove_cb for those who have no C to link.
 *
 * `next` is the mark to ask with next time, also where nothing has happened. `missed` is the number of events between
 * the mark and the last one shown that fell out of the log before they could be read. A mark of an earlier process, whose log
 * is gone, begins with the oldest event that is kept.
 */
import { Cache } from "../../session/cache";
import { EventReader } from "../../session/events/event_log";
import { Deadline, SLICE_NANOSECONDS } from "../../session/job";
import { eventMark, makingOf, writeEvents } from "../event_json";
import { LIMIT_EXPECTED, limitOf } from "../listing";
import { badRequest, unavailable } from "../problem";
import { AdminRequest } from "../request";
import { AdminResponse } from "../response";
import { Route } from "../route";

export class EventsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/events", "GET, HEAD");
    this.queryNames = ["after", "limit"];
  }

  get(request: AdminRequest, response: AdminResponse): void {
    const limit = limitOf(request.query.value("limit"));
    if (limit == 0) return badRequest(response, LIMIT_EXPECTED);
    const mark = eventMark();
    const after = request.query.value("after");
    if (after !== null && !mark.read(after)) {
      return badRequest(response, "after: not a mark of this log; take it from `seq` or `next`");
    }
    const log = this.cache.events.log;
    const deadline = new Deadline(this.cache.clock);
    deadline.start(SLICE_NANOSECONDS);
    this.cache.events.run(deadline);
    if (!log.load(this.cache.clock.nowNanoseconds())) {
      return unavailable(response, "the log of events could not be read; try again");
    }
    const known = mark.page == makingOf(log) ? mark.version : 0;
    writeEvents(response.begin(200), new EventReader(log, known), limit, makingOf(log));
  }
}
