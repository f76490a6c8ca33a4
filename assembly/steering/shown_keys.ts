/** The names of ticket keys in a handshake, and the rows that the cache has of them. Allocates nothing. */
import { AcceptedHandle } from "../resumption/accepted_handle";
import { KeyState, TicketKeys } from "../session/revocation/ticket_keys";
import { Handshake } from "../tls/handshake";
import { HostTokens } from "./hosts/tokens";

/** The key name of the first ticket or identity, 0 if it has none. */
export function offeredKey(handshake: Handshake): usize {
  if (handshake.offeredPskCount > 0) return handshake.pskKey(0);
  return handshake.offeredTicket ? handshake.offeredTicketKey : 0;
}

/** The key name of the ticket or identity that was accepted for certain; else 0. */
export function acceptedKey(handshake: Handshake, handle: AcceptedHandle): usize {
  if (handle == AcceptedHandle.Psk) return handshake.pskKey(handshake.acceptedPskIndex);
  return handle == AcceptedHandle.TicketForSure ? handshake.offeredTicketKey : 0;
}

/** Whether a key's state comes from a server that held it: neither from the operator nor from a removal. */
export function wasSeen(state: u8): bool {
  return state == KeyState.LEARNED || state == KeyState.SHARED;
}

export class ShownKeys {
  constructor(
    private readonly ticketKeys: TicketKeys,
    private readonly tokens: HostTokens,
  ) {}

  /** State of a key name, 0 if it is 0 or not known. Its row is then the one of `upstream`. */
  stateOf(key: usize): u8 {
    if (key == 0) return 0;
    const row = this.ticketKeys.look(key);
    return row ? row.state : 0;
  }

  /** Whether the row of the last `stateOf` names an upstream. */
  get hasUpstream(): bool {
    const row = this.ticketKeys.row;
    return row != null && row.upstreamLength != 0;
  }

  /** Number of the upstream in the row of the last `stateOf`, -1 if it names none or one without a number. */
  get upstream(): i32 {
    const row = this.ticketKeys.row;
    return row && row.upstreamLength != 0 ? this.tokens.numberOf(row.upstream, row.upstreamLength) : -1;
  }
}
