/** Names of TLS cipher suites: IANA's, or 0xNNNN for a suite without one. */
import { digitValue } from "../../bytes/hex";
import { CIPHER_SUITE_NAMES, CIPHER_SUITE_VALUES } from "../generated/cipher_suites.generated";
import { codePoint } from "./value_names";

/** Returns the IANA name, or "0xNNNN". O(log suites). */
export function cipherName(value: u16): string {
  let low = 0;
  let high = CIPHER_SUITE_VALUES.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (CIPHER_SUITE_VALUES[middle] < value) low = middle + 1;
    else high = middle;
  }
  const known = low < CIPHER_SUITE_VALUES.length && CIPHER_SUITE_VALUES[low] == value;
  return known ? CIPHER_SUITE_NAMES[low] : codePoint(value);
}

/** Returns the value of an IANA name or of "0xNNNN" (digits in either case); -1 for any other text. O(suites). */
export function cipherOf(text: string): i32 {
  const index = CIPHER_SUITE_NAMES.indexOf(text);
  if (index >= 0) return CIPHER_SUITE_VALUES[index];
  if (text.length != 6 || text.charCodeAt(0) != 0x30 || (text.charCodeAt(1) | 0x20) != 0x78) return -1;
  let value = 0;
  for (let i = 2; i < 6; i++) {
    const digit = digitValue(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}
