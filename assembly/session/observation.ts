/**
 * What an observed handshake means for the cache: which offered session was accepted or declined, whether it may resume,
 * and which session was issued. It is told what happened by the state machine of `tls/handshake.ts` and never touches
 * the traffic itself.
 *
 * A session is stored when its handshake completes, never earlier: half-made handshakes cannot fill the cache. The one
 * exception is a TLS 1.3 PSK, which is stored at its acceptance: its binder has proved the client (RFC 8446 4.2.11.2).
 * A session ID that a client offers beside TLS 1.3 may be made up for middleboxes (RFC 8446 D.4): not accepted, it
 * counts only where the cache knows it, and in TLS 1.3 it says nothing at all.
 *
 * What is offered is counted once a server has answered, as only then it can be told from what was made up. Whether it
 * was accepted is decided with the answer in TLS 1.3, and when the handshake completes before that.
 *
 * Cost: nothing until the ServerHello; then at most two operations on the cache, and a look for each thing by which an
 * accepted session can be refused, or for the key name of a declined ticket that is not held. Who has answered is asked
 * for only where it tells something: of a session that is held with its issuer and accepted, only to find out whether
 * servers share its ticket key, and then not each time.
 */
import { PeerAddress } from "../ports/peer_address";
import { Handshake } from "../tls/handshake";
import { Cache, Lookup } from "./cache";
import { Enforcement } from "./enforcement";
import { causeOf, Refusals, Verdict } from "./refusal";
import { Kind, Known, Session } from "./session";
import { Fate, fullByKind, handshakes, Metric, offered, Outcome, resumptions } from "./statistics";
import { KeyState } from "./ticket_keys";

export class Observation {
  /**
   * Of the server's answer that was looked at last: what was offered to it, a `Kind`, or 0 for nothing; its ID (0 where it
   * is not known), which is valid as long as the handshake; and its `Fate`, where it has one already.
   */
  offeredKind: u8 = 0;
  offeredId: usize = 0;
  offeredIdLength: i32 = 0;
  fate: i32 = Fate.ACCEPTED;
  private readonly session: Session = new Session();
  private readonly refusals: Refusals;

  constructor(
    private readonly cache: Cache,
    /** Of the server that has answered the connection at hand. */
    private readonly server: PeerAddress,
  ) {
    this.refusals = new Refusals(cache, cache.ticketKeys, cache.revocations);
  }

  /** A first ClientHello was seen whole. */
  clientHello(): void {
    this.cache.metrics.increase(Metric.ACCEPT, 1);
  }

  /**
   * The ServerHello has come. Answers whether what it accepts may resume; what may not is counted as refused, and as
   * nothing else. Where it is too late to refuse (`refusable` false) everything may. `sampled`: it is this connection's
   * turn to find out who has answered, also where nothing new is to be expected.
   */
  serverHello(handshake: Handshake, refusable: bool, sampled: bool): Verdict {
    this.offeredKind = 0;
    if (handshake.acceptedKind == 0) {
      this.declined(handshake);
      return Verdict.Resume;
    }
    this.cache.readSettings();
    const accepted = this.accepted(handshake);
    this.offer(accepted.kind, accepted.id, accepted.idLength);
    const verdict = refusable ? this.judge(handshake, accepted) : Verdict.Resume;
    if (verdict != Verdict.Resume) this.count(accepted.kind, Fate.REFUSED);
    else if (accepted.kind == Kind.PSK) this.pskAccepted(accepted, sampled);
    return verdict;
  }

  /** Whether anything that the client offers would be refused, were it accepted now. Counts nothing. */
  wouldRefuse(handshake: Handshake): bool {
    this.cache.readSettings();
    if (this.cache.settings.enforcement == Enforcement.OBSERVE) return false;
    const identities = handshake.offeredPskCount;
    for (let i = 0; i < identities; i++) {
      const id = handshake.pskHash(i);
      if (id == 0 || this.wouldRefuseOne(handshake, Kind.PSK, id, HASH_LENGTH, handshake.pskKey(i))) return true;
    }
    if (handshake.offeredTicket) {
      const key = handshake.offeredTicketKey;
      return this.wouldRefuseOne(handshake, Kind.TICKET, handshake.offeredTicketHash, HASH_LENGTH, key);
    }
    if (handshake.offeredEncryptedHello && this.wouldRefuseUnseen(handshake)) return true;
    if (handshake.offeredIdLength == 0) return false;
    return this.wouldRefuseOne(handshake, Kind.ID, handshake.offeredId, handshake.offeredIdLength, 0);
  }

  /** What a client offers first, as a resumption of it would be judged; its ID is 0 long where it offers nothing. */
  firstOffer(handshake: Handshake): Session {
    if (handshake.offeredPskCount > 0) {
      return this.describeOffer(handshake, Kind.PSK, handshake.pskHash(0), HASH_LENGTH, handshake.pskKey(0));
    }
    if (handshake.offeredTicket) {
      const key = handshake.offeredTicketKey;
      return this.describeOffer(handshake, Kind.TICKET, handshake.offeredTicketHash, HASH_LENGTH, key);
    }
    return this.describeOffer(handshake, Kind.ID, handshake.offeredId, handshake.offeredIdLength, 0);
  }

