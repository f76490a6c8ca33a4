/**
 * What an observed handshake means for the cache: which offered session was accepted or declined, whether it may resume,
 * and which session was issued. It is told what happened by the state machine of `tls/handshake.ts` and never touches
 * the traffic itself.
 *
 * A session is stored when its handshake completes, never earlier: half-made handshakes cannot fill the cache. The one
 * exception is a TLS 1.3 PSK, which is stored at its acceptance: its binder has proved the client (RFC 8446 4.2.11.2).
 * A session ID that a client offers beside TLS 1.3 may be made up for middleboxes (RFC 8446 D.4): not accepted, it
 * counts only where the cache knows it, and in TLS 1.3 it says nothing at all. The same holds of an ID in a hello that asks for a ticket,
 * where the server is going to issue one: Go makes one up for each hello, and a server that issues tickets has few sessions by ID.
 *
 * What is offered is counted once a server has answered, as only then it can be told from what was made up. Whether it
 * was accepted is decided with the answer; a resumption of TLS 1.2 counts when the handshake completes.
 *
 * Whatever may be meant by an acceptance is judged, and any of it refuses. What is learned from it is less: only what nothing else
 * explains (`accepted_handle.ts`), so that nobody makes the cache believe what they have made up.
 *
 * Cost: nothing until the ServerHello; then at most two operations on the cache, one more where a session ID stands beside a ticket, and
 * a look for each thing by which an accepted session can be refused, or for the key name of a declined ticket that is not
 * held. Who has answered is asked for only where it tells something: of a session that is held with its issuer and accepted,
 * only to find out whether servers share its ticket key, and then not each time.
 */
import { PeerAddress } from "../ports/peer_address";
import { Accepted, Handshake } from "../tls/handshake";
import { Version } from "../tls/wire/protocol";
import { AcceptedHandle } from "./accepted_handle";
import { Cache, Lookup } from "../session/cache";
import { Enforcement } from "../session/settings/enforcement";
import { causeOf, isUnseen, Refusals, Verdict } from "./refusal";
import { Kind, Known, Session } from "../session/record/session";
import { Fate, fullByKind, handshakes, Metric, offered, Outcome, resumptions } from "../session/counting/statistics";
import { KeyState } from "../session/revocation/ticket_keys";

export class Observation {
  /**
   * Of the server's answer that was looked at last: what was offered to it, a `Kind`, or 0 for nothing; its ID (0 where it
   * is not known), which is valid as long as the handshake; and its `Fate`, where it has one already.
   */
  offeredKind: u8 = 0;
  offeredId: usize = 0;
  offeredIdLength: i32 = 0;
  fate: i32 = Fate.ACCEPTED;
  /**
   * Of the answer that is going to be looked at, to be set before: an `EventCause` if its connection was steered away from the issuer of
   * what its client offers first, as that would be refused there, and another server has answered; else 0.
   */
  diversion: u8 = 0;
  /** What that answer's acceptance is put down to. */
  handle: AcceptedHandle = AcceptedHandle.Untold;
  private readonly session: Session = new Session();
  private readonly refusals: Refusals;

  constructor(
    private readonly cache: Cache,
    /** Of the server that has answered the connection at hand. */
    private readonly server: PeerAddress,
    /** Whether servers may decrypt encrypted hellos: then a PSK that is accepted behind one cannot be followed. */
    private readonly decryptsHellos: bool,
    /** Of the client of the connection at hand; asked only if something is refused, or declined by its issuer. */
    private readonly client: PeerAddress | null = null,
  ) {
    this.refusals = new Refusals(cache, cache.ticketKeys, cache.revocations);
  }

  /** A first ClientHello was seen whole. */
  clientHello(): void {
    this.cache.metrics.increase(Metric.ACCEPT, 1);
  }

