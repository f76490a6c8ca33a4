/**
 * GET /v1/events: the events of sessions, as OpenSSL's new_cb and remove_cb report them to a C program.
 *
 * `next` is the mark for the next call, also if there are no events or none match. `missed` counts the lost events between
 * the mark of this call and the last event looked at; `missed_for` gives their causes. The log of an earlier process is
 * gone: a mark of it begins with the oldest event kept.
 *
 * Cost: one collection of the outboxes, then at most one look at each event of the log, in slices.
 */
import { Cache } from "../../session/cache";
import { EventReader } from "../../session/events/event_log";
import { Deadline, Job } from "../../work/job";
import { EventFilter } from "../fields/event_filter";
import { EventList, EventMarks } from "../answers/event_json";
import { LIMIT_EXPECTED, limitOf } from "../listing/listing";
import { badRequest, unavailable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { Route } from "../http/route";

export class EventsRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/events", "GET, HEAD");
    this.queryNames = ["after", "limit", "type", "since", "id", "sni", "upstream"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const limit = limitOf(request.query.value("limit"));
    if (limit == 0) return badRequest(response, LIMIT_EXPECTED);
    const filter = new EventFilter();
    filter.read(request.query);
    if (filter.error.length > 0) return badRequest(response, filter.error);
    const log = this.cache.events.log;
    if (!log.load(this.cache.clock.nowNanoseconds()))
      return unavailable(response, LOG + " could not be read; try again");
    const after = request.query.value("after");
    const marks = new EventMarks(this.cache, log);
    const known = after === null ? 0 : marks.sequenceOf(after);
    if (known < 0) return badRequest(response, "after: not a mark of this log; take one from `seq` or `next`");
    response.awaitReading(new EventListing(response, this.cache, filter, limit, marks, known), LOG);
  }
}

class EventListing extends Job {
  private reader: EventReader | null = null;
  private list: EventList | null = null;

  constructor(
    private readonly response: HttpResponse,
    private readonly cache: Cache,
    private readonly filter: EventFilter,
    private readonly limit: i32,
    private readonly marks: EventMarks,
    private readonly after: u64,
  ) {
    super();
  }

  step(deadline: Deadline): bool {
    const now = this.cache.clock.nowNanoseconds();
    const events = this.cache.events;
    let reader = this.reader;
    let list = this.list;
    if (!reader || !list) {
      // A caller must see the events of its own earlier changes.
      events.run(deadline);
      if (!events.log.load(now)) return this.giveUp();
      reader = new EventReader(events.log, this.after);
      list = new EventList(this.response.begin(200), reader, this.filter, this.limit, this.marks);
      this.reader = reader;
      this.list = list;
      if (deadline.passed) return false;
    } else if (!reader.resume(now)) {
      return this.giveUp();
    }
    return list.step(deadline);
  }

  private giveUp(): bool {
    this.failed = true;
    return true;
  }
}

const LOG: string = "the log of events";
