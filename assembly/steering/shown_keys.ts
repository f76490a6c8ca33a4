/** The names of ticket keys in a handshake, and the rows that the cache has of them. Allocates nothing. */
import { AcceptedHandle } from "../resumption/accepted_handle";
import { Offer } from "../resumption/offer";
import { Kind } from "../session/record/session";
import { KeyState, TicketKeys } from "../session/revocation/ticket_keys";
import { Handshake } from "../tls/handshake";
import { HostTokens } from "./hosts/tokens";

/** Whether a key's state comes from a server that held it: neither from the operator nor from a removal. */
export function wasSeen(state: u8): bool {
  return state == KeyState.LEARNED || state == KeyState.SHARED;
}

export class ShownKeys {
  private readonly offer: Offer = new Offer();

  constructor(
    private readonly ticketKeys: TicketKeys,
    private readonly tokens: HostTokens,
  ) {}

  /** The key name of the first ticket or identity, 0 if it has none. */
  offeredKey(handshake: Handshake): usize {
    return this.offer.firstOf(handshake).key;
  }

  /** The key name of the ticket or identity that was accepted for certain; else 0. */
  acceptedKey(handshake: Handshake, handle: AcceptedHandle): usize {
    const isCertain = handle == AcceptedHandle.Psk || handle == AcceptedHandle.TicketForSure;
    return isCertain ? this.offer.acceptedOf(handshake, handle).key : 0;
  }

  /** Whether an accepted offer finds its way without its source: it has a session ID, or a key name that is known. */
  leadsBack(handshake: Handshake): bool {
    const offer = this.offer.firstOf(handshake);
    return offer.kind == Kind.ID || this.stateOf(offer.key) != 0;
  }

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
