/**
 * One page of a list: where it begins, how long it may be, and what `next` it ends with.
 *
 * A page ends when it is full, when the cache ends (then `next` is null) or when the bound on what one call looks at is
 * reached: so it may be short or empty while `next` is not null. Going through all pages of a cache that does not change shows
 * every entry exactly once. Cost: that of one `Walk`, in slices: about 3 ms of a worker for 1,000 entries.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Deadline, Job } from "../../work/job";
import { MAX_PAGES_PER_WALK, Walk, WalkStep } from "../../session/jobs/walk";
import { ListCursor } from "./list_cursor";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { wholeNumber } from "../http/whole_number";

/** What makes one list different from another. */
export abstract class ListedKind {
  /** Path and filters, for the cursor. */
  abstract binding(): string;

  /** Whether the walk goes over tombstones or over sessions. */
  abstract tombstones(): bool;

  /** Whether what the walk has found belongs to the list. */
  abstract matches(cache: Cache): bool;

  abstract write(json: JsonWriter, cache: Cache): void;
}

/** Answers with a page of a list, the member `name` of the object, once it is written. */
export function writeListing(
  request: HttpRequest,
  response: HttpResponse,
  cache: Cache,
  kind: ListedKind,
  name: string,
): void {
  const limit = limitOf(request.query.value("limit"));
  if (limit == 0) {
    badRequest(response, LIMIT_EXPECTED);
    return;
  }
  const cursor = cursorOf(cache, kind.binding());
  const position = request.query.value("cursor");
  if (position !== null && !cursor.read(position)) {
    badRequest(response, "cursor: not one of this list; take it from `next` and keep the filters as they were");
    return;
  }
  response.awaitReading(new Listing(response, cache, kind, name, limit, cursor), "a page of the cache");
}

/** A cursor of a list of one cache: it holds as long as that cache lives, and for no other, whatever its name. */
export function cursorOf(cache: Cache, binding: string): ListCursor {
  const making = cache.hash.nameOf(changetype<usize>(MAKING), MAKING.byteLength);
  return new ListCursor(cache.settings.cacheName + "\n" + making.toString() + "\n" + binding);
}

/** Writes one page of a list, in slices. What was written stays as it was when it was read. */
class Listing extends Job {
  private begun: bool = false;
  private listed: i32 = 0;
  private pagesLeft: i32 = MAX_PAGES_PER_WALK;

  constructor(
    private readonly response: HttpResponse,
    private readonly cache: Cache,
    private readonly kind: ListedKind,
    private readonly name: string,
    private readonly limit: i32,
    /** Behind what was looked at last. */
    private readonly cursor: ListCursor,
  ) {
    super();
  }

  step(deadline: Deadline): bool {
    if (!this.begun) this.begin();
    const json = this.response.body;
    const cursor = this.cursor;
    const walk = new Walk(this.cache, this.kind.tombstones(), cursor.page, cursor.version, deadline, this.pagesLeft);
    let looked = 0;
    let more = false;
    let step = walk.next();
    for (; step == WalkStep.Entry; step = walk.next()) {
      if (this.kind.matches(this.cache)) {
        // One beyond the limit is looked for, so that a list whose length is the limit does not end with an empty page.
        more = this.listed == this.limit;
        if (more) break;
        this.kind.write(json, this.cache);
        this.listed++;
      }
      cursor.page = walk.page;
      cursor.version = walk.version;
      if (++looked % ENTRIES_BETWEEN_LOOKS == 0 && deadline.passed) {
        step = WalkStep.Interrupted;
        break;
      }
    }
    this.pagesLeft = walk.pagesLeft;
    if (step == WalkStep.Failed) {
      this.failed = true;
      return true;
    }
    if (step == WalkStep.Paused || step == WalkStep.Interrupted) {
      more = true;
      cursor.page = walk.page;
      cursor.version = walk.version;
      if (step == WalkStep.Interrupted && this.pagesLeft > 0) return false;
    }
    this.end(more);
    return true;
  }

  private begin(): void {
    this.begun = true;
    const json = this.response.begin(200);
    json.beginObject();
    json.name(this.name);
    json.beginArray();
  }

  private end(more: bool): void {
    const json = this.response.body;
    json.endArray();
    json.name("next");
    if (more) json.string(this.cursor.text());
    else json.nothing();
    json.endObject();
  }
}

/** The number of entries that a query asks for at most; 0 where it is none. */
export function limitOf(text: string | null): i32 {
  if (text === null) return DEFAULT_LIMIT;
  const limit = wholeNumber(text);
  return limit && limit.isWhole(1, MAX_LIMIT) ? <i32>limit.number : 0;
}

export const LIMIT_EXPECTED: string = "limit: expected a whole number from 1 to 1000";
const DEFAULT_LIMIT: i32 = 100;
const MAX_LIMIT: u64 = 1000;
/** About 10 us of work. */
const ENTRIES_BETWEEN_LOOKS: i32 = 8;
const MAKING: ArrayBuffer = String.UTF8.encode("cursor");
