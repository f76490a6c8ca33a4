/**
 * Tells the cache and its counters about an observed handshake: which offered session was accepted, declined or refused, and
 * which session was issued. Reads the state machine of `tls/handshake.ts` and never touches the traffic itself.
 *
 * A session is stored when its handshake completes, never earlier: half-made handshakes cannot fill the cache. The one
 * exception is a TLS 1.3 PSK, which is stored at its acceptance: its binder has proved the client (RFC 8446 4.2.11.2). A
 * session ID that may be made up (`Offer.certain`) counts as declined only if the cache knows it, and in TLS 1.3 it counts
 * not at all.
 *
 * An offer is counted once a server has answered: only then a made-up ID can be told. The answer decides whether it was
 * accepted; a resumption of TLS 1.2 counts when the handshake completes. All that an acceptance may mean is judged
 * (`answer_judge.ts`), but only what nothing else explains is learned (`accepted_handle.ts`): so nobody makes the cache
 * believe a session that they made up.
 *
 * Cost: nothing until the ServerHello; then the judging, and at most two operations on the cache. The host is asked who has
 * answered only if that is news: for a held session with an issuer, only to find out whether servers share its ticket key,
 * and by sample.
 */
import { PeerAddress } from "../ports/peer_address";
import { Cache, Lookup } from "../session/cache";
import { Fate, fullByKind, handshakes, Metric, offered, Outcome, resumptions } from "../session/counting/statistics";
import { Kind, Known, MAX_ID_LENGTH, sameBytes, Session } from "../session/record/session";
import { KeyState } from "../session/revocation/ticket_keys";
import { Accepted, Handshake } from "../tls/handshake";
import { Version } from "../tls/wire/protocol";
import { AcceptedHandle } from "./accepted_handle";
import { AnswerJudge } from "./answer_judge";
import { addTicketKey, describe, describeOffer } from "./description";
import { Offer } from "./offer";
import { causeOf, Verdict } from "./refusal";

export class Observation {
  /** The offer that the last answer was counted for, valid as long as the handshake; its kind is 0 if none was. */
  readonly offer: Offer = new Offer();
  /** The `Fate` of that offer; an offer to TLS 1.2 that was accepted may still fail. */
  fate: i32 = Fate.ACCEPTED;
  /**
   * Set before an answer is judged: the `EventCause` for which its connection was steered away from the issuer of what its
   * client offers first, as that would be refused there, and another server has answered; else 0.
   */
  diversion: u8 = 0;
  readonly judge: AnswerJudge;
  private readonly session: Session = new Session();
  private readonly first: Offer = new Offer();

  constructor(
    private readonly cache: Cache,
    /** Address of the server that has answered the current connection. */
    private readonly server: PeerAddress,
    /** Whether servers may decrypt encrypted hellos: then a PSK that is accepted behind one cannot be followed. */
    decryptsHellos: bool,
    /** Address of the client of the current connection; read only if something is refused, or declined by its issuer. */
    private readonly client: PeerAddress | null = null,
  ) {
    this.judge = new AnswerJudge(cache, server, decryptsHellos);
  }

  /** The handle that the last answer's acceptance is attributed to. */
  get handle(): AcceptedHandle {
    return this.judge.handle;
  }

  /** Counts a first ClientHello that was seen whole. */
  countClientHello(): void {
    this.cache.rush.countNext();
    this.cache.metrics.increase(Metric.ACCEPT, 1);
  }

  /** Describes a client's first offer, as a resumption of it would be judged; its ID is 0 long if there is no offer. */
  describeFirst(handshake: Handshake): Session {
    return describeOffer(this.session, handshake, this.first.firstOf(handshake));
  }

  /**
   * Judges and counts a server's answer; a refused resumption is counted as refused and as nothing else. `passed`: the
   * answer has begun to go through, so it is too late to refuse. `sampled`: the host is asked who has answered, even if no
   * news is expected.
   */
  judgeAnswer(handshake: Handshake, passed: bool, sampled: bool): Verdict {
    this.offer.clear();
    if (handshake.acceptedKind == Accepted.None) {
      this.judge.handle = AcceptedHandle.Untold;
      this.countDeclined(handshake);
      return Verdict.Resume;
    }
    this.cache.readSettings();
    const judged = this.judge.judge(handshake);
    const verdict = passed ? Verdict.Resume : judged;
    this.countOffered(this.offer.acceptedOf(handshake, this.handle));
    const accepted = describeOffer(this.session, handshake, this.offer);
    if (verdict != Verdict.Resume) this.countRefused(accepted, verdict);
    else if (accepted.kind == Kind.PSK) this.learnPsk(accepted, sampled);
    return verdict;
  }