  /**
   * The server's answer has come. Answers whether what it accepts may resume; what may not is counted as refused, and as
   * nothing else. Where it is too late to refuse (`refusable` false) everything may. `sampled`: it is this connection's
   * turn to find out who has answered, also where nothing new is to be expected.
   */
  serverHello(handshake: Handshake, refusable: bool, sampled: bool): Verdict {
    this.offeredKind = 0;
    this.handle = AcceptedHandle.Untold;
    if (handshake.acceptedKind == Accepted.None) {
      this.declined(handshake);
      return Verdict.Resume;
    }
    this.cache.readSettings();
    let verdict = this.judge(handshake);
    if (!refusable) verdict = Verdict.Resume;
    const accepted = this.accepted(handshake, this.handle);
    this.offer(accepted.kind, accepted.id, accepted.idLength);
    if (verdict != Verdict.Resume) this.refuse(accepted, verdict);
    else if (accepted.kind == Kind.PSK) this.pskAccepted(accepted, sampled);
    return verdict;
  }

  /** The server's answer could not be held back until it was whole, and it may accept what must not resume. */
  refuseUndecided(handshake: Handshake): Verdict {
    this.cache.readSettings();
    this.handle = AcceptedHandle.Untold;
    const first = this.firstOffer(handshake);
    this.offer(first.kind, first.id, first.idLength);
    this.refuse(first, Verdict.Unfollowed);
    return Verdict.Unfollowed;
  }

  /** Whether anything that the client offers would be refused, were it accepted now. Counts nothing. */
  wouldRefuse(handshake: Handshake): bool {
    this.cache.readSettings();
    if (this.cache.settings.enforcement == Enforcement.OBSERVE) return false;
    if (handshake.offers.unsure != 0 || !handshake.begun) return true;
    for (let i = 0; i < handshake.offers.furtherCount; i++) {
      if (this.judgeFurther(handshake, i) != Verdict.Resume) return true;
    }
    const identities = handshake.offers.pskCount;
    if (identities > 0 && this.hidesPsk(handshake)) return true;
    for (let i = 0; i < identities; i++) {
      const id = handshake.offers.pskHash(i);
      if (id == 0 || this.wouldRefuseOne(handshake, Kind.PSK, id, HASH_LENGTH, handshake.offers.pskKey(i))) return true;
    }
    if (handshake.offers.encryptedHello && this.wouldRefuseUnseen(handshake)) return true;
    if (handshake.offers.ticket.present) {
      const key = handshake.offers.ticket.key;
      if (this.wouldRefuseOne(handshake, Kind.TICKET, handshake.offers.ticket.hash, HASH_LENGTH, key)) return true;
      if (!handshake.offers.hasIdBesideTicket) return false;
    }
    if (handshake.offers.sessionIdLength == 0) return false;
    return this.wouldRefuseOne(handshake, Kind.ID, handshake.offers.sessionId, handshake.offers.sessionIdLength, 0);
  }

  /** What a client offers first, as a resumption of it would be judged; its ID is 0 long where it offers nothing. */
  firstOffer(handshake: Handshake): Session {
    if (handshake.offers.pskCount > 0) {
      return this.describeOffer(
        handshake,
        Kind.PSK,
        handshake.offers.pskHash(0),
        HASH_LENGTH,
        handshake.offers.pskKey(0),
      );
    }
    if (handshake.offers.ticket.present) {
      const key = handshake.offers.ticket.key;
      return this.describeOffer(handshake, Kind.TICKET, handshake.offers.ticket.hash, HASH_LENGTH, key);
    }
    return this.describeOffer(handshake, Kind.ID, handshake.offers.sessionId, handshake.offers.sessionIdLength, 0);
  }

  /**
   * Whether early data has to be dropped, as it stands behind a PSK that would be refused: it belongs to the first
   * identity (RFC 8446 4.2.10). It is no refusal yet: that comes if a server accepts the PSK.
   */
  dropsEarlyData(handshake: Handshake): bool {
    const unsure = handshake.offers.unsure != 0;
    if (!unsure && (!handshake.offers.earlyData || handshake.offers.pskCount == 0)) return false;
    this.cache.readSettings();
    if (this.cache.settings.enforcement == Enforcement.OBSERVE) return false;
    return unsure || this.hidesPsk(handshake) || this.wouldRefusePsk(handshake, 0);
  }

