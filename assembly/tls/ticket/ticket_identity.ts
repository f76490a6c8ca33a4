/**
 * A ticket or PSK identity, as it is kept: its length, its SHA-256, and the 16 bytes that may be a key name (RFC 5077 4).
 *
 *     0  i32       length; 0: there is none
 *     4  16 bytes  first bytes of the ticket, meaningful if it has that many
 *    20  32 bytes  SHA-256 of all of it
 *
 * `TICKET_IDENTITY_SIZE` bytes that the caller provides.
 */
import { SHA256_SIZE, sha256 } from "../../bytes/sha256";
import { TICKET_KEY_LENGTH } from "../wire/limits";


@unmanaged
export class TicketIdentity {
  length: i32;

  get present(): bool {
    return this.length > 0;
  }

  /** Address of the SHA-256; 0 if there is no ticket. */
  get hash(): usize {
    return this.length > 0 ? this.hashPlace : 0;
  }

  /** Address of the first 16 bytes; 0 if the ticket is shorter. */
  get key(): usize {
    return this.length >= TICKET_KEY_LENGTH ? this.keyPlace : 0;
  }

  get keyPlace(): usize {
    return changetype<usize>(this) + KEY_OFFSET;
  }

  get hashPlace(): usize {
    return changetype<usize>(this) + HASH_OFFSET;
  }

  clear(): void {
    this.length = 0;
  }

  /** Reads a ticket that lies whole in memory. */
  read(data: usize, length: i32): void {
    this.length = length;
    memory.copy(this.keyPlace, data, min(length, TICKET_KEY_LENGTH));
    sha256(data, length, this.hashPlace);
  }
}

const KEY_OFFSET: usize = 4;
const HASH_OFFSET: usize = KEY_OFFSET + TICKET_KEY_LENGTH;
export const TICKET_IDENTITY_SIZE: i32 = <i32>HASH_OFFSET + SHA256_SIZE;
