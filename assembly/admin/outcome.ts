/** Answers to changes: `result` as OpenSSL would return it, and `outcome` in a word. */
import { JsonWriter } from "../json/writer";
import { AdminResponse } from "./response";

/** Begins the object; the caller may add members and ends it. */
export function beginOutcome(response: AdminResponse, status: i32, result: u64, outcome: string): JsonWriter {
  const json = response.begin(status);
  json.beginObject();
  json.name("result");
  json.number(result);
  json.name("outcome");
  json.string(outcome);
  return json;
}
