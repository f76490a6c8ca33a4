/** Server names in paths: percent-encoded UTF-8, 1 to 255 bytes. `Revocations` ignores the case of their letters. */
import { MAX_SNI_LENGTH } from "../../session/record/session";
import { decodePercent } from "../http/percent_encoding";

export const SERVER_NAME_RULE: string = "sni: expected a server name, 1 to 255 bytes of percent-encoded UTF-8";

export class ServerName {
  private readonly bytes: ArrayBuffer;
  /** In bytes; 0 if the text is not a server name. */
  readonly length: i32;

  constructor(text: string) {
    const decoded = decodePercent(text);
    this.bytes = String.UTF8.encode(decoded === null ? "" : decoded);
    this.length = this.bytes.byteLength > MAX_SNI_LENGTH ? 0 : this.bytes.byteLength;
  }

  /** The name as it was sent; valid as long as this object is. */
  get pointer(): usize {
    return changetype<usize>(this.bytes);
  }
}