  private wouldRefusePsk(handshake: Handshake, index: i32): bool {
    for (let i = 0; i < handshake.offers.furtherCount; i++) {
      if (handshake.offers.ownerOf(i) == index && this.judgeFurther(handshake, i) != Verdict.Resume) return true;
    }
    return this.wouldRefuseOne(
      handshake,
      Kind.PSK,
      handshake.offers.pskHash(index),
      HASH_LENGTH,
      handshake.offers.pskKey(index),
    );
  }

  private wouldRefuseUnseen(handshake: Handshake): bool {
    const session = this.describe(handshake);
    session.kind = Kind.PSK;
    return this.refusals.judgeUnseen(session) != Verdict.Resume;
  }

  private wouldRefuseOne(handshake: Handshake, kind: u8, id: usize, idLength: i32, key: usize): bool {
    return this.judgeOffer(handshake, kind, id, idLength, key) != Verdict.Resume;
  }

  private judgeOffer(handshake: Handshake, kind: u8, id: usize, idLength: i32, key: usize): Verdict {
    return this.refusals.judge(this.describeOffer(handshake, kind, id, idLength, key));
  }

  private describeOffer(handshake: Handshake, kind: u8, id: usize, idLength: i32, key: usize): Session {
    const session = this.describe(handshake);
    session.kind = kind;
    session.id = id;
    session.idLength = id != 0 ? idLength : 0;
    this.addTicketKey(key);
    return session;
  }

  /** The handshake is complete; `sampled` and `handle` as for its ServerHello. */
  complete(handshake: Handshake, handle: AcceptedHandle, sampled: bool): void {
    this.cache.metrics.increase(Metric.ACCEPT_GOOD, 1);
    if (handshake.answer.version == Version.TLS13) {
      if (handshake.resumed) this.cache.metrics.increase(handshakes(handshake.answer.version, Outcome.RESUMED_PSK), 1);
      else this.countFull(handshake, Outcome.FULL);
      return;
    }
    // What was held is known to be so since the ServerHello, and what is new is looked at again.
    if (handshake.resumed && !handshake.tickets.ticket.present) this.cache.readSettingsOfLate();
    else this.cache.readSettings();
    if (handshake.resumed) this.resumed(handshake, handle, sampled);
    else this.issued(handshake);
  }

  /**
   * Its watching has ended, and nothing was refused. What has begun and is not complete has failed; where the server may have taken
   * something up, `offeredKind` says what, else it is 0.
   */
  ended(handshake: Handshake, handle: AcceptedHandle): void {
    if (!handshake.begun || handshake.completed) return;
    this.offeredKind = 0;
    this.cache.metrics.increase(Metric.FAILED, 1);
    if (handshake.resumed && handshake.acceptedKind != Accepted.Psk) {
      this.count(acceptedKindOf(handshake, handle), Fate.FAILED);
    } else if (handshake.mayResume) {
      const kind = handshake.offers.ticket.present ? Kind.TICKET : Kind.ID;
      if (kind == Kind.TICKET) this.offer(kind, handshake.offers.ticket.hash, HASH_LENGTH);
      else this.offer(kind, handshake.offers.sessionId, handshake.offers.sessionIdLength);
      this.count(kind, Fate.FAILED);
    }
  }

  private offer(kind: u8, id: usize, idLength: i32): void {
    this.offeredKind = kind;
    this.offeredId = id;
    this.offeredIdLength = idLength;
    // What TLS 1.2 has accepted is decided at its end.
    this.fate = Fate.ACCEPTED;
    this.cache.metrics.increase(offered(kind), 1);
  }

  private count(kind: u8, fate: i32): void {
    this.fate = fate;
    this.cache.metrics.increase(resumptions(kind, fate), 1);
  }

  private refuse(accepted: Session, verdict: Verdict): void {
    this.count(accepted.kind, Fate.REFUSED);
    accepted.tellUpstream(this.server);
    this.cache.refused(accepted.id, accepted.idLength, causeOf(verdict), accepted, this.client);
  }

