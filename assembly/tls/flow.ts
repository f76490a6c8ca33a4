/**
 * The order of a handshake, without any bytes: which record and which message may come next from which side, and the role of
 * each.
 *
 *     TLS <= 1.2, full (RFC 5246 7.3)          TLS <= 1.2, abbreviated             TLS 1.3 (RFC 8446 2)
 *     C ClientHello                            C ClientHello                       C ClientHello [, early data]
 *     S ServerHello .. ServerHelloDone         S ServerHello [, NewSessionTicket]  S [HelloRetryRequest; C ClientHello; S]
 *                                                                                    ServerHello
 *     C .. ClientKeyExchange .. CCS, Finished  S CCS, Finished                     S application data (sealed)
 *     S [NewSessionTicket,] CCS, Finished      C CCS, Finished                     C application data (sealed Finished)
 *
 * Until the server's answer shows whether it resumes, nothing that a client or server sends is out of order here: some
 * server passes it over, whatever it is, and the answer decides. Behind that, a record or message out of order is
 * `Unexpected`, never guessed at: then nothing is lost but something to learn. A sealed message looks like any other, so
 * position and length show a Finished: in TLS <= 1.2 it is the first handshake record after a change of cipher spec (16
 * bytes; nobody splits it), in TLS 1.3 the first client record after the ServerHello that is long enough for one.
 *
 * The bytes behind its ServerHello show whether a server of TLS <= 1.2 resumes: a NewSessionTicket or a change of cipher
 * spec means a resumption, anything else a full handshake. The echo of a session ID alone shows nothing: a server may echo
 * one and make a new session.
 *
 * If a client of TLS 1.3 offers early data, some may still be under way after the ServerHello, and whether the server took
 * it is sealed. Then only a record of exactly the length of a Finished counts, or the record after `MAX_EARLY_DATA_RECORDS`
 * others. So an early data record of that length completes a handshake a little early, and a padded Finished completes it
 * late. A certificate of the client in front of its Finished completes it early too. All of these have a ServerHello behind
 * them, which proves an accepted PSK by itself.
 *
 * In TLS 1.3, if only a client's Finished is left to come, its length tells it from an alert, and nobody has to read it
 * (`takeFinished`): without the keys, nobody could tell a right one from a wrong one anyway.
 *
 * `FLOW_SIZE` bytes that the caller provides, all zero at the start.
 */
import { MAX_EARLY_DATA_RECORDS } from "./wire/limits";
import { CipherSuite, ContentType, MessageType, Version } from "./wire/protocol";

export const enum Direction {
  /** Bytes from the client. */
  Downstream = 0,
  /** Bytes from the server. */
  Upstream = 1,
}

/** The message that is expected next, or the decision that was made. */
export const enum Phase {
  ClientHello = 0,
  ServerHello = 1,
  SecondClientHello = 2,
  /** TLS <= 1.2 was chosen, and the server has not shown yet whether it resumes. */
  Undecided = 3,
  /** TLS <= 1.2 was chosen. */
  Legacy = 4,
  /** TLS 1.3 was chosen. */
  Modern = 5,
}

/** The course of a TLS <= 1.2 handshake. */
export const enum Course {
  Full = 0,
  /** A resumption. */
  Abbreviated = 1,
}

/** The role of a record. */
export const enum Role {
  Unexpected = 0,
  Skip = 1,
  /** Handshake messages in clear. */
  Messages = 2,
  /** An alert in clear. */
  Alert = 3,
  /** An alert whose text is sealed: no handshake survives one. */
  SealedAlert = 4,
  /** A change of cipher spec that counts (TLS <= 1.2). */
  ChangeCipherSpec = 5,
  /** A sealed Finished. */
  Finished = 6,
}

/** The role of a handshake message in clear. */
export const enum Part {
  Unexpected = 0,
  Skip = 1,
  ClientHello = 2,
  ServerHello = 3,
  NewSessionTicket = 4,
  /** A ClientHello that nobody asked for: a server may take it up all the same. */
  UnaskedClientHello = 5,
}


@unmanaged
export class Flow {
  phase: Phase;
  private cipher: i32;
  private earlyRecords: i32;
  private earlyDataOffered: bool;
  private retried: bool;
  /** The server sent a message that only a full TLS <= 1.2 handshake has. */
  private full: bool;
  private serverHelloDone: bool;
  private clientChanged: bool;
  private serverChanged: bool;
  private clientFinished: bool;
  private serverFinished: bool;
  /** A handshake record came behind the client's Finished, before the server's. */
  private clientRenegotiates: bool;

