/**
 * How a change is laid over a stored session: only the fields in `known` of the change count. Functions of two records; no
 * host call, no allocation.
 */
import { NO_NAME } from "../shared/names";
import { Known, MAX_ID_LENGTH, MAX_SNI_LENGTH, MAX_UPSTREAM_LENGTH, sameBytes, Session } from "./record/session";

/** Copies the given fields of a change. A name of its session that is 0 is not given. */
export function overlay(record: Session, change: Session, given: u32): void {
  const fields = change.session == 0 ? given & ~Known.SESSION : given;
  if (fields & Known.KIND) record.kind = change.kind;
  if (fields & Known.PROTOCOL) record.protocol = change.protocol;
  if (fields & Known.CIPHER) record.cipher = change.cipher;
  if (fields & Known.TIMEOUT) record.timeoutSeconds = change.timeoutSeconds;
  if (fields & Known.SESSION) record.session = change.session;
  if (fields & Known.TICKET_KEY) {
    record.ticketKey = change.ticketKey;
    record.ticketKeyName = NO_NAME;
  }
  if (fields & Known.SNI) {
    record.sni = change.sni;
    record.sniLength = change.sniLength;
    record.sniName = NO_NAME;
  }
  if (fields & Known.UPSTREAM) {
    record.upstream = change.upstream;
    record.upstreamLength = change.upstreamLength;
    record.upstreamName = NO_NAME;
  }
  record.known |= fields;
}

/** Whether every given field of a change equals the stored one. */
export function changesNothing(stored: Session, change: Session): bool {
  const given = change.known;
  if ((given & stored.known) != given || (change.cleared & stored.known) != 0) return false;
  if (given & Known.KIND && change.kind != stored.kind) return false;
  if (given & Known.PROTOCOL && change.protocol != stored.protocol) return false;
  if (given & Known.CIPHER && change.cipher != stored.cipher) return false;
  if (given & Known.TIMEOUT && change.timeoutSeconds != stored.timeoutSeconds) return false;
  if (given & Known.SNI && !sameBytes(change.sni, change.sniLength, stored.sni, stored.sniLength)) return false;
  return (given & Known.UPSTREAM) == 0 || stored.isOfUpstream(change.upstream, change.upstreamLength);
}

/** Whether a record is within the limits of the page's layout. */
export function isStorable(session: Session): bool {
  const known = session.known;
  if (session.idLength < 1 || session.idLength > MAX_ID_LENGTH) return false;
  if (known & Known.SNI && (session.sniLength < 0 || session.sniLength > MAX_SNI_LENGTH)) return false;
  return !(known & Known.UPSTREAM && (session.upstreamLength < 0 || session.upstreamLength > MAX_UPSTREAM_LENGTH));
}

/** The fields that an acceptance may fill in of a held session. */
export const FILLED_IN: u32 =
  Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY | Known.SESSION;
