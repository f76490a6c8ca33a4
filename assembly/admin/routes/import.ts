/**
 * POST /v1/import: takes in again the lines of `GET /v1/export`, or whatever `GET /v1/removed`, `/v1/ticket-keys` and `/v1/revocations` gave, of this cache or of
 * another one, with its times. Entries that are in force already change nothing, so it can be done again. Lines are known by the
 * content type or by the first of them, as `curl --data-binary` names another type.
 */
import { Cache } from "../../session/cache";
import { HttpRequest } from "../http/request";
import { HttpResponse, LINES_TYPE } from "../http/response";
import { Route } from "../http/route";
import { beginsWithLine } from "../imports/import_lines";
import { takeIn, takeInLines } from "../imports/lists_import";

export class ImportRoute extends Route {
  constructor(private readonly cache: Cache) {
    super("/v1/import", "POST");
  }

  post(request: HttpRequest, response: HttpResponse): void {
    const isOfLines = isLines(request.contentType) || beginsWithLine(request.bodyPointer, request.bodyLength);
    if (isOfLines) takeInLines(request, response, this.cache);
    else takeIn(request, response, this.cache, ALL_LISTS);
  }
}

/** Whether a body of this type has one JSON document a line. */
function isLines(contentType: string): bool {
  const semicolon = contentType.indexOf(";");
  const type = semicolon < 0 ? contentType : contentType.substring(0, semicolon);
  return type.trim().toLowerCase() == LINES_TYPE;
}

const ALL_LISTS: StaticArray<string> = ["removed", "ticket_keys", "revocations"];