  /** Judges all that may be meant by an acceptance, and fills in `handle`. */
  private judge(handshake: Handshake): Verdict {
    if (handshake.acceptedUnfollowed) return this.refusals.judgeUnfollowed();
    const psk = handshake.acceptedKind == Accepted.Psk;
    if (psk && this.hidesPsk(handshake)) return this.refusals.judgeUnfollowed();
    const owner = psk ? handshake.acceptedPskIndex : -1;
    for (let i = 0; i < handshake.offers.furtherCount; i++) {
      if (handshake.offers.ownerOf(i) != owner) continue;
      const verdict = this.judgeFurther(handshake, i);
      if (verdict != Verdict.Resume) return verdict;
    }
    const meansOne = !handshake.offers.isAmbiguous(owner);
    if (psk) return this.judgePsk(handshake, meansOne);
    if (handshake.acceptedKind == Accepted.Ticket) return this.judgeTicket(handshake, meansOne);
    this.handle = AcceptedHandle.SessionId;
    return this.refusals.judge(this.accepted(handshake, AcceptedHandle.SessionId));
  }

  /**
   * Judges an identity that may be meant as well. If the one that was offered ends as a ticket does, or if a server was seen to issue it
   * as it is, this one is hardly a session at all: only its removal counts.
   */
  private judgeFurther(handshake: Handshake, index: i32): Verdict {
    const owner = handshake.offers.ownerOf(index);
    const kind = owner < 0 ? Kind.TICKET : Kind.PSK;
    const verdict = this.judgeOffer(handshake, kind, handshake.offers.further(index).hash, HASH_LENGTH, 0);
    if (verdict == Verdict.Resume || verdict == Verdict.RemovedSession || verdict == Verdict.Unfollowed) return verdict;
    return handshake.offers.isAmbiguous(owner) && !this.wasIssued(handshake, owner) ? verdict : Verdict.Resume;
  }

  /** Whether the cache holds an offered identity, whole as it is, and knows of its issue; `owner` as for `isAmbiguous`. */
  private wasIssued(handshake: Handshake, owner: i32): bool {
    const id = owner < 0 ? handshake.offers.ticket.hash : handshake.offers.pskHash(owner);
    return this.isHeld(id) && !isUnseen(this.cache.found, owner < 0 ? Kind.TICKET : Kind.PSK);
  }

  private judgePsk(handshake: Handshake, meansOne: bool): Verdict {
    const index = handshake.acceptedPskIndex;
    if (meansOne || this.isHeldAlone(handshake, handshake.offers.pskHash(index), index))
      this.handle = AcceptedHandle.Psk;
    const accepted = this.accepted(handshake, AcceptedHandle.Psk);
    return handshake.acceptedUnseen ? this.refusals.judgeUnseen(accepted) : this.refusals.judge(accepted);
  }

  /**
   * Whether an identity is held as it was offered, and none that a part of it could be: the end of one in 400 tickets of OpenSSL looks like
   * bytes behind a shorter one.
   */
  private isHeldAlone(handshake: Handshake, id: usize, owner: i32): bool {
    if (!this.isHeld(id)) return false;
    for (let i = 0; i < handshake.offers.furtherCount; i++) {
      if (handshake.offers.ownerOf(i) == owner && this.isHeld(handshake.offers.further(i).hash)) return false;
    }
    return true;
  }

  private isHeld(id: usize): bool {
    if (id == 0) return false;
    const lookup = this.cache.look(id, HASH_LENGTH);
    return lookup == Lookup.Found || lookup == Lookup.Expired;
  }

