/**
 * One page of a list: its beginning, its limit, and the `next` at its end.
 *
 * A page ends when it is full, at the end of the cache (then `next` is null), or after MAX_PAGES_PER_WALK pages of the
 * cache. So it may be short or empty while `next` is not null. All pages of a cache that does not change show every entry
 * exactly once. Cost: one `Walk` in slices, about 3 ms of a worker for 1,000 entries.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Deadline, Job, SLICE_NANOSECONDS } from "../../work/job";
import { MAX_PAGES_PER_WALK, Shown, Walk, WalkStep } from "../../session/jobs/walk";
import { ListCursor } from "./list_cursor";
import { badRequest } from "../http/problem";
import { HttpRequest } from "../http/request";
import { HttpResponse } from "../http/response";
import { wholeNumber } from "../http/whole_number";

/** The contents of one list. */
export abstract class ListedKind {
  /** The path and filters, for the cursor. */
  abstract binding(): string;

  /** The entries among which the list chooses. */
  abstract shown(): Shown;

  /** Whether the entry that the walk has found belongs to the list. */
  abstract matches(cache: Cache): bool;

  abstract write(json: JsonWriter, cache: Cache): void;

  /**
   * Writes an entry that the pages of the cache do not have, by its number; false if there are fewer. They follow those of
   * the pages.
   */
  writeOther(json: JsonWriter, number: u64): bool {
    return false;
  }

  /** Whether `writeOther` would write one. */
  hasOther(number: u64): bool {
    return false;
  }
}

/** Leaves the response to a job: an object with a page of a list as its member `name`, and `next`. */
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
    badRequest(response, "cursor: not a cursor of this list; take it from `next`, and keep the filters");
    return;
  }
  response.awaitReading(new Listing(response, cache, kind, name, limit, cursor), "a page of the cache");
}

/**
 * Decides whether a slice ends behind an entry, `entries` of which were looked at: if its time is over; or if a long text is about to
 * move to a larger place, which takes up to half a slice, and less than that is left.
 */
export function endsSlice(json: JsonWriter, entries: i32, deadline: Deadline): bool {
  if (json.length >= LONG_TEXT && json.room < MIN_ROOM) return !deadline.leaves(SLICE_NANOSECONDS / 2);
  return entries % ENTRIES_BETWEEN_LOOKS == 0 && deadline.passed;
}

/** Makes a cursor for a list of one cache. It holds as long as that cache lives, and for no other cache of the same name. */
export function cursorOf(cache: Cache, binding: string): ListCursor {
  const making = cache.hash.nameOf(changetype<usize>(MAKING), MAKING.byteLength);
  return new ListCursor(cache.settings.cacheName + "\n" + making.toString() + "\n" + binding);
}

/** Writes one page of a list, in slices. Entries stay as they were when they were read. */
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
    /** Behind the last entry that was looked at. */
    private readonly cursor: ListCursor,
  ) {
    super();
  }

  step(deadline: Deadline): bool {
    if (!this.begun) this.begin();
    if (this.cursor.page == OTHERS) return this.writeOthers(deadline);
    const json = this.response.body;
    const cursor = this.cursor;
    const walk = new Walk(this.cache, this.kind.shown(), cursor.page, cursor.version, deadline, this.pagesLeft);
    let looked = 0;
    let more = false;
    let step = walk.next();
    for (; step == WalkStep.Entry; step = walk.next()) {
      if (this.kind.matches(this.cache)) {
        // Looks for one entry beyond the limit: a list of just that length must not end with an empty page.
        more = this.listed == this.limit;
        if (more) break;
        this.kind.write(json, this.cache);
        this.listed++;
      }
      cursor.page = walk.page;
      cursor.version = walk.version;
      if (endsSlice(json, ++looked, deadline)) {
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
    if (step == WalkStep.End) {
      cursor.page = OTHERS;
      cursor.version = 0;
      return this.writeOthers(deadline);
    }
    this.end(more);
    return true;
  }

  /** Writes entries that no page has. Returns whether the list has ended. */
  private writeOthers(deadline: Deadline): bool {
    const cursor = this.cursor;
    const json = this.response.body;
    while (this.listed < this.limit && this.kind.writeOther(json, cursor.version)) {
      this.listed++;
      cursor.version++;
      if (endsSlice(json, this.listed, deadline)) return false;
    }
    this.end(this.kind.hasOther(cursor.version));
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

/** Returns the limit of a query; 0 if it is malformed or out of range. */
export function limitOf(text: string | null): i32 {
  if (text === null) return DEFAULT_LIMIT;
  const limit = wholeNumber(text);
  return limit && limit.isWhole(1, MAX_LIMIT) ? <i32>limit.number : 0;
}

export const LIMIT_EXPECTED: string = "limit: expected a whole number from 1 to 1000";
const DEFAULT_LIMIT: i32 = 100;
const MAX_LIMIT: u64 = 1000;
/** The page of a cursor that stands behind all pages of the cache, among the other entries. */
export const OTHERS: u32 = u32.MAX_VALUE;
/** About 10 us of work. */
const ENTRIES_BETWEEN_LOOKS: i32 = 8;
/** Has the layout of the pages: a position of another one would skip entries. */
const MAKING: ArrayBuffer = String.UTF8.encode("cursor/54");
/** A shorter text moves in some microseconds. */
const LONG_TEXT: i32 = 65536;
/** Several entries. */
const MIN_ROOM: i32 = 4096;
