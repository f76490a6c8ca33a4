/** Answers to changes: `result` as OpenSSL would return it, and `outcome` in a word. */
import { JsonWriter } from "../../json/writer";
import { HttpResponse } from "../http/response";

/** What the caller has to know beside the outcome: one plain sentence, for people. */
export function writeNote(json: JsonWriter, note: string): void {
  json.name("note");
  json.string(note);
}

/** Begins the object; the caller may add members and ends it. */
export function beginOutcome(response: HttpResponse, status: i32, result: u64, outcome: string): JsonWriter {
  const json = response.begin(status);
  json.beginObject();
  json.name("result");
  json.number(result);
  json.name("outcome");
  json.string(outcome);
  return json;
}
