/** The field `mode` of configuration and admin API: an array of names of flags. */
import { quoted } from "../json/quote";
import { JsonKind, JsonValue } from "../json/value";
import { MODE_FLAG_NAMES, MODE_FLAGS, Mode } from "../session/settings/mode";

/** The flags of the names, or an error. */
class ModeText {
  mode: u32 = Mode.OFF;
  /** Empty if the names are right; else one line: the fault, and what would be right. */
  error: string = "";

  /** Adds the flags of a name. */
  add(name: string): void {
    if (name == "CLIENT" || name == "BOTH") {
      this.error = name + " is not possible, because a proxy observes the servers' side only; use SERVER";
      return;
    }
    if (name == "NO_INTERNAL") {
      this.mode |= Mode.NO_INTERNAL_LOOKUP | Mode.NO_INTERNAL_STORE;
      return;
    }
    const index = MODE_FLAG_NAMES.indexOf(name);
    if (index < 0) this.error = quoted(name) + " is not a flag; expected " + ALL_NAMES;
    else this.mode |= MODE_FLAGS[index];
  }
}

export function readMode(value: JsonValue): ModeText {
  const text = new ModeText();
  if (value.kind != JsonKind.Array) {
    text.error = "expected an array of names of flags: " + ALL_NAMES;
    return text;
  }
  let off = false;
  for (let i = 0; i < value.items.length && text.error.length == 0; i++) {
    const item = value.items[i];
    if (item.kind != JsonKind.String) text.error = "expected names of flags: " + ALL_NAMES;
    else if (item.text == "OFF") off = true;
    else text.add(item.text);
  }
  if (text.error.length == 0 && off && text.mode != Mode.OFF) {
    text.error = "OFF stands alone; leave it out, or leave the other flags out";
  }
  return text;
}

const ALL_NAMES: string =
  "OFF, " + MODE_FLAG_NAMES.join(", ") + ", NO_INTERNAL (NO_INTERNAL_LOOKUP and NO_INTERNAL_STORE)";
