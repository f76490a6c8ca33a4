/**
 * Judges what a server's answer accepts, and what it would be if a client's offers were accepted now. Everything that an
 * acceptance may mean is judged, and any of it refuses. Counts nothing and stores nothing.
 *
 * Cost: one look into the cache for each offer that is judged, one more if a session ID stands beside a ticket, and a look
 * for each thing that can refuse it (`refusal.ts`). Under `observe`: nothing.
 */
import { PeerAddress } from "../ports/peer_address";
import { Cache, isHeld, Lookup } from "../session/cache";
import { Kind, Known, Session } from "../session/record/session";
import { KeyState } from "../session/revocation/ticket_keys";
import { Enforcement } from "../session/settings/enforcement";
import { Accepted, Handshake, TICKET_OWNER } from "../tls/handshake";
import { AcceptedHandle } from "./accepted_handle";
import { describe, describeOffer } from "./description";
import { Offer } from "./offer";
import { isUnseen, Refusals, Verdict } from "./refusal";
import { Renewal } from "./renewal";

export class AnswerJudge {
  /** The handle that the last judged acceptance is attributed to. */
  handle: AcceptedHandle = AcceptedHandle.Untold;
  readonly renewal: Renewal;
  private readonly refusals: Refusals;
  private readonly session: Session = new Session();
  private readonly offer: Offer = new Offer();

  constructor(
    private readonly cache: Cache,
    /** Address of the server that has answered the current connection. */
    private readonly server: PeerAddress,
    /** Whether servers may decrypt encrypted hellos: then a PSK that is accepted behind one cannot be followed. */
    private readonly decryptsHellos: bool,
  ) {
    this.refusals = new Refusals(cache);
    this.renewal = new Renewal(cache);
  }

  /** While it is set, decisions of a fleet are awaited: an accepted session that the cache does not hold may be removed. */
  set awaitsDecisions(awaits: bool) {
    this.refusals.awaitsDecisions = awaits;
  }

  /** Judges all that an acceptance may mean, and sets `handle`. Needs `cache.readSettings` before. */
  judge(handshake: Handshake): Verdict {
    return this.explained(this.judgeAccepted(handshake));
  }

  /** Without `strict` no session is refused for being unknown, but one that nobody can look up yet may be removed. */
  private explained(verdict: Verdict): Verdict {
    const isStrict = this.cache.settings.enforcement == Enforcement.STRICT;
    return verdict == Verdict.NotHeld && !isStrict ? Verdict.Unfollowed : verdict;
  }

  private judgeAccepted(handshake: Handshake): Verdict {
    this.handle = AcceptedHandle.Untold;
    const isPsk = handshake.acceptedKind == Accepted.Psk;
    if (handshake.acceptedUnfollowed || (isPsk && this.hidesPsk(handshake))) return this.refusals.judgeUnfollowed();
    const owner = isPsk ? handshake.acceptedPskIndex : TICKET_OWNER;
    const verdict = this.judgeAllFurther(handshake, owner);
    if (verdict != Verdict.Resume) return verdict;
    const meansOne = !handshake.offers.isAmbiguous(owner);
    if (isPsk) return this.judgePsk(handshake, meansOne);
    if (handshake.acceptedKind == Accepted.Ticket)
      return this.judgeRenewal(handshake, this.judgeTicket(handshake, meansOne));
    this.handle = AcceptedHandle.SessionId;
    return this.judgeOffer(handshake, this.offer.sessionIdOf(handshake));
  }

  /** Whether any of a client's offers would be refused if a server accepted it now. */
  wouldRefuse(handshake: Handshake): bool {
    if (!this.enforces()) return false;
    const offers = handshake.offers;
    if (offers.unsure != 0 || !handshake.begun) return true;
    for (let i = 0; i < offers.furtherCount; i++) {
      if (this.judgeFurther(handshake, i) != Verdict.Resume) return true;
    }
    if (offers.pskCount > 0 && this.hidesPsk(handshake)) return true;
    for (let i = 0; i < offers.pskCount; i++) {
      const psk = this.offer.pskOf(handshake, i);
      if (psk.id == 0 || this.wouldRefuseOffer(handshake, psk)) return true;
    }
    if (offers.encryptedHello && this.wouldRefuseUnseen(handshake)) return true;
    if (offers.ticket.present) {
      if (this.wouldRefuseOffer(handshake, this.offer.ticketOf(handshake))) return true;
      if (this.renewal.mayMix(handshake)) return true;
      if (!offers.hasIdBesideTicket) return false;
    }
    return offers.sessionIdLength > 0 && this.wouldRefuseOffer(handshake, this.offer.sessionIdOf(handshake));
  }

  /** Whether early data stands behind a PSK that would be refused. */
  wouldRefuseEarlyData(handshake: Handshake): bool {
    return this.judgeEarlyData(handshake) != Verdict.Resume;
  }

