/** Names of ticket keys in paths: 32 hexadecimal digits in either case, 16 bytes. */
import { decodeHexText } from "../../bytes/hex";
import { TICKET_KEY_LENGTH } from "../../session/record/session";

export const TICKET_KEY_RULE: string = "expected the name of a ticket key, 32 hexadecimal digits, two for each byte";

export class TicketKeyName {
  private readonly bytes: StaticArray<u8> = new StaticArray<u8>(TICKET_KEY_LENGTH);
  /** Whether the text is a ticket key's name. */
  readonly valid: bool;

  constructor(text: string) {
    this.valid = decodeHexText(text, changetype<usize>(this.bytes), TICKET_KEY_LENGTH) == TICKET_KEY_LENGTH;
  }

  /** 16 bytes; valid as long as this object is. */
  get pointer(): usize {
    return changetype<usize>(this.bytes);
  }
}
