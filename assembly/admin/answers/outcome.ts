/** Responses to changes: `result`, as OpenSSL's function returns it, and `outcome`, a word. */
import { JsonWriter } from "../../json/writer";
import { HttpResponse } from "../http/response";

/** Adds a sentence for people beside the outcome. */
export function writeNote(json: JsonWriter, note: string): void {
  json.name("note");
  json.string(note);
}

/** Begins the object. The caller may add members and ends it. A result of 0 is not a change. */
export function beginOutcome(response: HttpResponse, status: i32, result: u64, outcome: string): JsonWriter {
  const json = response.begin(status);
  response.isForFleet = result != 0;
  json.beginObject();
  json.name("result");
  json.number(result);
  json.name("outcome");
  json.string(outcome);
  return json;
}
