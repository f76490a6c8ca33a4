/**
 * Fields for the access log of a passthrough listener, on each connection's TLS session, if the configuration asks for them:
 *
 *   tls_session_outcome   full, resumed, declined, lost, refused, diverted or failed
 *   tls_session_offered   none, id, ticket or psk
 *   tls_session_id        hex: the ID of the first offer, as in the API
 *   tls_session_issued    hex: the ID of the session that the server issued, if it is seen
 *   tls_session_protocol  SSLv3, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3
 *   tls_session_renegotiation   observed or closed, if a client has begun one
 *
 * Each field is written as soon as it is known, at the server's answer or at the end of the handshake, and corrected if the
 * end differs. So it is there whenever the log is written. All bytes are words and hex digits made here: no bytes of a
 * client or server get into a line of a log.
 *
 * Cost: three to five host calls for each connection; nothing is allocated here.
 */
import { encodeHex } from "../../bytes/hex";
import { LogField } from "../../host/connection/log_field";
import { LastingText } from "../../host/lasting_text";
import { Observation } from "../../resumption/observation";
import { Verdict } from "../../resumption/refusal";
import { Kind, MAX_ID_LENGTH } from "../../session/record/session";
import { Fate } from "../../session/counting/statistics";
import { Handshake } from "../../tls/handshake";
import { protocolWord } from "../connection/protocol_words";

export class AccessLog {
  /** A server has answered, and `observation` has judged it. */
  writeAnswer(observation: Observation, handshake: Handshake, verdict: Verdict): void {
    const full = observation.offer.kind == 0;
    OUTCOME.writeWord(verdict != Verdict.Resume ? REFUSED : full ? FULL : fateWord(observation.fate));
    this.writeOffer(observation, handshake);
  }

  private writeOffer(observation: Observation, handshake: Handshake): void {
    const kind = observation.offer.kind;
    OFFERED.writeWord(kindWord(kind));
    PROTOCOL.writeWord(protocolWord(handshake.answer.version));
    if (kind != 0) writeId(ID, observation.offer.id, observation.offer.idLength);
  }

  /** The watching of a handshake has ended without a refusal, and `observation` has the end. */
  writeEnd(observation: Observation, handshake: Handshake): void {
    if (!handshake.begun) return;
    if (!handshake.completed) {
      OUTCOME.writeWord(FAILED);
      if (handshake.mayResume) this.writeOffer(observation, handshake);
      return;
    }
    if (handshake.tickets.ticket.present) writeId(ISSUED, handshake.tickets.ticket.hash, MAX_ID_LENGTH);
    else writeId(ISSUED, handshake.issuedId, handshake.issuedIdLength);
  }

  /** A client has begun a renegotiation, which `closes` its connection or not. */
  writeRenegotiation(closes: bool): void {
    RENEGOTIATION.writeWord(closes ? CLOSED : OBSERVED);
  }
}

function writeId(field: LogField, id: usize, length: i32): void {
  if (id == 0 || length <= 0 || length > MAX_ID_LENGTH) return;
  encodeHex(id, length, HEX);
  field.write(HEX, length * 2);
}

function kindWord(kind: u8): LastingText {
  if (kind == Kind.ID) return SESSION_ID;
  if (kind == Kind.TICKET) return TICKET;
  return kind == Kind.PSK ? PSK : NONE;
}

function fateWord(fate: i32): LastingText {
  if (fate == Fate.ACCEPTED) return RESUMED;
  if (fate == Fate.DIVERTED) return DIVERTED;
  return fate == Fate.LOST ? LOST : DECLINED;
}

const OUTCOME = new LogField("tls_session_outcome");
const OFFERED = new LogField("tls_session_offered");
const ID = new LogField("tls_session_id");
const ISSUED = new LogField("tls_session_issued");
const PROTOCOL = new LogField("tls_session_protocol");
const RENEGOTIATION = new LogField("tls_session_renegotiation");
const OBSERVED = new LastingText("observed");
const CLOSED = new LastingText("closed");
const FULL = new LastingText("full");
const RESUMED = new LastingText("resumed");
const DECLINED = new LastingText("declined");
const LOST = new LastingText("lost");
const REFUSED = new LastingText("refused");
const DIVERTED = new LastingText("diverted");
const FAILED = new LastingText("failed");
const NONE = new LastingText("none");
const SESSION_ID = new LastingText("id");
const TICKET = new LastingText("ticket");
const PSK = new LastingText("psk");
const HEX: usize = memory.data(MAX_ID_LENGTH * 2);
