/** Names of ticket keys in paths: 32 hexadecimal digits in either case, 16 bytes. */
import { decodeHex } from "../../bytes/hex";
import { TICKET_KEY_LENGTH } from "../../session/record/session";

export const TICKET_KEY_RULE: string = "the name of a ticket key is 32 hexadecimal digits, two for each byte";

export class TicketKeyName {
  private readonly bytes: StaticArray<u8> = new StaticArray<u8>(TICKET_KEY_LENGTH);
  /** Whether the text is a name. */
  readonly valid: bool;

  constructor(text: string) {
    let valid = false;
    if (text.length == 2 * TICKET_KEY_LENGTH) {
      // Whatever is not ASCII has bytes that are no hexadecimal digits.
      const ascii = String.UTF8.encode(text);
      if (ascii.byteLength == text.length) {
        const length = decodeHex(changetype<usize>(ascii), text.length, changetype<usize>(this.bytes));
        valid = length == TICKET_KEY_LENGTH;
      }
    }
    this.valid = valid;
  }

  /** 16 bytes; valid as long as this object is. */
  get pointer(): usize {
    return changetype<usize>(this.bytes);
  }
}
