/**
 * A ticket or PSK identity, read as it passes and never held: its SHA-256, its first bytes, and the same without bytes
 * behind it.
 *
 * RFC 5077 4 recommends this form. Some servers (GnuTLS, wolfSSL) read no further than its end, so a ticket with bytes
 * behind it is the same ticket to them, with another hash:
 *
 *     0   16 bytes  key name
 *     16  16 bytes  IV
 *     32  u16       length of the encrypted state
 *     34  bytes     encrypted state, then a MAC of 20 bytes (GnuTLS) or 32 (RFC 5077, wolfSSL)
 *
 * So if bytes follow the end of that form, the hash of the bytes before them is reported as well, for each length of MAC. A
 * ticket of another form rarely looks like this one, and then only one more hash is judged.
 *
 * Promises: any number of pieces of any size.
 *
 * Cost: one SHA-256, and the end of one more for each such length. `IDENTITY_READER_SIZE` bytes that the caller provides,
 * 8-byte aligned.
 */
import { SHA256_STATE_SIZE, sha256Final, sha256Init, sha256Update } from "../../bytes/sha256";
import { TICKET_KEY_LENGTH } from "../wire/limits";
import { TicketIdentity } from "./ticket_identity";


@unmanaged
export class IdentityReader {
  private length: i32;
  private seen: i32;
  /** The next shorter form that may end: a number below MAC_SIZES. */
  private form: i32;

  /** Begins an identity of `length` bytes, at least 1. */
  start(length: i32): void {
    this.length = length;
    this.seen = 0;
    this.form = 0;
    sha256Init(this.hashing);
  }

  /**
   * Adds bytes, up to the end of a shorter form; returns how many. If `endsForm` is true afterwards, `takeForm` or
   * `passForm` must be called before the next piece.
   */
  push(data: usize, count: i32): i32 {
    let taken = count;
    if (this.seen < PREFIX_SIZE) {
      // The form is known before it can end.
      taken = min(taken, PREFIX_SIZE - this.seen);
      memory.copy(this.prefix + <usize>this.seen, data, taken);
    } else {
      const end = this.formEnd;
      if (end > this.seen) taken = min(taken, end - this.seen);
    }
    sha256Update(this.hashing, data, taken);
    this.seen += taken;
    return taken;
  }

  /** Whether a shorter form ends with the bytes that were read, and more follow. */
  get endsForm(): bool {
    return this.seen < this.length && this.seen == this.formEnd;
  }

  /** Goes on to the next form. */
  passForm(): void {
    this.form++;
  }

  /** Fills `identity` with the bytes so far, and goes on to the next form. */
  takeForm(identity: TicketIdentity): void {
    this.passForm();
    memory.copy(COPY, this.hashing, SHA256_STATE_SIZE);
    this.fill(identity, COPY);
  }

  /** All of it was read: fills `identity`. */
  finish(identity: TicketIdentity): void {
    this.fill(identity, this.hashing);
  }

  /** Whether all of it was read, and it ends where one of the forms does, with nothing behind it. */
  get isWholeForm(): bool {
    if (this.length < PREFIX_SIZE) return false;
    const behind = this.length - PREFIX_SIZE - this.stateLength;
    for (let form = 0; form < MAC_SIZES; form++) if (behind == macSize(form)) return true;
    return false;
  }

  private get stateLength(): i32 {
    return <i32>bswap<u16>(load<u16>(this.prefix + STATE_LENGTH_OFFSET));
  }

  /** Where the next shorter form ends, 0 if there is none. */
  private get formEnd(): i32 {
    if (this.seen < PREFIX_SIZE || this.form >= MAC_SIZES) return 0;
    const end = PREFIX_SIZE + this.stateLength + macSize(this.form);
    return end < this.length ? end : 0;
  }

  private fill(identity: TicketIdentity, state: usize): void {
    identity.length = this.seen;
    memory.copy(identity.keyPlace, this.prefix, min(this.seen, TICKET_KEY_LENGTH));
    sha256Final(state, identity.hashPlace);
  }

  private get hashing(): usize {
    return changetype<usize>(this) + HASHING_OFFSET;
  }

  private get prefix(): usize {
    return changetype<usize>(this) + PREFIX_OFFSET;
  }
}

function macSize(form: i32): i32 {
  return <i32>load<u8>(MACS + <usize>form);
}

const PREFIX_SIZE: i32 = 34;
const STATE_LENGTH_OFFSET: usize = 32;
const MACS: usize = memory.data<u8>([20, 32]);
const MAC_SIZES: i32 = 2;
const COPY: usize = memory.data(104, 8);

const HASHING_OFFSET: usize = (offsetof<IdentityReader>() + 7) & ~7;
const PREFIX_OFFSET: usize = HASHING_OFFSET + SHA256_STATE_SIZE;
export const IDENTITY_READER_SIZE: i32 = (<i32>PREFIX_OFFSET + PREFIX_SIZE + 7) & ~7;
