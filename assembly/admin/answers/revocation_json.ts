/** Revocations of server names as the API shows them. */
import { JsonWriter } from "../../json/writer";
import { Unseen } from "../../session/revocation/revocations";

export const UNSEEN_NAMES: string = "by_name, refuse";

/**
 * `time`: the second (Unix) up to which what was issued does not resume; `until`: the last in which that holds, 0 where it has
 * no end.
 */
export function writeRevocation(json: JsonWriter, sni: usize, sniLength: i32, time: u64, until: u64, unseen: u8): void {
  json.beginObject();
  json.name("sni");
  json.bytes(sni, sniLength);
  json.name("time");
  json.number(time);
  json.name("until");
  if (until != 0) json.number(until);
  else json.nothing();
  json.name("unseen");
  json.string(unseen == Unseen.REFUSE ? "refuse" : "by_name");
  json.endObject();
}

/** One of `Unseen`, or AS_IT_IS for a name that does not exist. */
export function unseenOf(name: string): u8 {
  if (name == "refuse") return Unseen.REFUSE;
  return name == "by_name" ? Unseen.BY_NAME : Unseen.AS_IT_IS;
}
