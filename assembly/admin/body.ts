/** Bodies of requests: one JSON object with none but known fields, each at most once. */
import { quoted } from "../json/quote";
import { JsonReader } from "../json/reader";
import { JsonKind, JsonValue } from "../json/value";
import { badRequest } from "./problem";
import { AdminRequest } from "./request";
import { AdminResponse } from "./response";

/** The object that the body is; null where it is none, then the answer says so (400). `fields` are those that may be in it. */
export function readObject(
  request: AdminRequest,
  response: AdminResponse,
  fields: StaticArray<string>,
): JsonValue | null {
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

/** The value of the only field of the body; null where there is none, then the answer says so (400). */
export function readField(request: AdminRequest, response: AdminResponse, field: string): JsonValue | null {
  const object = readObject(request, response, [field]);
  if (object === null) return null;
  const value = object.member(field);
  if (value === null) badRequest(response, "body: " + field + " is missing");
  return value;
}
