/** Revocations of server names as the API shows them. */
import { JsonWriter } from "../json/writer";

/** `time`: the second (Unix) up to which what was issued does not resume. */
export function writeRevocation(json: JsonWriter, sni: usize, sniLength: i32, time: u64): void {
  json.beginObject();
  json.name("sni");
  json.bytes(sni, sniLength);
  json.name("time");
  json.number(time);
  json.endObject();
}