  /** Whether a direction is sealed from here on (TLS <= 1.2). */
  sealed(direction: i32): bool {
    return direction == Direction.Downstream ? this.clientChanged : this.serverChanged;
  }

  /** Whether a ClientHello was read whole. */
  get begun(): bool {
    return this.phase != Phase.ClientHello;
  }

  /** Whether the server's answer has shown if it resumes. */
  get decided(): bool {
    return this.phase >= Phase.Legacy;
  }

  /** Whether no ServerHello has come yet, except a HelloRetryRequest. */
  get unanswered(): bool {
    return this.phase <= Phase.SecondClientHello;
  }

  /** Whether a ClientHello was read whole, and its answer is still to come. */
  get awaitsAnswer(): bool {
    return this.phase == Phase.ServerHello;
  }

  /** Records that end the client's part of a TLS <= 1.2 handshake and have not passed whole: see `record_follower.ts`. */
  get clientSealsIn(): i32 {
    if (this.clientRenegotiates) return -1;
    return this.clientFinished ? 0 : this.clientChanged ? 1 : 2;
  }

  record(direction: i32, type: i32, length: i32): Role {
    if (!this.decided) return this.recordBefore(direction, type);
    switch (type) {
      case ContentType.ALERT:
        return this.sealed(direction) ? Role.SealedAlert : Role.Alert;
      case ContentType.CHANGE_CIPHER_SPEC:
        return this.changeCipherSpec(direction);
      case ContentType.HANDSHAKE:
        if (this.sealed(direction)) return this.sealedMessage(direction);
        return this.phase == Phase.Modern ? Role.Unexpected : Role.Messages;
      default:
        return direction == Direction.Downstream ? this.clientData(length) : this.serverData();
    }
  }

  message(direction: i32, type: i32, length: i32): Part {
    return direction == Direction.Downstream ? this.clientMessage(type) : this.serverMessage(type, length);
  }

  /** A ClientHello was read. */
  offered(earlyData: bool): void {
    this.earlyDataOffered = earlyData;
    this.phase = Phase.ServerHello;
  }

  /** A HelloRetryRequest was read. */
  retry(): void {
    this.retried = true;
    this.phase = Phase.SecondClientHello;
  }

  /** A ServerHello was read. */
  answered(version: u16, cipher: u16): void {
    this.cipher = cipher;
    this.phase = version >= Version.TLS13 ? Phase.Modern : Phase.Undecided;
  }

  /** The server of TLS <= 1.2 went on with a message that only a full handshake has, or only an abbreviated one. */
  decide(course: Course): void {
    this.full = course == Course.Full;
    this.phase = Phase.Legacy;
  }

  /** A change of cipher spec that counts has passed. */
  changed(direction: i32): void {
    if (direction == Direction.Downstream) this.clientChanged = true;
    else this.serverChanged = true;
  }

  /** A sealed Finished has passed. Returns whether it completes the handshake. */
  finished(direction: i32): bool {
    if (this.phase == Phase.Modern) return true;
    if (direction == Direction.Downstream) this.clientFinished = true;
    else this.serverFinished = true;
    return this.clientFinished && this.serverFinished;
  }

  /**
   * Takes so many bytes of the client for its Finished. False if they may be something else: only if nothing but alerts can
   * come besides, and they are longer than an alert, they are a Finished. An alert in clear has 7 bytes; TLS 1.3 may seal
   * it, behind a change of cipher spec. Never in TLS <= 1.2: the records behind its Finished are followed, and the bytes may
   * end inside a record.
   */
  takeFinished(length: i32): bool {
    return (
      this.phase == Phase.Modern && !this.earlyDataOffered && length >= HEADER_SIZE + shortestFinished(this.cipher)
    );
  }

  /** RFC 8446 4.1.4: at most one HelloRetryRequest. */
  get mayRetry(): bool {
    return !this.retried;
  }