  private judgeTicket(handshake: Handshake, meansOne: bool): Verdict {
    if (!handshake.offers.hasIdBesideTicket) {
      if (meansOne) this.handle = AcceptedHandle.TicketForSure;
      else if (this.isHeldAlone(handshake, handshake.offers.ticket.hash, -1)) this.handle = AcceptedHandle.Ticket;
      return this.refusals.judge(this.accepted(handshake, AcceptedHandle.Ticket));
    }
    const cache = this.cache;
    const ticket = cache.look(handshake.offers.ticket.hash, HASH_LENGTH);
    const verdict = this.refusals.judgeLooked(this.accepted(handshake, AcceptedHandle.Ticket), ticket);
    if (verdict != Verdict.Resume) return verdict;
    const ticketHeld = ticket == Lookup.Found || ticket == Lookup.Expired;
    const name = ticketHeld ? cache.found.session : 0;
    // A server that issues tickets without IDs goes by tickets: then the ID is made up, and not one that is not held.
    const alone = ticketHeld && cache.found.alone && this.isOwnTicket(handshake);

    const id = cache.look(handshake.offers.sessionId, handshake.offers.sessionIdLength);
    const idHeld = id == Lookup.Found || id == Lookup.Expired;
    const sameSession = idHeld && name != 0 && cache.found.session == name;
    if (meansOne && ticketHeld && (!idHeld || sameSession)) this.handle = AcceptedHandle.Ticket;
    else if (meansOne && idHeld && !ticketHeld) this.handle = AcceptedHandle.SessionId;
    if (id == Lookup.Absent && alone) return Verdict.Resume;
    const verdictOfId = this.refusals.judgeLooked(this.accepted(handshake, AcceptedHandle.SessionId), id);
    // Nobody can tell whether this ID is any session's.
    return verdictOfId == Verdict.NotHeld && id == Lookup.Absent ? Verdict.Unfollowed : verdictOfId;
  }

  /**
   * Whether the server that has answered is the one that has issued the ticket in `cache.found`, or one that shares its key. Asked only
   * where it decides anything.
   */
  private isOwnTicket(handshake: Handshake): bool {
    if (!this.refusals.asksForUnheld()) return true;
    const found = this.cache.found;
    if (!found.knows(Known.UPSTREAM)) return false;
    const session = this.describe(handshake);
    session.tellUpstream(this.server);
    if (!differs(found.upstream, found.upstreamLength, session.upstream, session.upstreamLength)) return true;
    const key = handshake.offers.ticket.key;
    const row = key != 0 ? this.cache.ticketKeys.look(key) : null;
    return row != null && row.state == KeyState.SHARED;
  }

  /** Whether the hello that counts may be an encrypted one, in which nobody here sees the PSK that was accepted. */
  private hidesPsk(handshake: Handshake): bool {
    return this.decryptsHellos && handshake.offers.encryptedHello;
  }

  private pskAccepted(accepted: Session, sampled: bool): void {
    this.count(Kind.PSK, Fate.ACCEPTED);
    if (accepted.id == 0 || this.handle != AcceptedHandle.Psk) return;
    this.repeatTicketKey(accepted, sampled);
    this.cache.resume(accepted, this.server);
  }

  /** What a client offered first decides: later identities neither count nor refuse. */
  private declined(handshake: Handshake): void {
    let kind: u8 = Kind.ID;
    let id: usize = 0;
    let idLength = HASH_LENGTH;
    let key: usize = 0;
    let certain = true;
    if (handshake.offers.pskCount > 0) {
      kind = Kind.PSK;
      id = handshake.offers.pskHash(0);
      key = handshake.offers.pskKey(0);
    } else if (handshake.offers.ticket.present) {
      kind = Kind.TICKET;
      id = handshake.offers.ticket.hash;
      key = handshake.offers.ticket.key;
    } else if (handshake.offers.sessionIdLength > 0 && handshake.answer.version != Version.TLS13) {
      id = handshake.offers.sessionId;
      idLength = handshake.offers.sessionIdLength;
      certain = !handshake.offers.tls13 && !(handshake.offers.asksForTicket && handshake.answer.promisesTicket);
    }
    if (id == 0) return;
    const diversion = this.diversion;
    if (diversion != 0) {
      // Counts as refused does: as nothing else, whatever the cache holds of it.
      this.offer(kind, id, idLength);
      this.count(kind, Fate.DIVERTED);
      this.cache.diverted(id, idLength, diversion);
      return;
    }
    this.cache.readSettings();
    const session = this.describe(handshake);
    session.tellUpstream(this.server);
    const upstream = session.upstream;
    const upstreamLength = session.upstreamLength;
    const lookup = this.cache.decline(id, idLength, upstream, upstreamLength, certain);
    if (lookup == Lookup.Absent && !certain) return;
    this.offer(kind, id, idLength);
    this.count(kind, this.isLost(lookup, key, upstream, upstreamLength) ? Fate.LOST : Fate.DECLINED);
  }

