/**
 * The query of a request (application/x-www-form-urlencoded): names and values, with percent-encoding and '+' undone.
 *
 * A query is refused if it repeats a name, has a '%' without two hexadecimal digits, is not UTF-8 once decoded, or has more
 * than MAX_PAIRS pairs. Cost: O(length), and one comparison for each pair of names.
 */
import { quoted } from "../../json/quote";
import { decodePercent } from "./percent_encoding";

/** No path takes more than seven names. */
const MAX_PAIRS: i32 = 16;

export class Query {
  /** Empty if the query is well-formed; else the fault. */
  error: string = "";
  readonly names: string[] = [];
  private readonly values: string[] = [];

  /** Null if the query does not give the name. */
  value(name: string): string | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.values[index];
  }

  /** Reads the text behind the '?'. */
  read(text: string): void {
    if (text.length == 0) return;
    const pairs = text.split("&", MAX_PAIRS + 1);
    if (pairs.length > MAX_PAIRS) {
      this.error = "query: too many parameters; at most " + MAX_PAIRS.toString() + " are allowed";
      return;
    }
    for (let i = 0; i < pairs.length && this.error.length == 0; i++) {
      if (pairs[i].length > 0) this.readPair(pairs[i]);
    }
  }

  private readPair(pair: string): void {
    const equals = pair.indexOf("=");
    const name = decodeComponent(equals < 0 ? pair : pair.substring(0, equals));
    const value = decodeComponent(equals < 0 ? "" : pair.substring(equals + 1));
    if (name === null || value === null) {
      this.error = "query: " + quoted(pair) + " is not percent-encoded UTF-8; write % as %25";
    } else if (this.names.includes(name)) {
      this.error = "query: " + quoted(name) + " is given twice; give it once";
    } else {
      this.names.push(name);
      this.values.push(value);
    }
  }
}

/** Undoes percent-encoding, and '+' for a space; null if the text is malformed. */
export function decodeComponent(text: string): string | null {
  return decodePercent(text.replaceAll("+", " "));
}
