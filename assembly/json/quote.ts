/**
 * Quotes text from outside for a message: in double quotes, on one line, harmless to terminals, at most MAX_QUOTED
 * characters of it.
 */
import { JsonWriter } from "./writer";

export function quoted(text: string): string {
  const writer = new JsonWriter();
  writer.string(text.length > MAX_QUOTED ? text.substring(0, MAX_QUOTED) + "..." : text);
  return String.UTF8.decodeUnsafe(writer.pointer, writer.length);
}

const MAX_QUOTED: i32 = 80;
