/** Texts that fields of a configuration may have, and the error of a field that does not exist. */
import { quoted } from "../json/quote";
import { nearest } from "./nearest";

/** Returns the error of a name that is none of `names`. The caller puts the prefix before it. */
export function unknownField(prefix: string, name: string, names: StaticArray<string>): string {
  const near = nearest(name, names);
  const hint = near.length > 0 ? "did you mean " + prefix + near + "?" : "the fields are " + names.join(", ");
  return quoted(name) + ": no such field; " + hint;
}

/** Whether a text is a name of 1 to 64 characters out of A-Z a-z 0-9 _ -. */
export function isName(name: string): bool {
  if (name.length < 1 || name.length > MAX_NAME_LENGTH) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a && code < 0x80;
    const digit = code >= 0x30 && code <= 0x39;
    if (!letter && !digit && code != 0x5f && code != 0x2d) return false;
  }
  return true;
}

/** Whether a text has 1 to `most` characters that a header carries as they are: ASCII without spaces and controls. */
export function isVisibleAscii(text: string, most: i32): bool {
  if (text.length < 1 || text.length > most) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return true;
}

const MAX_NAME_LENGTH: i32 = 64;
