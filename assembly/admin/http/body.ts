/**
 * The fields of a change: one JSON object in the body, with known fields only, each at most once. Hosts may keep bodies
 * back, so the query takes the same fields instead (`query_fields.ts`).
 */
import { quoted } from "../../json/quote";
import { JsonReader } from "../../json/reader";
import { JsonKind, JsonValue } from "../../json/value";
import { badRequest } from "./problem";
import { fieldsOf } from "./query_fields";
import { HttpRequest } from "./request";
import { HttpResponse } from "./response";

/** Returns the fields of body or query, which are among `fields`; else null, and the response is a 400. */
export function readObject(
  request: HttpRequest,
  response: HttpResponse,
  fields: StaticArray<string>,
): JsonValue | null {
  // `AdminApi.begin` has checked its names.
  if (request.query.names.length > 0) return fieldsOf(request.query);
  if (request.bodyLength == 0) {
    const names = fields.join(", ");
    badRequest(
      response,
      "body: expected a JSON object with " + names + "; or leave the body out and send them in the query",
    );
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
    const known = fields.length == 0 ? "expected no fields" : "expected " + fields.join(", ");
    badRequest(response, "body: " + quoted(value.names[i]) + " is not a field; " + known);
    return null;
  }
  return value;
}

/** Returns the value of the only field; null if it is missing, and then the response is a 400. */
export function readField(request: HttpRequest, response: HttpResponse, field: string): JsonValue | null {
  const object = readObject(request, response, [field]);
  if (object === null) return null;
  const value = object.member(field);
  if (value === null) badRequest(response, "body: " + field + " is missing; expected a JSON object with it");
  return value;
}