  /**
   * Whether early data has to be dropped, as it stands behind a PSK that would be refused: it belongs to the first
   * identity (RFC 8446 4.2.10). Counts that, and is no refusal yet: that comes if a server accepts the PSK.
   */
  dropsEarlyData(handshake: Handshake): bool {
    if (!handshake.offeredEarlyData || handshake.offeredPskCount == 0) return false;
    this.cache.readSettings();
    if (!this.wouldRefuseOne(handshake, Kind.PSK, handshake.pskHash(0), HASH_LENGTH, handshake.pskKey(0))) return false;
    this.cache.metrics.increase(Metric.EARLY_DATA_DROPPED, 1);
    return true;
  }

  private wouldRefuseUnseen(handshake: Handshake): bool {
    const session = this.describe(handshake);
    session.kind = Kind.PSK;
    return this.refusals.judgeUnseen(session) != Verdict.Resume;
  }

  private wouldRefuseOne(handshake: Handshake, kind: u8, id: usize, idLength: i32, key: usize): bool {
    return this.refusals.judge(this.describeOffer(handshake, kind, id, idLength, key)) != Verdict.Resume;
  }

  private describeOffer(handshake: Handshake, kind: u8, id: usize, idLength: i32, key: usize): Session {
    const session = this.describe(handshake);
    session.kind = kind;
    session.id = id;
    session.idLength = id != 0 ? idLength : 0;
    this.addTicketKey(key);
    return session;
  }

  /** The handshake is complete; `sampled` as for its ServerHello. */
  complete(handshake: Handshake, sampled: bool): void {
    this.cache.metrics.increase(Metric.ACCEPT_GOOD, 1);
    if (handshake.version == TLS13) {
      if (handshake.resumed) this.cache.metrics.increase(handshakes(TLS13, Outcome.RESUMED_PSK), 1);
      else this.countFull(handshake, Outcome.FULL);
      return;
    }
    // What was held is known to be so since the ServerHello, and what is new is looked at again.
    if (handshake.resumed && !handshake.issuedTicket) this.cache.readSettingsOfLate();
    else this.cache.readSettings();
    // A server may take an ID up and still make a new session.
    const accepts = handshake.acceptedKind != 0;
    if (accepts) this.count(acceptedKindOf(handshake), handshake.resumed ? Fate.ACCEPTED : Fate.DECLINED);
    if (handshake.resumed) this.resumed(handshake, sampled);
    if (!handshake.resumed || handshake.issuedTicket) this.issued(handshake);
  }

