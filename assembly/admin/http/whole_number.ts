/**
 * Whole numbers of a query: digits only, without sign, blank or exponent. The result is the JSON value that a body would
 * have, so one check of bounds serves both (`JsonValue.isWhole`). O(length).
 */
import { JsonKind, JsonValue, NumberForm } from "../../json/value";

/** Returns null if the text is not a whole number, and the form Huge if the number does not fit 64 bits. */
export function wholeNumber(text: string): JsonValue | null {
  if (text.length == 0) return null;
  const value = new JsonValue(JsonKind.Number);
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return null;
    if (value.number > (u64.MAX_VALUE - <u64>digit) / 10) value.form = NumberForm.Huge;
    value.number = value.number * 10 + <u64>digit;
  }
  return value;
}
