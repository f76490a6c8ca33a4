/**
 * How a change is laid over a stored session: only the fields in `known` of the change count. Functions of two records; no
 * host call, no allocation.
 */
import { NO_NAME } from "../shared/names";
import {
  Known,
  MAX_ID_LENGTH,
  MAX_SNI_LENGTH,
  MAX_UPSTREAM_LENGTH,
  sameBytes,
  Session,
  TICKET_KEY_LENGTH,
} from "./record/session";

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

/**
 * Fills `about` with everything that it and another description of the same session know. Of two values of a field the
 * greater one counts, so the order of descriptions does not matter. Returns whether the other one lacks anything of it.
 */
export function unite(about: Session, other: Session): bool {
  let isMore = false;
  for (let field: u32 = 1; field <= DESCRIPTION; field <<= 1) {
    if ((field & DESCRIPTION) == 0) continue;
    const known = about.known & field;
    if (!(other.known & field)) {
      if (known) isMore = true;
      continue;
    }
    const difference = known ? compareField(about, other, field) : -1;
    if (difference < 0) overlay(about, other, field);
    else if (difference > 0) isMore = true;
  }
  return isMore;
}

/** Compares the fields of two sessions that were put in by hand, in an order that is the same on every proxy. */
export function compareByHand(session: Session, other: Session): i32 {
  if (session.kind != other.kind) return <i32>session.kind - <i32>other.kind;
  if (session.time != other.time) return session.time > other.time ? 1 : -1;
  if (session.timeoutSeconds != other.timeoutSeconds) return session.timeoutSeconds > other.timeoutSeconds ? 1 : -1;
  for (let field: u32 = 1; field <= DESCRIPTION; field <<= 1) {
    if ((field & DESCRIPTION) == 0) continue;
    const known = session.known & field;
    if (known != (other.known & field)) return known ? 1 : -1;
    const difference = known ? compareField(session, other, field) : 0;
    if (difference != 0) return difference;
  }
  return 0;
}

/** Compares a field that both sessions know. */
function compareField(session: Session, other: Session, field: u32): i32 {
  switch (field) {
    case Known.KIND:
      return <i32>session.kind - <i32>other.kind;
    case Known.PROTOCOL:
      return <i32>session.protocol - <i32>other.protocol;
    case Known.CIPHER:
      return <i32>session.cipher - <i32>other.cipher;
    case Known.SNI:
      return compareBytes(session.sni, session.sniLength, other.sni, other.sniLength);
    case Known.UPSTREAM:
      return compareBytes(session.upstream, session.upstreamLength, other.upstream, other.upstreamLength);
    default:
      return memory.compare(session.ticketKey, other.ticketKey, TICKET_KEY_LENGTH);
  }
}

function compareBytes(bytes: usize, length: i32, other: usize, otherLength: i32): i32 {
  const difference = memory.compare(bytes, other, min(length, otherLength));
  return difference != 0 ? difference : length - otherLength;
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
/** The fields that describe a session. */
export const DESCRIPTION: u32 =
  Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY;