  /** Counts a refusal of an answer that could not be held back until it was whole, and may accept a removed session. */
  refuseUndecided(handshake: Handshake): Verdict {
    this.cache.readSettings();
    this.judge.handle = AcceptedHandle.Untold;
    this.countOffered(this.offer.firstOf(handshake));
    this.countRefused(describeOffer(this.session, handshake, this.offer), Verdict.Unfollowed);
    return Verdict.Unfollowed;
  }

  /**
   * Judges a PSK whose early data is still held with its hello, and counts a refusal: its server must not see either of them.
   */
  refuseEarlyData(handshake: Handshake): Verdict {
    const verdict = this.judge.judgeEarlyData(handshake);
    if (verdict == Verdict.Resume) return verdict;
    this.judge.handle = AcceptedHandle.Untold;
    this.countOffered(this.offer.firstOf(handshake));
    this.countRefused(describeOffer(this.session, handshake, this.offer), verdict);
    return verdict;
  }

  /** Counts a complete handshake, and learns from it; `handle` and `sampled` as for its answer. */
  complete(handshake: Handshake, handle: AcceptedHandle, sampled: bool): void {
    this.cache.metrics.increase(Metric.ACCEPT_GOOD, 1);
    const version = handshake.answer.version;
    if (version == Version.TLS13) {
      if (handshake.resumed) this.cache.metrics.increase(handshakes(version, Outcome.RESUMED_PSK), 1);
      else this.countFull(handshake, 0);
      return;
    }
    // A held session was looked up at the ServerHello; a new one is looked up now.
    if (handshake.resumed && !handshake.tickets.ticket.present) this.cache.readSettingsIfStale();
    else this.cache.readSettings();
    if (handshake.resumed) this.learnResumed(handshake, handle, sampled);
    else this.learnIssued(handshake);
  }

  /**
   * Counts a handshake whose watching has ended without a refusal: one that has begun and is not complete has failed.
   * `offer` is then what the server may have accepted, with kind 0 if it has accepted nothing.
   */
  end(handshake: Handshake, handle: AcceptedHandle): void {
    if (!handshake.begun || handshake.completed) return;
    this.offer.clear();
    this.cache.metrics.increase(Metric.FAILED, 1);
    if (handshake.resumed && handshake.acceptedKind != Accepted.Psk) {
      this.countFate(this.first.acceptedOf(handshake, handle).kind, Fate.FAILED);
    } else if (handshake.mayResume) {
      this.countOffered(this.offer.legacyOf(handshake));
      this.countFate(this.offer.kind, Fate.FAILED);
    }
  }

  private countOffered(offer: Offer): void {
    // An acceptance of TLS 1.2 is decided at its end.
    this.fate = Fate.ACCEPTED;
    this.cache.metrics.increase(offered(offer.kind), 1);
  }

  private countFate(kind: u8, fate: i32): void {
    this.fate = fate;
    this.cache.metrics.increase(resumptions(kind, fate), 1);
  }

  private countRefused(accepted: Session, verdict: Verdict): void {
    this.countFate(accepted.kind, Fate.REFUSED);
    accepted.readUpstream(this.server);
    this.cache.noteRefusal(accepted.id, accepted.idLength, causeOf(verdict), accepted, this.client);
  }

  private learnPsk(accepted: Session, sampled: bool): void {
    this.countFate(Kind.PSK, Fate.ACCEPTED);
    if (accepted.id == 0 || this.handle != AcceptedHandle.Psk) return;
    this.repeatTicketKey(accepted, sampled);
    this.cache.resume(accepted, this.server);
  }

  /** The first offer decides: later identities neither count nor refuse. */
  private countDeclined(handshake: Handshake): void {
    const first = this.first.firstOf(handshake);
    if (first.id == 0 || (first.kind == Kind.ID && handshake.answer.version == Version.TLS13)) return;
    const diversion = this.diversion;
    this.cache.readSettings();
    if (diversion != 0) {
      // Counts as a refusal does: as nothing else, whether the cache holds it or not.
      this.countOffered(this.offer.firstOf(handshake));
      this.countFate(first.kind, Fate.DIVERTED);
      this.cache.noteDiversion(describeOffer(this.session, handshake, first), diversion, this.client);
      return;
    }
    const session = describe(this.session, handshake);
    session.readUpstream(this.server);
    const lookup = this.cache.decline(
      first.id,
      first.idLength,
      session.upstream,
      session.upstreamLength,
      first.certain,
    );
    if (lookup == Lookup.Absent && !first.certain) return;
    this.countOffered(this.offer.firstOf(handshake));
    const lost = this.countLoss(lookup, first.key, session.upstream, session.upstreamLength);
    this.countFate(first.kind, lost ? Fate.LOST : Fate.DECLINED);
  }

