/**
 * The query of a request (application/x-www-form-urlencoded): names and values, with percent-encoding and '+' undone.
 *
 * Refused: a name twice, a '%' without two hexadecimal digits, what is not UTF-8 afterwards, and more than MAX_PAIRS pairs.
 * Cost: O(length) and one comparison for each pair of names.
 */
import { quoted } from "../../json/quote";
import { decodePercent } from "./percent_encoding";

/** No path takes more than seven. */
const MAX_PAIRS: i32 = 16;

export class Query {
  /** Empty, or what is wrong with it. */
  error: string = "";
  readonly names: string[] = [];
  private readonly values: string[] = [];

  /** The value of a name; null where it is not given. */
  value(name: string): string | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.values[index];
  }

  /** Takes what stands behind the '?'. */
  read(text: string): void {
    if (text.length == 0) return;
    const pairs = text.split("&", MAX_PAIRS + 1);
    if (pairs.length > MAX_PAIRS) {
      this.error = "query: more than " + MAX_PAIRS.toString() + " parameters";
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
      this.error = "query: " + quoted(pair) + " is not percent-encoded UTF-8";
    } else if (this.names.includes(name)) {
      this.error = "query: " + quoted(name) + " is given twice";
    } else {
      this.names.push(name);
      this.values.push(value);
    }
  }
}

/** Text without its percent-encoding and with '+' as a space; null where it is malformed. */
export function decodeComponent(text: string): string | null {
  return decodePercent(text.replaceAll("+", " "));
}
