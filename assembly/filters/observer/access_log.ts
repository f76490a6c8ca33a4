/**
 * What the access log of a passthrough listener can print of each connection's TLS session, where it is asked for:
 *
 *   tls_session_outcome   full, resumed, declined, lost, refused, diverted or failed
 *   tls_session_offered   none, id, ticket or psk
 *   tls_session_id        hex: the ID of what was offered, as the API calls it
 *   tls_session_issued    hex: the ID of what the server issued, as far as it can be seen
 *   tls_session_protocol  SSLv3, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3
 *   tls_session_renegotiation   observed or closed, where a client has begun one
 *
 * Each is written as soon as it is known, at the server's answer or at the end of the handshake, and corrected where the
 * end differs: so it is there whenever the log is written. All bytes are made here, words and hex digits: nothing that a
 * client or server sends can get into a line of a log.
 *
 * Cost: three to five host calls for each connection; nothing is allocated here.
 */
import { encodeHex } from "../../bytes/hex";
import { LogField, Word } from "../../host/log_field";
import { Observation } from "../../resumption/observation";
import { Verdict } from "../../resumption/refusal";
import { Kind, MAX_ID_LENGTH } from "../../session/record/session";
import { Fate } from "../../session/counting/statistics";
import { Handshake } from "../../tls/handshake";

export class AccessLog {
  /** A server has answered, and `observation` has looked at it. */
  answered(observation: Observation, handshake: Handshake, verdict: Verdict): void {
    const full = observation.offer.kind == 0;
    OUTCOME.say(verdict != Verdict.Resume ? REFUSED : full ? FULL : fateWord(observation.fate));
    this.offered(observation, handshake);
  }

  private offered(observation: Observation, handshake: Handshake): void {
    const kind = observation.offer.kind;
    OFFERED.say(kindWord(kind));
    PROTOCOL.say(protocolWord(handshake.answer.version));
    if (kind != 0) writeId(ID, observation.offer.id, observation.offer.idLength);
  }

  /** The watching of a handshake has ended, `observation` has looked at that, and it was not refused. */
  ended(observation: Observation, handshake: Handshake): void {
    if (!handshake.begun) return;
    if (!handshake.completed) {
      OUTCOME.say(FAILED);
      if (handshake.mayResume) this.offered(observation, handshake);
      return;
    }
    if (handshake.tickets.ticket.present) writeId(ISSUED, handshake.tickets.ticket.hash, MAX_ID_LENGTH);
    else writeId(ISSUED, handshake.issuedId, handshake.issuedIdLength);
  }

  /** A client has begun a renegotiation; `closes`: that ends its connection. */
  renegotiated(closes: bool): void {
    RENEGOTIATION.say(closes ? CLOSED : OBSERVED);
  }
}

function writeId(field: LogField, id: usize, length: i32): void {
  if (id == 0 || length <= 0 || length > MAX_ID_LENGTH) return;
  encodeHex(id, length, HEX);
  field.write(HEX, length * 2);
}

function kindWord(kind: u8): Word {
  if (kind == Kind.ID) return SESSION_ID;
  if (kind == Kind.TICKET) return TICKET;
  return kind == Kind.PSK ? PSK : NONE;
}

function fateWord(fate: i32): Word {
  if (fate == Fate.ACCEPTED) return RESUMED;
  if (fate == Fate.DIVERTED) return DIVERTED;
  return fate == Fate.LOST ? LOST : DECLINED;
}

function protocolWord(version: u16): Word {
  switch (version) {
    case 0x0300:
      return SSL3;
    case 0x0301:
      return TLS10;
    case 0x0302:
      return TLS11;
    case 0x0303:
      return TLS12;
    default:
      return TLS13;
  }
}

const OUTCOME = new LogField("tls_session_outcome");
const OFFERED = new LogField("tls_session_offered");
const ID = new LogField("tls_session_id");
const ISSUED = new LogField("tls_session_issued");
const PROTOCOL = new LogField("tls_session_protocol");
const RENEGOTIATION = new LogField("tls_session_renegotiation");
const OBSERVED = new Word("observed");
const CLOSED = new Word("closed");
const FULL = new Word("full");
const RESUMED = new Word("resumed");
const DECLINED = new Word("declined");
const LOST = new Word("lost");
const REFUSED = new Word("refused");
const DIVERTED = new Word("diverted");
const FAILED = new Word("failed");
const NONE = new Word("none");
const SESSION_ID = new Word("id");
const TICKET = new Word("ticket");
const PSK = new Word("psk");
const SSL3 = new Word("SSLv3");
const TLS10 = new Word("TLSv1");
const TLS11 = new Word("TLSv1.1");
const TLS12 = new Word("TLSv1.2");
const TLS13 = new Word("TLSv1.3");
const HEX: usize = memory.data(64);
