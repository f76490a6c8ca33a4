/** Modes as the API shows them: an array of names, with `["OFF"]` for no flag. */
import { JsonWriter } from "../../json/writer";
import { modeNames } from "../../session/settings/mode";

export function writeMode(json: JsonWriter, mode: u32): void {
  const names = modeNames(mode);
  json.beginArray();
  for (let i = 0; i < names.length; i++) json.string(names[i]);
  json.endArray();
}
