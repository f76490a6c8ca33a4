/**
 * GET /v1/export: one cache as newline-delimited JSON, for `POST /v1/import` of another one, or of this one after a restart.
 *
 * Each line is an object with one member: `settings`, `revocation`, `ticket_key`, `removed` or `session`, each as its own listing shows
 * it. The last line is `{"next":CURSOR}`; null at the end. Refusals come first, so an import in order never lets a removed session in. A
 * page has at most 64 KiB, so it can be posted as it is. It may have no entry while `next` is not null.
 *
 * Cost: that of a page of the listings, in slices.
 */
import { JsonWriter } from "../../json/writer";
import { MAX_TEXT_LENGTH } from "../../json/reader";
import { Cache } from "../../session/cache";
import { MAX_PAGES_PER_WALK, Walk, WalkStep } from "../../session/jobs/walk";
import { enforcementName } from "../../session/settings/enforcement";
import { Table, TABLE_PAGES } from "../../shared/table";
import { Deadline, Job } from "../../work/job";
import { writeMode } from "../answers/mode_json";
import { AskedUpstream } from "../fields/asked";
import { SessionFilter } from "../fields/session_filter";
import { badRequest } from "../http/problem";
import { Query } from "../http/query";
import { HttpRequest } from "../http/request";
import { HttpResponse, LINES_TYPE } from "../http/response";
import { Route } from "../http/route";
import { ListCursor } from "../listing/list_cursor";
import { cursorOf, endsSlice, LIMIT_EXPECTED, limitOf, ListedKind, OTHERS } from "../listing/listing";
import { ListedRow } from "../listing/table_listing";
import { ListedTombstones } from "./removed";
import { ListedRevocation } from "./revocations";
import { ListedSessions } from "./sessions";
import { ListedTicketKey } from "./ticket_keys";

export class ExportRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/export", "GET, HEAD");
    this.queryNames = ["what", "cursor", "limit"];
  }

  get(request: HttpRequest, response: HttpResponse): void {
    const limitText = request.query.value("limit");
    const limit = limitText === null ? MAX_LINES : limitOf(limitText);
    if (limit == 0) {
      badRequest(response, LIMIT_EXPECTED);
      return;
    }
    const what = request.query.value("what");
    const parts = what === null ? DEFAULT_PARTS.split(",") : what.split(",");
    let binding = "/v1/export?what=";
    for (let i = 0; i < PARTS.length; i++) if (parts.includes(PARTS[i])) binding += PARTS[i] + ",";
    for (let i = 0; i < parts.length; i++) {
      if (PARTS.includes(parts[i])) continue;
      badRequest(response, "what: expected some of " + PARTS.join(", ") + ", with commas between them");
      return;
    }
    const page = new ExportPage(response, this.cache, parts, binding, limit);
    const position = request.query.value("cursor");
    if (position !== null && !page.goTo(position)) {
      badRequest(response, "cursor: not a cursor of this export; take it from `next`, and keep `what`");
      return;
    }
    response.awaitReading(page, "a page of the cache");
  }
}

/** How a part of an export stands. */
const enum State {
  Ended = 0,
  /** The page is full. */
  Full = 1,
  /** The time of the slice is over. */
  Interrupted = 2,
  Failed = 3,
}

/** Writes one page, in slices. */
class ExportPage extends Job {
  private begun: bool = false;
  /** The part among PARTS. */
  private part: i32 = 0;
  private cursor: ListCursor;
  private pagesLeft: i32 = MAX_PAGES_PER_WALK;
  private linesLeft: i32;

  constructor(
    private readonly response: HttpResponse,
    private readonly cache: Cache,
    private readonly parts: string[],
    private readonly binding: string,
    limit: i32,
  ) {
    super();
    this.linesLeft = limit;
    this.cursor = cursorOf(cache, binding + FIRST_PART);
  }

  /** Goes to the place of a cursor: the digit of a part, and a place in it. */
  goTo(text: string): bool {
    const part = text.length == 0 ? -1 : text.charCodeAt(0) - 0x30;
    if (part < 0 || part >= PARTS.length) return false;
    this.begin(part);
    return this.cursor.read(text.substring(1));
  }

  step(deadline: Deadline): bool {
    if (!this.begun) {
      this.begun = true;
      this.response.start(200, LINES_TYPE);
    }
    while (this.part < PARTS.length) {
      const state = this.parts.includes(PARTS[this.part]) ? this.write(deadline) : State.Ended;
      if (state == State.Interrupted) return false;
      if (state == State.Failed) {
        this.failed = true;
        return true;
      }
      if (state == State.Full) break;
      this.begin(this.part + 1);
    }
    const json = this.response.body;
    json.beginObject();
    json.name("next");
    if (this.part < PARTS.length) json.string(this.part.toString() + this.cursor.text());
    else json.nothing();
    json.endObject();
    json.endLine();
    return true;
  }

  private begin(part: i32): void {
    this.part = part;
    this.cursor = cursorOf(this.cache, this.binding + part.toString());
  }

