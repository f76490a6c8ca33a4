/**
 * The lines of a body that `GET /v1/export` gave: each is a JSON object with one member, whose name tells what the value is. Empty lines
 * and `next`, the cursor of a page, have no meaning here.
 *
 * Cost: O(length) time and memory, at most MAX_LINES lines.
 */
import { quoted } from "../../json/quote";
import { JsonReader } from "../../json/reader";
import { JsonKind, JsonValue } from "../../json/value";

/** In the order in which they are taken in: refusals are in force before sessions come. */
export const LINE_NAMES: StaticArray<string> = ["settings", "revocation", "ticket_key", "removed", "session"];

export class ImportLines {
  /** The entries of each of LINE_NAMES. */
  readonly entries: JsonValue[][] = [];
  /** The line of each, from 1. */
  readonly numbers: i32[][] = [];
  /** Empty unless `read` has returned false. */
  error: string = "";
  private readonly reader: JsonReader = new JsonReader();

  /** Reads all lines; false if one of them is wrong. */
  read(pointer: usize, length: i32): bool {
    for (let i = 0; i < LINE_NAMES.length; i++) {
      this.entries.push([]);
      this.numbers.push([]);
    }
    let found = 0;
    let number = 0;
    let start = 0;
    while (start < length) {
      const end = lineEnd(pointer, start, length);
      number++;
      if (!isBlank(pointer + start, end - start)) {
        if (++found > MAX_LINES) this.error = "more than " + MAX_LINES.toString() + " lines";
        else this.readLine(pointer + start, end - start);
        if (this.error.length > 0) {
          this.error = "line " + number.toString() + ": " + this.error;
          return false;
        }
        if (this.last >= 0) this.numbers[this.last].push(number);
      }
      start = end + 1;
    }
    if (found == 0) this.error = "expected lines of JSON, as GET /v1/export gives them";
    return found > 0;
  }

  /** The place of the last entry's kind among LINE_NAMES; -1 for `next`. */
  private last: i32 = -1;

  private readLine(pointer: usize, length: i32): void {
    const value = this.reader.read(pointer, length);
    if (value === null) {
      this.error = this.reader.error.replace("line 1, ", "");
      return;
    }
    if (value.kind != JsonKind.Object || value.names.length != 1) {
      this.error = EXPECTED;
      return;
    }
    const name = value.names[0];
    this.last = LINE_NAMES.indexOf(name);
    if (this.last >= 0) this.entries[this.last].push(value.items[0]);
    else if (name != "next") this.error = quoted(name) + " is not known; " + EXPECTED;
  }
}

/**
 * Whether the first line of a body is one of an export. The lists of a body that is one object have other names, or are arrays.
 */
export function beginsWithLine(pointer: usize, length: i32): bool {
  let start = 0;
  while (start < length && load<u8>(pointer + start) <= SPACE) start++;
  const value = new JsonReader().read(pointer + start, lineEnd(pointer, start, length) - start);
  if (value === null || value.kind != JsonKind.Object || value.names.length != 1) return false;
  return LINE_NAMES.includes(value.names[0]) && value.items[0].kind != JsonKind.Array;
}

/** Where the line ends that begins at `start`. */
function lineEnd(pointer: usize, start: i32, length: i32): i32 {
  let end = start;
  while (end < length && load<u8>(pointer + end) != LINE_FEED) end++;
  return end;
}

function isBlank(pointer: usize, length: i32): bool {
  for (let i = 0; i < length; i++) if (load<u8>(pointer + i) > SPACE) return false;
  return true;
}

const LINE_FEED: u8 = 0x0a;
const SPACE: u8 = 0x20;
/** More than a body can have of lines that say anything. */
const MAX_LINES: i32 = 2048;
const EXPECTED: string =
  "expected an object with one of " + LINE_NAMES.join(", ") + " or next, as GET /v1/export gives it";