  /**
   * Reports whether an upstream has declined a session of another one that resumes, by its record or by its ticket key's
   * name. Counts for the upstream that it has declined one of its own.
   */
  private countLoss(lookup: Lookup, key: usize, upstream: usize, upstreamLength: i32): bool {
    if (upstreamLength <= 0 || lookup == Lookup.Expired || lookup == Lookup.Removed) return false;
    const found = this.cache.found;
    if (lookup == Lookup.Found && found.knows(Known.UPSTREAM)) {
      return this.countLossOf(found.upstream, found.upstreamLength, upstream, upstreamLength);
    }
    if (key == 0) return false;
    const row = this.cache.ticketKeys.look(key);
    if (!row || (row.state != KeyState.LEARNED && row.state != KeyState.CONFIGURED)) return false;
    return this.countLossOf(row.upstream, row.upstreamLength, upstream, upstreamLength);
  }

  private countLossOf(issuer: usize, issuerLength: i32, upstream: usize, upstreamLength: i32): bool {
    const issuers = this.cache.issuers;
    if (!sameBytes(issuer, issuerLength, upstream, upstreamLength)) return !issuers.neverResumes(issuer, issuerLength);
    issuers.noteDeclined(upstream, upstreamLength, this.client);
    return false;
  }

  private learnResumed(handshake: Handshake, handle: AcceptedHandle, sampled: bool): void {
    const offer = this.first.acceptedOf(handshake, handle);
    this.countFate(offer.kind, Fate.ACCEPTED);
    const outcome = offer.kind == Kind.TICKET ? Outcome.RESUMED_TICKET : Outcome.RESUMED_ID;
    this.cache.metrics.increase(handshakes(handshake.answer.version, outcome), 1);
    const renewed = handshake.tickets.ticket.present;
    let name: u64 = 0;
    let alone = false;
    if (handle != AcceptedHandle.Untold) {
      const session = describeOffer(this.session, handshake, offer);
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
        // Also that of a session which was removed meanwhile: the new ticket is refused with it.
        if (found.session != 0) name = found.session;
      }
    } else if (renewed && handshake.offers.ticket.present) {
      name = this.judge.renewal.join(handshake);
    }
    if (renewed) this.learnTicket(handshake, name, alone);
  }

  /** A full handshake that issues an ID and a ticket makes two handles of one session. */
  private learnIssued(handshake: Handshake): void {
    const idLength = handshake.issuedIdLength;
    const ticket = handshake.tickets.ticket;
    let name: u64 = 0;
    if (ticket.present) {
      if (idLength > 0) name = this.cache.sessionName(ticket.hash, MAX_ID_LENGTH);
      this.learnTicket(handshake, name, idLength == 0);
    }
    if (idLength > 0) {
      const session = describe(this.session, handshake);
      session.kind = Kind.ID;
      session.id = handshake.issuedId;
      session.idLength = idLength;
      this.learn(session, name);
    }
    this.countFull(handshake, ticket.present ? Kind.TICKET : idLength > 0 ? Kind.ID : 0);
  }

  private learnTicket(handshake: Handshake, name: u64, alone: bool): void {
    const session = describe(this.session, handshake);
    const ticket = handshake.tickets.ticket;
    session.kind = Kind.TICKET;
    session.id = ticket.hash;
    session.idLength = MAX_ID_LENGTH;
    session.alone = alone;
    addTicketKey(session, ticket.key);
    const hint = handshake.tickets.lifetimeHintSeconds;
    // A hint of 0 leaves the lifetime to the client (RFC 5077 3.3): here, the cache's own timeout holds.
    if (hint != 0) {
      session.timeoutSeconds = min(hint, MAX_HINT_SECONDS);
      session.known |= Known.TIMEOUT;
    }
    this.learn(session, name);
  }

  private learn(session: Session, name: u64): void {
    if (name != 0) {
      session.session = name;
      session.known |= Known.SESSION;
    }
    session.readUpstream(this.server);
    this.learnTicketKey(session);
    this.cache.learn(session);
  }

  /** `issued`: a `Kind`, 0 if nothing was seen to be issued. */
  private countFull(handshake: Handshake, issued: u8): void {
    this.cache.metrics.increase(handshakes(handshake.answer.version, Outcome.FULL), 1);
    this.cache.metrics.increase(fullByKind(issued), 1);
  }

  /** Learns the ticket key of a session, whatever the mode. */
  private learnTicketKey(session: Session): void {
    if (!session.knows(Known.TICKET_KEY) || !session.knows(Known.UPSTREAM)) return;
    this.cache.ticketKeys.learn(session.ticketKey, session.upstream, session.upstreamLength);
  }

  /** As `learnTicketKey`, for an accepted ticket: its key is usually well known. */
  private repeatTicketKey(accepted: Session, sampled: bool): void {
    if (!accepted.knows(Known.TICKET_KEY)) return;
    if (this.cache.ticketKeys.countKnown(accepted.ticketKey, sampled)) return;
    accepted.readUpstream(this.server);
    this.learnTicketKey(accepted);
  }
}

/** The longest lifetime that a ticket is believed to have: seven days, that of TLS 1.3 (RFC 8446 4.6.1). */
const MAX_HINT_SECONDS: u32 = 604800;
