/**
 * Decides which accepted resumptions to refuse: those of a removed session, under a removed ticket key, for a revoked server
 * name, and, under `strict`, of a session that the cache does not hold. A session that could not be followed or looked up is
 * refused as well, unless enforcement is `observe`: it may be any of these.
 *
 * A revocation reaches what was issued up to its second. If nobody has seen the issue, its time is unknown, and in TLS 1.2
 * and before, where issues are seen, so is its name: then such a session does not resume while any name is revoked. The
 * issue of a TLS 1.3 PSK is never seen: the PSK goes by the name that its client shows, and does not resume without one.
 *
 * While decisions of a fleet are awaited, any session that the cache does not hold may be a removed one, and is judged as under
 * `strict`.
 *
 * Judges only what an upstream has accepted: a full handshake is never refused.
 *
 * Cost: one read of a page; one more for a ticket's key name, one more for a server name.
 */
import { Cache, isHeld, Lookup } from "../session/cache";
import { Enforcement } from "../session/settings/enforcement";
import { EventCause } from "../session/record/event_cause";
import { Revocations } from "../session/revocation/revocations";
import { Kind, Known, Origin, Session } from "../session/record/session";
import { TicketKeys } from "../session/revocation/ticket_keys";

export const enum Verdict {
  /** It may resume. */
  Resume = 0,
  /** The session was removed or flushed. */
  RemovedSession = 1,
  RemovedTicketKey = 2,
  RevokedServerName = 3,
  /** Not in the cache, under `strict` or while decisions of a fleet are awaited. */
  NotHeld = 4,
  /** Nobody can tell which session was accepted, or the cache did not answer. */
  Unfollowed = 5,
}

export class Refusals {
  /** Whether decisions of a fleet are still awaited. */
  awaitsDecisions: bool = false;
  private readonly ticketKeys: TicketKeys;
  private readonly revocations: Revocations;

  constructor(private readonly cache: Cache) {
    this.ticketKeys = cache.ticketKeys;
    this.revocations = cache.revocations;
  }

  /** Judges an accepted session as the handshake shows it. Needs `cache.readSettings` before. */
  judge(accepted: Session): Verdict {
    if (this.cache.settings.enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    return this.judgeFound(accepted, this.cache.read(accepted.id, accepted.idLength));
  }

  /** Judges an accepted session that was just looked up: `lookup` and `cache.found` are the cache's answer. */
  judgeFound(accepted: Session, lookup: Lookup): Verdict {
    const enforcement = this.cache.settings.enforcement;
    if (enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    if (lookup == Lookup.Removed) return Verdict.RemovedSession;
    if (lookup == Lookup.Unavailable) return Verdict.Unfollowed;
    if (this.awaitsDecisions && lookup == Lookup.Absent) return Verdict.NotHeld;
    if (enforcement == Enforcement.STRICT && !this.mayResumeStrictly(accepted, lookup)) return Verdict.NotHeld;
    if (accepted.knows(Known.TICKET_KEY) && this.ticketKeys.isRemoved(accepted.ticketKey)) {
      return Verdict.RemovedTicketKey;
    }
    const held = isHeld(lookup);
    return this.isRevoked(accepted, held) ? Verdict.RevokedServerName : Verdict.Resume;
  }

  /** Judges a PSK in an encrypted hello: nothing is known of it, not even whether it was removed. Needs settings too. */
  judgeUnseen(accepted: Session): Verdict {
    const enforcement = this.cache.settings.enforcement;
    if (enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    if (enforcement == Enforcement.STRICT) return Verdict.NotHeld;
    const held = false;
    return this.isRevoked(accepted, held) ? Verdict.RevokedServerName : Verdict.Resume;
  }

  /** Judges an acceptance that nobody could follow. Needs settings too. */
  judgeUnfollowed(): Verdict {
    return this.cache.settings.enforcement == Enforcement.OBSERVE ? Verdict.Resume : Verdict.Unfollowed;
  }

  /**
   * Whether a session that the cache does not hold may be refused for that: under `strict`, and under `revoked` while a name
   * is revoked or decisions are awaited. Needs settings too.
   */
  judgesUnheld(): bool {
    const enforcement = this.cache.settings.enforcement;
    if (enforcement == Enforcement.STRICT) return true;
    return enforcement == Enforcement.REVOKED && (this.awaitsDecisions || this.revocations.inForce());
  }

  private mayResumeStrictly(accepted: Session, lookup: Lookup): bool {
    if (lookup != Lookup.Found) return false;
    // Nobody sees a PSK's issue: an observed PSK was only seen in use.
    return accepted.kind != Kind.PSK || this.cache.found.origin == Origin.API;
  }

  /** Whether a session may have been issued up to the second of a revocation. `held`: it is in `cache.found`. */
  private isRevoked(accepted: Session, held: bool): bool {
    const found = this.cache.found;
    const named = held && found.knows(Known.SNI);
    // The name that a session was issued for counts, too, whatever name it is offered for.
    if (accepted.knows(Known.SNI) && this.isBefore(accepted.sni, accepted.sniLength, accepted.kind, held)) return true;
    if (named && this.isBefore(found.sni, found.sniLength, accepted.kind, held)) return true;
    if ((held && !isUnseen(found, accepted.kind)) || !this.revocations.inForce()) return false;
    if (accepted.kind != Kind.PSK) return true;
    return (!named && !accepted.knows(Known.SNI)) || (!held && this.revocations.refusesUnseen());
  }

  private isBefore(sni: usize, sniLength: i32, kind: u8, held: bool): bool {
    const revokedAt = this.revocations.revokedAt(sni, sniLength);
    if (revokedAt == 0) return false;
    const found = this.cache.found;
    return !held || isUnseen(found, kind) || found.time <= revokedAt;
  }
}

/** Whether nobody has seen the issue of a held session, only its use; so it is with every observed PSK. */
export function isUnseen(found: Session, kind: u8): bool {
  return found.unissued || (kind == Kind.PSK && found.origin != Origin.API);
}

/** The `EventCause` of a refusal. */
export function causeOf(verdict: Verdict): u8 {
  switch (verdict) {
    case Verdict.RemovedSession:
      return EventCause.SESSION;
    case Verdict.RemovedTicketKey:
      return EventCause.TICKET_KEY;
    case Verdict.RevokedServerName:
      return EventCause.SNI;
    case Verdict.NotHeld:
      return EventCause.STRICT;
    default:
      return EventCause.UNFOLLOWED;
  }
}
