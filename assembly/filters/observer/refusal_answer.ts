/**
 * The answer to a client whose resumption is refused: a fatal alert in clear (RFC 8446 6, RFC 5246 7.2). In TLS 1.2 and
 * before, the server's own ServerHello may stand in front of it, and a ChangeCipherSpec: more clients forget a session that
 * resumed and then failed than one that nobody answered (docs/evidence/clients.md).
 *
 * Promises: no other bytes of the server go on, least of all a renewed ticket. The ServerHello goes on as its server wrote
 * it, in a record of its own. If the server's bytes do not begin with a whole ServerHello in one record, the alert stands
 * alone.
 */
import { HANDSHAKE_FAILURE, NO_ALERT, RefusalPlace } from "../../config/config";
import { MESSAGE_HEADER_SIZE } from "../../tls/wire/message";
import { ContentType, MessageType, Version } from "../../tls/wire/protocol";
import { RECORD_HEADER_SIZE } from "../../tls/wire/record";

export class RefusalAnswer {
  length: i32 = 0;
  private legacyAlert: i32 = HANDSHAKE_FAILURE;
  private modernAlert: i32 = HANDSHAKE_FAILURE;
  private place: RefusalPlace = RefusalPlace.ServerHello;

  get start(): usize {
    return ANSWER;
  }

  /**
   * Sets the descriptions of the alerts for TLS 1.2 and before, and for TLS 1.3 (NO_ALERT for none), and the place of the
   * first.
   */
  choose(legacyAlert: i32, modernAlert: i32, place: RefusalPlace): void {
    this.legacyAlert = legacyAlert;
    this.modernAlert = modernAlert;
    this.place = place;
  }

  /**
   * Makes the answer for a version, 0 if none was chosen yet. `server`: the first bytes of the server's flight, at most
   * SERVER_BYTES_CAPACITY of them.
   */
  make(version: u16, server: usize, length: i32): void {
    const modern = version == <u16>Version.TLS13;
    const legacy = version >= <u16>Version.SSL30 && version <= <u16>Version.TLS12;
    const shown: u16 = legacy ? version : <u16>Version.TLS12;
    this.length = 0;
    if (legacy && this.place != RefusalPlace.Instead && this.addHello(server, length, shown)) {
      if (this.place == RefusalPlace.ChangeCipherSpec) this.addByte(ContentType.CHANGE_CIPHER_SPEC, shown);
    }
    const description = modern ? this.modernAlert : this.legacyAlert;
    if (description == NO_ALERT) return;
    const body = this.addRecord(ContentType.ALERT, shown, 2);
    store<u8>(body, FATAL);
    store<u8>(body, <u8>description, 1);
  }

  /** Adds the ServerHello that a flight begins with; false if it is not there, or not whole. */
  private addHello(server: usize, length: i32, version: u16): bool {
    if (length < RECORD_HEADER_SIZE + MESSAGE_HEADER_SIZE || load<u8>(server) != <u8>ContentType.HANDSHAKE)
      return false;
    const message = server + RECORD_HEADER_SIZE;
    if (load<u8>(message) != <u8>MessageType.SERVER_HELLO) return false;
    const size = <i32>(bswap<u32>(load<u32>(message)) & 0xffffff) + MESSAGE_HEADER_SIZE;
    if (size > <i32>bswap<u16>(load<u16>(server, 3)) || size > length - RECORD_HEADER_SIZE) return false;
    memory.copy(this.addRecord(ContentType.HANDSHAKE, version, size), message, size);
    return true;
  }

  private addByte(type: i32, version: u16): void {
    store<u8>(this.addRecord(type, version, 1), 1);
  }

  /** Adds the header of a record; returns the place for its body of `length` bytes. */
  private addRecord(type: i32, version: u16, length: i32): usize {
    const record = ANSWER + <usize>this.length;
    store<u8>(record, <u8>type);
    store<u16>(record, bswap<u16>(version), 1);
    store<u16>(record, bswap<u16>(<u16>length), 3);
    this.length += RECORD_HEADER_SIZE + length;
    return record + RECORD_HEADER_SIZE;
  }
}

/** Bytes of the server's flight that are read: a ServerHello of TLS 1.2 takes some 100. */
export const SERVER_BYTES_CAPACITY: i32 = 2048;
const FATAL: u8 = 2;
const ANSWER_CAPACITY: i32 = 2080;
const ANSWER: usize = memory.data(ANSWER_CAPACITY);
