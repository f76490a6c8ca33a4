/** Server names in paths: percent-encoded UTF-8, 1 to 255 bytes, without regard to the case of ASCII letters (RFC 4343). */
import { lowerCase } from "../../bytes/ascii";
import { MAX_SNI_LENGTH } from "../../session/record/session";
import { decodePercent } from "../http/percent_encoding";

export const SERVER_NAME_RULE: string = "a server name is 1 to 255 bytes of percent-encoded UTF-8";

export class ServerName {
  private readonly bytes: ArrayBuffer;
  /** In bytes; 0 where the text is no server name. */
  readonly length: i32;

  constructor(text: string) {
    const decoded = decodePercent(text);
    const bytes = String.UTF8.encode(decoded === null ? "" : decoded);
    lowerCase(changetype<usize>(bytes), bytes.byteLength);
    this.bytes = bytes;
    this.length = bytes.byteLength > MAX_SNI_LENGTH ? 0 : bytes.byteLength;
  }

  /** The name in lower case; valid as long as this object is. */
  get pointer(): usize {
    return changetype<usize>(this.bytes);
  }
}