  /** Its watching has ended, and nothing was refused. What has begun and is not complete has failed. */
  ended(handshake: Handshake): void {
    if (!handshake.begun || handshake.completed) return;
    this.cache.metrics.increase(Metric.FAILED, 1);
    const undecided = handshake.acceptedKind != 0 && handshake.acceptedKind != ACCEPTED_PSK;
    if (undecided) this.count(acceptedKindOf(handshake), Fate.FAILED);
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

  private judge(handshake: Handshake, accepted: Session): Verdict {
    const verdict = handshake.acceptedUnseen ? this.refusals.judgeUnseen(accepted) : this.judgeSeen(accepted);
    if (verdict != Verdict.Resume) this.cache.refused(accepted.id, accepted.idLength, causeOf(verdict));
    return verdict;
  }

  private judgeSeen(accepted: Session): Verdict {
    // Of a client that offers very many identities the last ones are not followed: one of them could be a removed one.
    const enforced = this.cache.settings.enforcement != Enforcement.OBSERVE;
    if (accepted.id != 0) return this.refusals.judge(accepted);
    return enforced ? Verdict.NotHeld : Verdict.Resume;
  }

  private pskAccepted(accepted: Session, sampled: bool): void {
    this.count(Kind.PSK, Fate.ACCEPTED);
    if (accepted.id == 0) return;
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
    if (handshake.offeredPskCount > 0) {
      kind = Kind.PSK;
      id = handshake.pskHash(0);
      key = handshake.pskKey(0);
    } else if (handshake.offeredTicket) {
      kind = Kind.TICKET;
      id = handshake.offeredTicketHash;
      key = handshake.offeredTicketKey;
    } else if (handshake.offeredIdLength > 0 && handshake.version != TLS13) {
      id = handshake.offeredId;
      idLength = handshake.offeredIdLength;
      certain = !handshake.offers13;
    }
    if (id == 0) return;
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

  /** Whether what an upstream has declined is known to be another one's: by its record, or by its ticket key's name. */
  private isLost(lookup: Lookup, key: usize, upstream: usize, upstreamLength: i32): bool {
    if (upstreamLength <= 0 || lookup == Lookup.Expired || lookup == Lookup.Removed) return false;
    const found = this.cache.found;
    if (lookup == Lookup.Found && found.knows(Known.UPSTREAM)) {
      return differs(found.upstream, found.upstreamLength, upstream, upstreamLength);
    }
    if (key == 0) return false;
    const row = this.cache.ticketKeys.look(key);
    if (!row || (row.state != KeyState.LEARNED && row.state != KeyState.TOLD)) return false;
    return differs(row.upstream, row.upstreamLength, upstream, upstreamLength);
  }

  private resumed(handshake: Handshake, sampled: bool): void {
    const session = this.accepted(handshake);
    const outcome = session.kind == Kind.TICKET ? Outcome.RESUMED_TICKET : Outcome.RESUMED_ID;
    this.cache.metrics.increase(handshakes(handshake.version, outcome), 1);
    this.repeatTicketKey(session, sampled);
    this.cache.resume(session, this.server);
  }

  /** The session that an upstream has accepted; its ID is 0 where it is one that is not followed. */
  private accepted(handshake: Handshake): Session {
    const session = this.describe(handshake);
    session.idLength = HASH_LENGTH;
    if (handshake.acceptedKind == ACCEPTED_PSK) {
      session.kind = Kind.PSK;
      session.id = handshake.pskHash(handshake.acceptedPskIndex);
      if (session.id == 0) session.idLength = 0;
      this.addTicketKey(handshake.pskKey(handshake.acceptedPskIndex));
    } else if (handshake.acceptedKind == ACCEPTED_TICKET) {
      session.kind = Kind.TICKET;
      session.id = handshake.offeredTicketHash;
      this.addTicketKey(handshake.offeredTicketKey);
    } else {
      session.kind = Kind.ID;
      session.id = handshake.offeredId;
      session.idLength = handshake.offeredIdLength;
    }
    return session;
  }

  /** A handshake that issues an ID and a ticket makes one session, the ticket: clients prefer it (RFC 5077 3.4). */
  private issued(handshake: Handshake): void {
    const session = this.describe(handshake);
    let issued: i32 = Outcome.FULL;
    if (handshake.issuedTicket) {
      issued = Outcome.RESUMED_TICKET;
      session.kind = Kind.TICKET;
      session.id = handshake.issuedTicketHash;
      session.idLength = HASH_LENGTH;
      this.addTicketKey(handshake.issuedTicketKey);
      const hint = handshake.issuedTicketLifetimeHint;
      // A hint of 0 leaves the lifetime to the client (RFC 5077 3.3): here, the cache's own timeout holds.
      if (hint != 0) {
        session.timeoutSeconds = hint > LONGEST_HINT_SECONDS ? LONGEST_HINT_SECONDS : hint;
        session.known |= Known.TIMEOUT;
      }
    } else if (handshake.issuedIdLength > 0) {
      issued = Outcome.RESUMED_ID;
      session.kind = Kind.ID;
      session.id = handshake.issuedId;
      session.idLength = handshake.issuedIdLength;
    }
    if (issued != Outcome.FULL) {
      session.tellUpstream(this.server);
      this.learnTicketKey(session);
      this.cache.learn(session);
    }
    if (!handshake.resumed) this.countFull(handshake, issued);
  }

  private countFull(handshake: Handshake, issued: i32): void {
    this.cache.metrics.increase(handshakes(handshake.version, Outcome.FULL), 1);
    this.cache.metrics.increase(fullByKind(issued), 1);
  }

  /** What every session of a handshake has in common. */
  private describe(handshake: Handshake): Session {
    const session = this.session;
    session.clear();
    session.known = Known.KIND | Known.PROTOCOL | Known.CIPHER;
    session.protocol = handshake.version;
    session.cipher = handshake.cipher;
    if (handshake.sniLength > 0) {
      session.sni = handshake.sni;
      session.sniLength = handshake.sniLength;
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

/** The `Kind` of what a server has accepted. */
function acceptedKindOf(handshake: Handshake): u8 {
  if (handshake.acceptedKind == ACCEPTED_PSK) return Kind.PSK;
  return handshake.acceptedKind == ACCEPTED_TICKET ? Kind.TICKET : Kind.ID;
}

function differs(a: usize, aLength: i32, b: usize, bLength: i32): bool {
  return aLength != bLength || memory.compare(a, b, aLength) != 0;
}

const TLS13: u16 = 0x0304;
/** Values of `Handshake.acceptedKind`. */
const ACCEPTED_TICKET: u8 = 2;
const ACCEPTED_PSK: u8 = 3;
/** SHA-256 */
const HASH_LENGTH: i32 = 32;
/** No ticket is believed to live longer than a TLS 1.3 one may (RFC 8446 4.6.1): seven days. */
const LONGEST_HINT_SECONDS: u32 = 604800;