  private write(deadline: Deadline): State {
    const cache = this.cache;
    if (this.part == SETTINGS) return this.writeSettings();
    if (this.part == REVOCATIONS) {
      return this.writeRows(cache.revocations.table, new ListedRevocation(cache, SHOWS_LIFTED), "revocation", deadline);
    }
    if (this.part == TICKET_KEYS) {
      const keys = new ListedTicketKey(cache, new AskedUpstream(null));
      return this.writeRows(cache.ticketKeys.table, keys, "ticket_key", deadline);
    }
    const everything = new SessionFilter(new Query());
    if (this.part == REMOVED) {
      return this.writeEntries(new ListedTombstones(cache, everything, ""), "removed", deadline);
    }
    return this.writeEntries(new ListedSessions(everything), "session", deadline);
  }

  private writeSettings(): State {
    const settings = this.cache.settings;
    const json = this.response.body;
    beginLine(json, "settings");
    json.beginObject();
    json.name("mode");
    writeMode(json, settings.mode);
    json.name("cache_size");
    json.number(settings.cacheSize);
    json.name("timeout");
    json.number(settings.timeoutSeconds);
    json.name("enforcement");
    json.string(enforcementName(settings.enforcement));
    json.endObject();
    this.endLine(json);
    return State.Ended;
  }

  /** A page of a table is written as a whole. */
  private writeRows(table: Table, listed: ListedRow, name: string, deadline: Deadline): State {
    const json = this.response.body;
    const cursor = this.cursor;
    while (cursor.page < TABLE_PAGES) {
      if (json.length > MAX_LENGTH - MAX_ROWS_LENGTH || this.linesLeft <= 0) return State.Full;
      if (!table.openPage(cursor.page)) return State.Failed;
      let row = table.first();
      while (row) {
        if (listed.shows(row)) {
          beginLine(json, name);
          listed.write(json, row);
          this.endLine(json);
        }
        row = table.after(row);
      }
      cursor.page++;
      if (deadline.passed) return State.Interrupted;
    }
    let isThere = true;
    while (isThere) {
      if (this.isFull) return State.Full;
      const length = json.length;
      beginLine(json, name);
      const valueAt = json.length;
      isThere = listed.writeOther(json, cursor.version);
      // It may be among the rows already.
      if (json.length > valueAt) this.endLine(json);
      else json.cut(length);
      cursor.version++;
      if (isThere && deadline.passed) return State.Interrupted;
    }
    return State.Ended;
  }

  private writeEntries(kind: ListedKind, name: string, deadline: Deadline): State {
    const cursor = this.cursor;
    const json = this.response.body;
    if (cursor.page != OTHERS) {
      const walk = new Walk(this.cache, kind.shown(), cursor.page, cursor.version, deadline, this.pagesLeft);
      let looked = 0;
      let step = walk.next();
      for (; step == WalkStep.Entry; step = walk.next()) {
        if (kind.matches(this.cache)) {
          if (this.isFull) return State.Full;
          beginLine(json, name);
          kind.write(json, this.cache);
          this.endLine(json);
        }
        cursor.page = walk.page;
        cursor.version = walk.version;
        if (endsSlice(json, ++looked, deadline)) {
          step = WalkStep.Interrupted;
          break;
        }
      }
      this.pagesLeft = walk.pagesLeft;
      if (step == WalkStep.Failed) return State.Failed;
      if (step != WalkStep.End) {
        cursor.page = walk.page;
        cursor.version = walk.version;
        return step == WalkStep.Interrupted && this.pagesLeft > 0 ? State.Interrupted : State.Full;
      }
      cursor.page = OTHERS;
      cursor.version = 0;
    }
    while (kind.hasOther(cursor.version)) {
      if (this.isFull) return State.Full;
      beginLine(json, name);
      kind.writeOther(json, cursor.version);
      this.endLine(json);
      cursor.version++;
      if (deadline.passed) return State.Interrupted;
    }
    return State.Ended;
  }

  private endLine(json: JsonWriter): void {
    json.endObject();
    json.endLine();
    this.linesLeft--;
  }

  /** Whether one more line might be too much. */
  private get isFull(): bool {
    return this.linesLeft <= 0 || this.response.body.length > MAX_LENGTH - MAX_LINE_LENGTH;
  }
}

function beginLine(json: JsonWriter, name: string): void {
  json.beginObject();
  json.name(name);
}

/** In the order of the lines. */
const PARTS: StaticArray<string> = ["settings", "revocations", "ticket_keys", "removed", "sessions"];
const SETTINGS: i32 = 0;
const REVOCATIONS: i32 = 1;
const TICKET_KEYS: i32 = 2;
const REMOVED: i32 = 3;
const FIRST_PART: string = "0";
/** Settings belong to a place; the others to the sessions. */
const DEFAULT_PARTS: string = "revocations,ticket_keys,removed,sessions";
/** In bytes: room for the last line is left. */
const MAX_LENGTH: i32 = MAX_TEXT_LENGTH - 128;
/** A server name has 255 bytes, of which each may become an escape of six; other members have less than 700 bytes. */
const MAX_LINE_LENGTH: i32 = 2_560;
/** A page of a table has 4,095 bytes, of which each may become six, and at most 99 rows with 110 bytes around each. */
const MAX_ROWS_LENGTH: i32 = 40_960;
const MAX_LINES: i32 = 1000;
/** A lift is not taken in from a list, so lists have none. */
const SHOWS_LIFTED: bool = false;