  /**
   * Whether what an upstream has declined is known to be another one's that resumes: by its record, or by its ticket key's name. What is
   * its own is noted.
   */
  private isLost(lookup: Lookup, key: usize, upstream: usize, upstreamLength: i32): bool {
    if (upstreamLength <= 0 || lookup == Lookup.Expired || lookup == Lookup.Removed) return false;
    const found = this.cache.found;
    if (lookup == Lookup.Found && found.knows(Known.UPSTREAM)) {
      return this.isLostOf(found.upstream, found.upstreamLength, upstream, upstreamLength);
    }
    if (key == 0) return false;
    const row = this.cache.ticketKeys.look(key);
    if (!row || (row.state != KeyState.LEARNED && row.state != KeyState.TOLD)) return false;
    return this.isLostOf(row.upstream, row.upstreamLength, upstream, upstreamLength);
  }

  private isLostOf(issuer: usize, issuerLength: i32, upstream: usize, upstreamLength: i32): bool {
    const issuers = this.cache.issuers;
    if (differs(issuer, issuerLength, upstream, upstreamLength)) return !issuers.neverResumes(issuer, issuerLength);
    issuers.declined(upstream, upstreamLength, this.client);
    return false;
  }

  private resumed(handshake: Handshake, handle: AcceptedHandle, sampled: bool): void {
    const kind = acceptedKindOf(handshake, handle);
    this.count(kind, Fate.ACCEPTED);
    const outcome = kind == Kind.TICKET ? Outcome.RESUMED_TICKET : Outcome.RESUMED_ID;
    this.cache.metrics.increase(handshakes(handshake.answer.version, outcome), 1);
    const renewed = handshake.tickets.ticket.present;
    let name: u64 = 0;
    let alone = false;
    if (handle != AcceptedHandle.Untold) {
      const session = this.accepted(handshake, handle);
      if (handle == AcceptedHandle.TicketForSure) this.repeatTicketKey(session, sampled);
      if (renewed) {
        name = this.cache.sessionName(session.id, session.idLength);
        session.session = name;
        session.known |= Known.SESSION;
      }
      const sure = handle == AcceptedHandle.TicketForSure || handshake.acceptedKind != Accepted.Ticket;
      const lookup = this.cache.resume(session, this.server, sure);
      const found = this.cache.found;
      if (renewed && lookup != Lookup.Absent && lookup != Lookup.Unavailable) {
        alone = found.alone;
        // Also that of a session which was removed meanwhile: what it renews is refused with it.
        if (found.session != 0) name = found.session;
      }
    } else if (renewed && handshake.offers.ticket.present) {
      name = this.cache.sessionName(handshake.offers.ticket.hash, HASH_LENGTH);
    }
    if (renewed) this.issueTicket(handshake, name, alone);
  }

  /**
   * What was accepted, put down to a handle; where it cannot be told, to what a client offers first. Its ID is 0 where it is
   * one that is not followed.
   */
  private accepted(handshake: Handshake, handle: AcceptedHandle): Session {
    const session = this.describe(handshake);
    session.idLength = HASH_LENGTH;
    session.kind = acceptedKindOf(handshake, handle);
    if (session.kind == Kind.PSK) {
      session.id = handshake.offers.pskHash(handshake.acceptedPskIndex);
      this.addTicketKey(handshake.offers.pskKey(handshake.acceptedPskIndex));
    } else if (session.kind == Kind.TICKET) {
      session.id = handshake.offers.ticket.hash;
      this.addTicketKey(handshake.offers.ticket.key);
    } else {
      session.id = handshake.offers.sessionId;
      session.idLength = handshake.offers.sessionIdLength;
    }
    if (session.id == 0) session.idLength = 0;
    return session;
  }