  private recordBefore(direction: i32, type: i32): Role {
    if (type == ContentType.HANDSHAKE) return Role.Messages;
    if (direction == Direction.Downstream) return Role.Skip;
    if (type == ContentType.ALERT) return Role.Alert;
    if (type == ContentType.CHANGE_CIPHER_SPEC && this.phase == Phase.Undecided) return Role.ChangeCipherSpec;
    return Role.Skip;
  }

  private sealedMessage(direction: i32): Role {
    if (direction == Direction.Upstream || !this.clientFinished) return Role.Finished;
    this.clientRenegotiates = true;
    return Role.Skip;
  }

  private changeCipherSpec(direction: i32): Role {
    if (this.phase == Phase.Modern) return Role.Skip; // RFC 8446 D.4: for middleboxes only
    if (this.sealed(direction)) return Role.Unexpected;
    return this.mayChange(direction) ? Role.ChangeCipherSpec : Role.Unexpected;
  }

  /** RFC 5246 7.3: whose turn it is. A change out of turn would be a skipped key exchange. */
  private mayChange(direction: i32): bool {
    if (direction == Direction.Downstream) return this.serverHelloDone || !this.full;
    return !this.full || this.clientFinished;
  }

  private clientData(length: i32): Role {
    if (this.phase == Phase.Modern) return this.modernClientData(length);
    return this.clientFinished ? Role.Skip : Role.Unexpected; // RFC 7918: false start
  }

  private modernClientData(length: i32): Role {
    if (this.earlyDataOffered) {
      if (length == finishedLength(this.cipher)) return Role.Finished;
      return ++this.earlyRecords > MAX_EARLY_DATA_RECORDS ? Role.Finished : Role.Skip;
    }
    if (length >= shortestFinished(this.cipher)) return Role.Finished;
    return length == sealingOverhead(this.cipher) + ALERT_SIZE ? Role.SealedAlert : Role.Skip;
  }

  private serverData(): Role {
    return this.phase == Phase.Modern || this.serverFinished ? Role.Skip : Role.Unexpected;
  }

  private clientMessage(type: i32): Part {
    if (type != MessageType.CLIENT_HELLO) return this.phase == Phase.Modern ? Part.Unexpected : Part.Skip;
    switch (this.phase) {
      case Phase.ClientHello:
      case Phase.SecondClientHello:
        return Part.ClientHello;
      case Phase.ServerHello:
        return Part.UnaskedClientHello;
      case Phase.Undecided:
        return Part.Skip;
      default:
        return Part.Unexpected;
    }
  }

  private serverMessage(type: i32, length: i32): Part {
    if (this.unanswered) return type == MessageType.SERVER_HELLO ? Part.ServerHello : Part.Skip;
    if (this.phase == Phase.Modern) return Part.Unexpected; // RFC 8446 5.1: the rest is sealed, in records of its own
    // RFC 5246 7.4.1.1: may come at any time, and means nothing during a handshake
    if (type == MessageType.HELLO_REQUEST && length == 0) return Part.Skip;
    if (type == MessageType.SERVER_HELLO) return Part.Unexpected;
    if (type == MessageType.NEW_SESSION_TICKET) return Part.NewSessionTicket;
    if (type == MessageType.SERVER_HELLO_DONE) this.serverHelloDone = true;
    if (this.phase == Phase.Legacy) this.full = true;
    return Part.Skip;
  }
}

/** Length of a sealed TLS 1.3 Finished without padding: header, hash of the suite, inner content type, tag. */
function finishedLength(cipher: i32): i32 {
  const hash = cipher == CipherSuite.TLS_AES_256_GCM_SHA384 ? 48 : 32;
  return 4 + hash + sealingOverhead(cipher);
}

/**
 * From this length on a client record counts as its Finished: that of the shortest hash, so that no Finished of a client
 * without a certificate is missed. Only an alert, an empty Certificate (25) and EndOfEarlyData (21) are shorter.
 */
function shortestFinished(cipher: i32): i32 {
  return 4 + 32 + sealingOverhead(cipher);
}

/** RFC 8446 5.2: the inner content type and the tag of the AEAD. */
function sealingOverhead(cipher: i32): i32 {
  return cipher == CipherSuite.TLS_AES_128_CCM_8_SHA256 ? 1 + 8 : 1 + 16;
}

const ALERT_SIZE: i32 = 2;
const HEADER_SIZE: i32 = 5;

export const FLOW_SIZE: i32 = (<i32>offsetof<Flow>() + 7) & ~7;