  /** Judges the PSK that early data stands behind, the first identity (RFC 8446 4.2.10), as if a server accepted it now. */
  judgeEarlyData(handshake: Handshake): Verdict {
    const offers = handshake.offers;
    const isUnsure = offers.unsure != 0;
    if (!isUnsure && (!offers.earlyData || offers.pskCount == 0)) return Verdict.Resume;
    if (!this.enforces()) return Verdict.Resume;
    if (isUnsure || this.hidesPsk(handshake)) return Verdict.Unfollowed;
    const verdict = this.judgeAllFurther(handshake, 0);
    if (verdict != Verdict.Resume) return this.explained(verdict);
    return this.explained(this.judgeOffer(handshake, this.offer.pskOf(handshake, 0)));
  }

  /**
   * Whether a client offers a session that the cache neither holds nor refuses, as far as its hello can show that. An ID is
   * usually made up beside a ticket or PSK, and in a hello that offers TLS 1.3 (RFC 8446 D.4). Reads the settings.
   */
  offersUnheld(handshake: Handshake): bool {
    const offers = handshake.offers;
    if (offers.pskCount == 0 && !offers.ticket.present && (offers.tls13 || offers.sessionIdLength == 0)) return false;
    this.cache.readSettings();
    for (let i = 0; i < offers.pskCount; i++) {
      if (this.isAbsent(handshake, this.offer.pskOf(handshake, i), i)) return true;
    }
    if (offers.ticket.present) return this.isAbsent(handshake, this.offer.ticketOf(handshake), TICKET_OWNER);
    return !offers.tls13 && this.isAbsent(handshake, this.offer.sessionIdOf(handshake), NO_OWNER);
  }

  /** Reads the settings. */
  private enforces(): bool {
    this.cache.readSettings();
    return this.cache.settings.enforcement != Enforcement.OBSERVE;
  }

  private wouldRefuseUnseen(handshake: Handshake): bool {
    const session = describe(this.session, handshake);
    session.kind = Kind.PSK;
    return this.refusals.judgeUnseen(session) != Verdict.Resume;
  }

  private wouldRefuseOffer(handshake: Handshake, offer: Offer): bool {
    return this.judgeOffer(handshake, offer) != Verdict.Resume;
  }

  private judgeOffer(handshake: Handshake, offer: Offer): Verdict {
    return this.refusals.judge(describeOffer(this.session, handshake, offer));
  }

  private judgeFound(handshake: Handshake, offer: Offer, lookup: Lookup): Verdict {
    return this.refusals.judgeFound(describeOffer(this.session, handshake, offer), lookup);
  }

  private judgeAllFurther(handshake: Handshake, owner: i32): Verdict {
    const offers = handshake.offers;
    for (let i = 0; i < offers.furtherCount; i++) {
      if (offers.ownerOf(i) != owner) continue;
      const verdict = this.judgeFurther(handshake, i);
      if (verdict != Verdict.Resume) return verdict;
    }
    return Verdict.Resume;
  }

  /**
   * Judges an identity that may be meant as well. It is hardly a session at all if the offered one ends as a ticket does, or
   * if a server was seen to issue the offered one as it is: then only its removal counts. If the offered one was removed, that
   * is the reason for the refusal.
   */
  private judgeFurther(handshake: Handshake, index: i32): Verdict {
    const verdict = this.judgeOffer(handshake, this.offer.furtherOf(handshake, index));
    if (verdict == Verdict.Resume || verdict == Verdict.RemovedSession || verdict == Verdict.Unfollowed) return verdict;
    const owner = handshake.offers.ownerOf(index);
    if (!handshake.offers.isAmbiguous(owner)) return Verdict.Resume;
    const offer = owner == TICKET_OWNER ? this.offer.ticketOf(handshake) : this.offer.pskOf(handshake, owner);
    const lookup = this.lookUp(offer);
    if (lookup == Lookup.Removed) return Verdict.RemovedSession;
    return isHeld(lookup) && !isUnseen(this.cache.found, offer.kind) ? Verdict.Resume : verdict;
  }

  private judgePsk(handshake: Handshake, meansOne: bool): Verdict {
    const psk = this.offer.pskOf(handshake, handshake.acceptedPskIndex);
    if (meansOne || this.isHeldAlone(handshake, psk, handshake.acceptedPskIndex)) this.handle = AcceptedHandle.Psk;
    const accepted = describeOffer(this.session, handshake, psk.pskOf(handshake, handshake.acceptedPskIndex));
    return handshake.acceptedUnseen ? this.refusals.judgeUnseen(accepted) : this.refusals.judge(accepted);
  }

  private judgeTicket(handshake: Handshake, meansOne: bool): Verdict {
    const offer = this.offer;
    if (handshake.offers.hasIdBesideTicket) return this.judgeTicketBesideId(handshake, meansOne);
    if (meansOne) this.handle = AcceptedHandle.TicketForSure;
    else if (this.isHeldAlone(handshake, offer.ticketOf(handshake), TICKET_OWNER)) this.handle = AcceptedHandle.Ticket;
    return this.judgeOffer(handshake, offer.ticketOf(handshake));
  }

