/**
 * Tickets and PSK identities of which the filter can tell which one they are.
 *
 * One in some 400 tickets of OpenSSL looks by chance like a shorter ticket of RFC 5077 with bytes behind it
 * (`assembly/tls/ticket/identity_reader.ts`). If a server accepts such a one that the cache does not hold, the acceptance counts as
 * nobody's: neither a hit nor a miss, and nothing is learned.
 */
import { sessionOf } from "./ssl_session.ts";

/** Whether a session, as OpenSSL writes it, has a plain ticket or none. */
export function isPlainSession(der: Buffer): boolean {
  const { ticket } = sessionOf(der);
  return ticket === null || isPlainTicket(ticket);
}

/** Whether a ticket has another form, or ends where that form does. */
export function isPlainTicket(ticket: Uint8Array): boolean {
  if (ticket.length < PREFIX_SIZE) return true;
  const stateLength = ((ticket[STATE_LENGTH_OFFSET] ?? 0) << 8) | (ticket[STATE_LENGTH_OFFSET + 1] ?? 0);
  const behind = MAC_SIZES.map((macSize) => ticket.length - PREFIX_SIZE - stateLength - macSize);
  return behind.includes(0) || behind.every((bytes) => bytes < 0);
}

const PREFIX_SIZE = 34;
const STATE_LENGTH_OFFSET = 32;
const MAC_SIZES = [20, 32];
