/**
 * Follows the records that a client sends in TLS 1.2 and before, once its handshake is decided, to notice a renegotiation
 * (RFC 5246 7.4.1.1): another handshake inside the sealed connection, whose offers and resumption nobody here can see.
 *
 * A record's type is never sealed. Behind the client's Finished, a record of type handshake begins a renegotiation, whoever
 * has asked for it.
 *
 * Promises: reads headers alone, as they come; the bytes of a record's body need only be counted. A header that is not one
 * of TLS counts as a renegotiation too: a server would have ended the connection at it, so the records do not begin here.
 * `RECORD_FOLLOWER_SIZE` bytes that the caller provides.
 */
import { ContentType } from "./protocol";
import { RECORD_READER_SIZE, RecordReader } from "./record";


@unmanaged
export class RecordFollower {
  /**
   * Records of the handshake that are still to come: 2: a change of cipher spec and a Finished, 1: a Finished, 0: none.
   * Below 0: a renegotiation has begun, and the next header reports it.
   */
  private handshakeRecords: i32;

  private get records(): RecordReader {
    return changetype<RecordReader>(changetype<usize>(this) + RECORDS_OFFSET);
  }

  /** Goes on behind the last byte that a handshake has read. */
  start(records: RecordReader, handshakeRecords: i32): void {
    this.handshakeRecords = handshakeRecords;
    memory.copy(changetype<usize>(this.records), changetype<usize>(records), RECORD_READER_SIZE);
    // The header of that record has passed, and nobody else counts it.
    if (records.open && this.isRenegotiation(records)) this.handshakeRecords = BEGUN;
  }

  /** Bytes of the current record's body that are still to come: they need not be shown. 0 in or before a header. */
  get bodyLeft(): i32 {
    const records = this.records;
    return records.open ? records.left : 0;
  }

  /** That many of them have passed. */
  passBody(count: i32): void {
    this.records.pass(count);
  }

  /** Adds a byte of a header; true if a renegotiation begins with it. */
  pushHeader(byte: u8): bool {
    const records = this.records;
    if (!records.push(byte)) return false;
    const begins = this.isRenegotiation(records);
    if (records.length == 0) records.pass(0);
    return begins;
  }

  private isRenegotiation(records: RecordReader): bool {
    if (this.handshakeRecords < 0 || !records.isKnownType || !records.isVersion3) return true;
    if (records.type == ContentType.CHANGE_CIPHER_SPEC && this.handshakeRecords == 2) this.handshakeRecords = 1;
    if (records.type != ContentType.HANDSHAKE) return false;
    if (this.handshakeRecords == 0) return true;
    if (this.handshakeRecords == 1) this.handshakeRecords = 0;
    return false;
  }
}

const BEGUN: i32 = -1;

const RECORDS_OFFSET: usize = (offsetof<RecordFollower>() + 7) & ~7;
export const RECORD_FOLLOWER_SIZE: i32 = <i32>RECORDS_OFFSET + RECORD_READER_SIZE;
