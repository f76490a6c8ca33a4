/**
 * The fields of a change: one JSON object in the body, with none but known fields, each at most once; or the same fields in
 * the query and no body, for hosts that keep bodies back (`query_fields.ts`).
 */
import { quoted } from "../../json/quote";
import { JsonReader } from "../../json/reader";
import { JsonKind, JsonValue } from "../../json/value";
import { badRequest } from "./problem";
import { fieldsOf } from "./query_fields";
import { HttpRequest } from "./request";
import { HttpResponse } from "./response";

/** The object that body or query is; null where it is none, then the answer says so (400). `fields` are those that may be in it. */
export function readObject(
  request: HttpRequest,
  response: HttpResponse,
  fields: StaticArray<string>,
): JsonValue | null {
  // The names in it were checked with the route.
  if (request.query.names.length > 0) return fieldsOf(request.query);
  if (request.bodyLength == 0) {
    const names = fields.join(", ");
    badRequest(response, "body: expected a JSON object with " + names + "; without a body the query takes them");
    return null;
  }
  const reader = new JsonReader();
  const value = reader.read(request.bodyPointer, request.bodyLength);
  if (value === null) {
    badRequest(response, "body: expected a JSON object; " + reader.error);
    return null;
  }
  if (value.kind != JsonKind.Object) {
    badRequest(response, "body: expected a JSON object" + (fields.length == 0 ? "" : " with " + fields.join(", ")));
    return null;
  }
  for (let i = 0; i < value.names.length; i++) {
    if (fields.includes(value.names[i])) continue;
    const known = fields.length == 0 ? "it has no fields" : "the fields are " + fields.join(", ");
    badRequest(response, "body: " + quoted(value.names[i]) + " is unknown; " + known);
    return null;
  }
  return value;
}

/** The value of the only field; null where there is none, then the answer says so (400). */
export function readField(request: HttpRequest, response: HttpResponse, field: string): JsonValue | null {
  const object = readObject(request, response, [field]);
  if (object === null) return null;
  const value = object.member(field);
  if (value === null) badRequest(response, "body: " + field + " is missing");
  return value;
}
