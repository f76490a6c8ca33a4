/**
 * One page of a list: where it begins, how long it may be, and what `next` it ends with.
 *
 * A page ends when it is full, when the cache ends (then `next` is null) or when the bound on what one call looks at is
 * reached: so it may be short or empty while `next` is not null. Going through all pages of a cache that does not change shows
 * every entry exactly once. Cost: that of one `Walk`.
 */
import { JsonWriter } from "../json/writer";
import { Cache } from "../session/cache";
import { Walk, WalkStep } from "../session/walk";
import { Cursor } from "./cursor";
import { badRequest, unavailable } from "./problem";
import { AdminRequest } from "./request";
import { AdminResponse } from "./response";

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

/** Answers with a page of a list, the member `name` of the object. */
export function writeListing(
  request: AdminRequest,
  response: AdminResponse,
  cache: Cache,
  kind: ListedKind,
  name: string,
): void {
  const limit = limitOf(request.query.value("limit"));
  if (limit == 0) {
    badRequest(response, LIMIT_EXPECTED);
    return;
  }
  const cursor = new Cursor(kind.binding());
  const position = request.query.value("cursor");
  if (position !== null && !cursor.read(position)) {
    badRequest(response, "cursor: not one of this list; take it from `next` and keep the filters as they were");
    return;
  }
  const json = response.begin(200);
  json.beginObject();
  json.name(name);
  json.beginArray();
  const walk = new Walk(cache, kind.tombstones(), cursor.page, cursor.version);
  let listed = 0;
  let more = false;
  let step = walk.next();
  for (; step == WalkStep.Entry; step = walk.next()) {
    if (kind.matches(cache)) {
      // One beyond the limit is looked for, so that a list whose length is the limit does not end with an empty page.
      more = listed == limit;
      if (more) break;
      kind.write(json, cache);
      listed++;
    }
    cursor.page = walk.page;
    cursor.version = walk.version;
  }
  if (step == WalkStep.Failed) {
    unavailable(response, "a page of the cache could not be read; try again");
    return;
  }
  if (step == WalkStep.Paused) {
    more = true;
    cursor.page = walk.page;
    cursor.version = walk.version;
  }
  json.endArray();
  json.name("next");
  if (more) json.string(cursor.text());
  else json.nothing();
  json.endObject();
}

/** The number of entries that a query asks for at most; 0 where it is none. */
export function limitOf(text: string | null): i32 {
  if (text === null) return DEFAULT_LIMIT;
  if (text.length < 1 || text.length > 4) return 0;
  let limit = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return 0;
    limit = limit * 10 + (code - 0x30);
  }
  return limit > MAX_LIMIT ? 0 : limit;
}

export const LIMIT_EXPECTED: string = "limit: expected a whole number from 1 to 1000";
const DEFAULT_LIMIT: i32 = 100;
const MAX_LIMIT: i32 = 1000;
