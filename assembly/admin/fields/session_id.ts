/** Session IDs in paths: 2 to 64 hexadecimal digits in either case, 1 to 32 bytes. */
import { decodeHexText } from "../../bytes/hex";
import { MAX_ID_LENGTH } from "../../session/record/session";

export const ID_RULE: string = "expected a session ID, 2 to 64 hexadecimal digits, two for each byte";

export class SessionId {
  private readonly bytes: StaticArray<u8> = new StaticArray<u8>(MAX_ID_LENGTH);
  /** In bytes; 0 if the text is not a session ID. */
  readonly length: i32;

  constructor(text: string) {
    this.length = max(decodeHexText(text, changetype<usize>(this.bytes), MAX_ID_LENGTH), 0);
  }

  /** Valid as long as this object is. */
  get pointer(): usize {
    return changetype<usize>(this.bytes);
  }
}
