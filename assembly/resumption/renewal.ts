/**
 * The session of a renewed ticket, if nobody can tell which of the offered handles its server has accepted: the ticket, part
 * of it, or the ID beside it (`accepted_handle.ts`). Each of them that the cache holds may be the one, so the new ticket must
 * be refused when any of them is removed.
 *
 * Handles of one session share a name (`graves.ts`), and the new ticket takes it. Handles of two sessions cannot give it
 * both names: such a renewal is refused (`answer_judge.ts`).
 *
 * Cost: a look into the cache for each such handle, and for `join` a write for each that has no name yet. Nothing allocates.
 */
import { Cache, isHeld } from "../session/cache";
import { Known, MAX_ID_LENGTH, Session } from "../session/record/session";
import { Handshake, TICKET_OWNER } from "../tls/handshake";
import { Offer } from "./offer";

export class Renewal {
  private readonly offer: Offer = new Offer();
  private readonly session: Session = new Session();
  /** Of the last `look`: the name of the first held handle, 0 if it has none. */
  private name: u64 = 0;
  /** Its place among the candidates, -1 if none is held. */
  private first: i32 = -1;
  /** Whether all held handles have that name, or all of them have none. */
  private agree: bool = true;

  constructor(private readonly cache: Cache) {}

  /** Whether the cache holds handles of two sessions among those that a server may accept with a ticket. */
  mayMix(handshake: Handshake): bool {
    const offers = handshake.offers;
    if (!offers.hasIdBesideTicket && !offers.isAmbiguous(TICKET_OWNER)) return false;
    this.look(handshake);
    return !this.agree;
  }

  /**
   * Gives all held handles that may have been accepted the name of their session, and returns it, for the new ticket. If they
   * are of two sessions, which only `observe` lets through, the first decides alone; if none is held, the ticket, which is not
   * learned for that. Needs `cache.readSettings` before.
   */
  join(handshake: Handshake): u64 {
    this.look(handshake);
    if (this.first < 0) return this.cache.sessionName(handshake.offers.ticket.hash, MAX_ID_LENGTH);
    const last = this.agree ? candidates(handshake) - 1 : this.first;
    let name = this.name;
    for (let i = this.first; i <= last; i++) {
      const offer = this.candidate(handshake, i);
      if (!offer || !this.isHeld(offer)) continue;
      if (name == 0) name = this.cache.sessionName(offer.id, offer.idLength);
      this.cache.nameHandle(this.named(offer, name));
    }
    return name;
  }

  private look(handshake: Handshake): void {
    this.name = 0;
    this.first = -1;
    this.agree = true;
    const count = candidates(handshake);
    for (let i = 0; i < count; i++) {
      const offer = this.candidate(handshake, i);
      if (!offer || !this.isHeld(offer)) continue;
      const name = this.cache.found.session;
      if (this.first < 0) {
        this.first = i;
        this.name = name;
      } else if (name != this.name) {
        this.agree = false;
      }
    }
  }

  private named(offer: Offer, name: u64): Session {
    const handle = this.session;
    handle.clear();
    handle.id = offer.id;
    handle.idLength = offer.idLength;
    handle.session = name;
    handle.known = Known.SESSION;
    return handle;
  }

  private isHeld(offer: Offer): bool {
    return isHeld(this.cache.read(offer.id, offer.idLength));
  }

  /** The ticket, then what else it may mean, then the ID; null if there is none at a place, or it was not hashed. */
  private candidate(handshake: Handshake, index: i32): Offer | null {
    const offers = handshake.offers;
    const offer = this.offer;
    if (index == 0) offer.ticketOf(handshake);
    else if (index <= offers.furtherCount) {
      if (offers.ownerOf(index - 1) != TICKET_OWNER) return null;
      offer.furtherOf(handshake, index - 1);
    } else if (offers.hasIdBesideTicket) offer.sessionIdOf(handshake);
    else return null;
    return offer.id != 0 ? offer : null;
  }
}

function candidates(handshake: Handshake): i32 {
  return handshake.offers.furtherCount + 2;
}
