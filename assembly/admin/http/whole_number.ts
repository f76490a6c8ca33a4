/**
 * A whole number as a query writes it: digits and nothing else, no sign, no blank, no exponent. The answer is the value that a body
 * would have in its place, so whoever asks holds both to the same bounds (`JsonValue.isWhole`). O(length).
 */
import { JsonKind, JsonValue, NumberForm } from "../../json/value";

/** Null where the text is no whole number; of the form Huge where it does not fit 64 bits. */
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