  /** A full handshake that issues an ID and a ticket makes two handles of one session. */
  private issued(handshake: Handshake): void {
    const idLength = handshake.issuedIdLength;
    let issued: i32 = Outcome.FULL;
    let name: u64 = 0;
    if (handshake.tickets.ticket.present) {
      issued = Outcome.RESUMED_TICKET;
      if (idLength > 0) name = this.cache.sessionName(handshake.tickets.ticket.hash, HASH_LENGTH);
      this.issueTicket(handshake, name, idLength == 0);
    } else if (idLength > 0) {
      issued = Outcome.RESUMED_ID;
    }
    if (idLength > 0) {
      const session = this.describe(handshake);
      session.kind = Kind.ID;
      session.id = handshake.issuedId;
      session.idLength = idLength;
      this.learn(session, name);
    }
    this.countFull(handshake, issued);
  }

  private issueTicket(handshake: Handshake, name: u64, alone: bool): void {
    const session = this.describe(handshake);
    session.kind = Kind.TICKET;
    session.id = handshake.tickets.ticket.hash;
    session.idLength = HASH_LENGTH;
    session.alone = alone;
    this.addTicketKey(handshake.tickets.ticket.key);
    const hint = handshake.tickets.lifetimeHintSeconds;
    // A hint of 0 leaves the lifetime to the client (RFC 5077 3.3): here, the cache's own timeout holds.
    if (hint != 0) {
      session.timeoutSeconds = hint > LONGEST_HINT_SECONDS ? LONGEST_HINT_SECONDS : hint;
      session.known |= Known.TIMEOUT;
    }
    this.learn(session, name);
  }

  private learn(session: Session, name: u64): void {
    if (name != 0) {
      session.session = name;
      session.known |= Known.SESSION;
    }
    session.tellUpstream(this.server);
    this.learnTicketKey(session);
    this.cache.learn(session);
  }

  private countFull(handshake: Handshake, issued: i32): void {
    this.cache.metrics.increase(handshakes(handshake.answer.version, Outcome.FULL), 1);
    this.cache.metrics.increase(fullByKind(issued), 1);
  }

  /** What every session of a handshake has in common. */
  private describe(handshake: Handshake): Session {
    const session = this.session;
    session.clear();
    session.known = Known.KIND | Known.PROTOCOL | Known.CIPHER;
    session.protocol = handshake.answer.version;
    session.cipher = handshake.answer.cipher;
    if (handshake.offers.sniLength > 0) {
      session.sni = handshake.offers.sni;
      session.sniLength = handshake.offers.sniLength;
      session.known |= Known.SNI;
    }
    return session;
  }

  /** Ticket keys are learned whatever the mode. */
  private learnTicketKey(session: Session): void {
    if (!session.knows(Known.TICKET_KEY) || !session.knows(Known.UPSTREAM)) return;
    this.cache.ticketKeys.learn(session.ticketKey, session.upstream, session.upstreamLength);
  }

  /** As `learnTicketKey`, of a ticket that was accepted: mostly one whose key is well known. */
  private repeatTicketKey(accepted: Session, sampled: bool): void {
    if (!accepted.knows(Known.TICKET_KEY)) return;
    if (this.cache.ticketKeys.repeat(accepted.ticketKey, sampled)) return;
    accepted.tellUpstream(this.server);
    this.learnTicketKey(accepted);
  }

  private addTicketKey(key: usize): void {
    if (key == 0) return;
    this.session.ticketKey = key;
    this.session.known |= Known.TICKET_KEY;
  }
}

/** The `Kind` that a resumption counts as. */
function acceptedKindOf(handshake: Handshake, handle: AcceptedHandle): u8 {
  if (handshake.acceptedKind == Accepted.Psk) return Kind.PSK;
  if (handle == AcceptedHandle.SessionId) return Kind.ID;
  return handshake.acceptedKind == Accepted.Ticket ? Kind.TICKET : Kind.ID;
}

function differs(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength != bLength || memory.compare(a, b, aLength) != 0;
}

/** SHA-256 */
const HASH_LENGTH: i32 = 32;
/** No ticket is believed to live longer than a TLS 1.3 one may (RFC 8446 4.6.1): seven days. */
const LONGEST_HINT_SECONDS: u32 = 604800;
