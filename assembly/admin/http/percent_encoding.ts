/** Percent-encoding (RFC 3986 2.1) of UTF-8. O(length). */
import { digitValue } from "../../bytes/hex";
import { wellFormed } from "../../json/utf8";

/** Undoes percent-encoding; null if a '%' has no two hexadecimal digits behind it or the result is not UTF-8. */
export function decodePercent(text: string): string | null {
  const bytes = String.UTF8.encode(text);
  const start = changetype<usize>(bytes);
  const length = bytes.byteLength;
  let used = 0;
  for (let i = 0; i < length; i++) {
    let byte = load<u8>(start + i);
    if (byte == 0x25) {
      if (i + 2 >= length) return null;
      const high = digitValue(load<u8>(start + i, 1));
      const low = digitValue(load<u8>(start + i, 2));
      if (high < 0 || low < 0) return null;
      byte = <u8>((high << 4) | low);
      i += 2;
    }
    // In place: the result is never longer than the bytes read so far.
    store<u8>(start + used, byte);
    used++;
  }
  if (!wellFormed(start, used)) return null;
  return String.UTF8.decodeUnsafe(start, used);
}
