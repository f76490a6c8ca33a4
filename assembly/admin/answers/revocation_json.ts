/** Revocations of server names as the API shows them. */
import { JsonWriter } from "../../json/writer";
import { Cause } from "../../session/record/session";
import { causeName } from "../fields/value_names";
import { Unseen } from "../../session/revocation/revocations";

export const UNSEEN_NAMES: string = "by_name, refuse";

/**
 * Sessions issued up to `time` do not resume, up to the end of `until`; 0 for a revocation without an end. Both are Unix
 * seconds. `cause` is one of `Cause`; that of a call is not shown.
 */
export function writeRevocation(
  json: JsonWriter,
  sni: usize,
  sniLength: i32,
  time: u64,
  until: u64,
  unseen: u8,
  cause: u8 = Cause.API,
): void {
  beginRevocation(json, sni, sniLength, time, until, unseen);
  if (cause != Cause.API) {
    json.name("cause");
    json.string(causeName(cause));
  }
  json.endObject();
}

/** A revocation that was lifted at a second: until then it had its effect. */
export function writeLifted(json: JsonWriter, sni: usize, sniLength: i32, time: u64, lifted: u64): void {
  beginRevocation(json, sni, sniLength, time, lifted, Unseen.BY_NAME);
  json.name("lifted");
  json.number(lifted);
  json.endObject();
}

function beginRevocation(json: JsonWriter, sni: usize, sniLength: i32, time: u64, until: u64, unseen: u8): void {
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
}

/** Returns one of `Unseen`; AS_IT_IS if there is none of that name. */
export function unseenOf(name: string): u8 {
  if (name == "refuse") return Unseen.REFUSE;
  return name == "by_name" ? Unseen.BY_NAME : Unseen.AS_IT_IS;
}
