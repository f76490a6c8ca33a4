/** Takes in the lists of one request, one after the other, and answers with the number of entries that have changed something. */
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { Deadline, Job } from "../../work/job";
import { writeEnforcedBy } from "../answers/enforced_by";
import { readObject } from "../http/body";
import { badRequest, unprocessable } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse, JobReport } from "../http/response";
import { Import, Taken } from "./import_job";
import { ImportLines, LINE_NAMES } from "./import_lines";
import { RemovedImport } from "./removed_import";
import { RevocationsImport } from "./revocations_import";
import { SessionsImport } from "./sessions_import";
import { SettingsImport } from "./settings_import";
import { TicketKeysImport } from "./ticket_keys_import";

/** Leaves the response to a job, or writes a problem. The body is newline-delimited JSON, as GET /v1/export gives it. */
export function takeInLines(request: HttpRequest, response: HttpResponse, cache: Cache): void {
  const lines = new ImportLines();
  if (!lines.read(request.bodyPointer, request.bodyLength)) {
    badRequest(response, "body: " + lines.error);
    return;
  }
  const imports: Import[] = [];
  for (let i = 0; i < LINE_NAMES.length; i++) {
    const name = LINE_NAMES[i];
    const list = importOf(cache, name, lines.entries[i]);
    list.lines = lines.numbers[i];
    imports.push(list);
  }
  const job = new ListsImport(imports);
  response.await(job, new ImportReport(cache, job));
}

/** Leaves the response to a job, or writes a problem. The body is what the listings of `names` gave: those lists, and `next`. */
export function takeIn(request: HttpRequest, response: HttpResponse, cache: Cache, names: StaticArray<string>): void {
  if (request.bodyLength == 0) {
    badRequest(response, "body: expected a JSON object with " + names.join(" or ") + ", as GET gives it");
    return;
  }
  const object = readObject(request, response, names.concat<StaticArray<string>>(CURSOR));
  if (object === null) return;
  const imports: Import[] = [];
  for (let i = 0; i < names.length; i++) {
    const list = object.member(names[i]);
    if (list === null) continue;
    if (list.kind != JsonKind.Array) {
      unprocessable(response, names[i] + ": expected an array, as GET gives it");
      return;
    }
    imports.push(importOf(cache, names[i], list.items));
  }
  if (imports.length == 0) {
    unprocessable(response, "expected " + names.join(" or ") + ", an array as GET gives it");
    return;
  }
  const job = new ListsImport(imports);
  response.await(job, new ImportReport(cache, job));
}

function importOf(cache: Cache, name: string, items: JsonValue[]): Import {
  if (name == "removed") return new RemovedImport(cache, items);
  if (name == "revocations" || name == "revocation") return new RevocationsImport(cache, items);
  if (name == "ticket_keys" || name == "ticket_key") return new TicketKeysImport(cache, items);
  return name == "session" ? new SessionsImport(cache, items) : new SettingsImport(cache, items);
}

class ListsImport extends Job {
  /** The list that is being taken in. */
  current: i32 = 0;

  constructor(readonly imports: Import[]) {
    super();
  }

  step(deadline: Deadline): bool {
    while (this.current < this.imports.length) {
      const list = this.imports[this.current];
      if (!list.step(deadline)) return false;
      this.failed = list.failed;
      if (list.failed || list.error.length > 0) return true;
      this.current++;
    }
    return true;
  }

  count(taken: Taken): u64 {
    let sum: u64 = 0;
    for (let i = 0; i < this.imports.length; i++) sum += this.imports[i].counts[<i32>taken];
    return sum;
  }
}

class ImportReport extends JobReport {
  constructor(
    private readonly cache: Cache,
    private readonly job: ListsImport,
  ) {
    super();
  }

  write(response: HttpResponse): void {
    const job = this.job;
    if (job.current < job.imports.length) {
      const list = job.imports[job.current];
      unprocessable(response, list.place + list.error + "; the entries before it are taken in");
      return;
    }
    const json = response.begin(200);
    response.isForFleet = job.count(Taken.Taken) > 0;
    json.beginObject();
    json.name("taken");
    json.number(job.count(Taken.Taken));
    json.name("identical");
    json.number(job.count(Taken.Identical));
    json.name("skipped");
    json.number(job.count(Taken.Skipped));
    writeEnforcedBy(json, this.cache);
    json.endObject();
  }

  get failure(): string {
    const list = this.job.imports[this.job.current];
    return list.place + "not stored: no room, or other changes came first; send the same again";
  }
}

/** Listings in pages have it; it has no meaning here. */
const CURSOR: StaticArray<string> = ["next"];