  /**
   * A ticket that is renewed for one of two sessions, and nobody can tell for which, would outlive the removal of either. No
   * client of its own accord offers the ID of one session beside the ticket of another.
   */
  private judgeRenewal(handshake: Handshake, verdict: Verdict): Verdict {
    if (verdict != Verdict.Resume || !handshake.renews || this.handle != AcceptedHandle.Untold) return verdict;
    return this.renewal.mayMix(handshake) ? this.refusals.judgeUnfollowed() : verdict;
  }

  private judgeTicketBesideId(handshake: Handshake, meansOne: bool): Verdict {
    const cache = this.cache;
    const offer = this.offer.ticketOf(handshake);
    const ticket = cache.read(offer.id, offer.idLength);
    const verdict = this.judgeFound(handshake, offer, ticket);
    if (verdict != Verdict.Resume) return verdict;
    const ticketHeld = isHeld(ticket);
    const name = ticketHeld ? cache.found.session : 0;
    // A server that issues tickets without IDs goes by tickets: an ID that is not held is then made up.
    const alone = ticketHeld && cache.found.alone && this.isOwnTicket(handshake);
    const meansTicket = ticketHeld && (meansOne || !this.isFurtherHeld(handshake, TICKET_OWNER));

    offer.sessionIdOf(handshake);
    const id = cache.read(offer.id, offer.idLength);
    const idHeld = isHeld(id);
    const sameSession = idHeld && name != 0 && cache.found.session == name;
    if (meansTicket && (!idHeld || sameSession)) this.handle = AcceptedHandle.Ticket;
    else if (meansOne && idHeld && !ticketHeld) this.handle = AcceptedHandle.SessionId;
    if (id == Lookup.Absent && alone) return Verdict.Resume;
    const verdictOfId = this.judgeFound(handshake, offer, id);
    // Nobody can tell whether this ID is any session's.
    return verdictOfId == Verdict.NotHeld && id == Lookup.Absent ? Verdict.Unfollowed : verdictOfId;
  }

  /**
   * Whether the server that has answered is the issuer of the ticket in `cache.found`, or shares its key. Asks the host only
   * if the verdict depends on it.
   */
  private isOwnTicket(handshake: Handshake): bool {
    if (!this.refusals.judgesUnheld()) return true;
    const found = this.cache.found;
    if (!found.knows(Known.UPSTREAM)) return false;
    const session = describe(this.session, handshake);
    session.readUpstream(this.server);
    if (found.isOfUpstream(session.upstream, session.upstreamLength)) return true;
    const key = handshake.offers.ticket.key;
    const row = key != 0 ? this.cache.ticketKeys.look(key) : null;
    return row != null && row.state == KeyState.SHARED;
  }

  /**
   * Whether an identity is held as it was offered, and no part of it that may be meant as well is. The end of one in 400
   * tickets of OpenSSL looks like bytes behind a shorter ticket.
   */
  private isHeldAlone(handshake: Handshake, offer: Offer, owner: i32): bool {
    return this.isHeld(offer) && !this.isFurtherHeld(handshake, owner);
  }

  private isFurtherHeld(handshake: Handshake, owner: i32): bool {
    const offers = handshake.offers;
    for (let i = 0; i < offers.furtherCount; i++) {
      if (offers.ownerOf(i) == owner && this.isHeld(this.offer.furtherOf(handshake, i))) return true;
    }
    return false;
  }

  private isHeld(offer: Offer): bool {
    return isHeld(this.lookUp(offer));
  }

  /** Nobody can look up an identity that was not hashed. */
  private lookUp(offer: Offer): Lookup {
    return offer.id == 0 ? Lookup.Unavailable : this.cache.read(offer.id, offer.idLength);
  }

  /** Whether the cache knows nothing of an offer, nor of an identity of its owner that may be meant as well. */
  private isAbsent(handshake: Handshake, offer: Offer, owner: i32): bool {
    // Nobody can look up an identity that was not hashed: its acceptance is refused.
    if (offer.id == 0 || this.cache.read(offer.id, offer.idLength) != Lookup.Absent) return false;
    const offers = handshake.offers;
    for (let i = 0; i < offers.furtherCount; i++) {
      if (offers.ownerOf(i) != owner) continue;
      const further = offer.furtherOf(handshake, i);
      if (further.id != 0 && this.cache.read(further.id, further.idLength) != Lookup.Absent) return false;
    }
    return true;
  }

  /** Whether the hello that counts may be an encrypted one, in which nobody here sees the accepted PSK. */
  private hidesPsk(handshake: Handshake): bool {
    return this.decryptsHellos && handshake.offers.encryptedHello;
  }
}

/** The owner of no further identity: that of a session ID. */
const NO_OWNER: i32 = -2;
