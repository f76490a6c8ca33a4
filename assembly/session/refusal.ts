/**
 * Whether a resumption that an upstream has accepted must not be: the session was removed, or its ticket key was, or the
 * server name is revoked, or, under `strict`, the cache does not hold it.
 *
 * Asked only where an upstream has accepted what a client offered: a handshake that does not resume is nobody's business.
 * Cost: one read of a page; one more for a ticket's key name, one more for a server name.
 */
import { Cache, Lookup } from "./cache";
import { Enforcement } from "./enforcement";
import { EventCause } from "./events/event";
import { Revocations } from "./revocations";
import { Kind, Known, Origin, Session } from "./session";
import { TicketKeys } from "./ticket_keys";

export const enum Verdict {
  /** It may resume. */
  Resume = 0,
  /** The session was removed or flushed. */
  RemovedSession = 1,
  RemovedTicketKey = 2,
  RevokedServerName = 3,
  /** `strict`, and not in the cache. */
  NotHeld = 4,
}

export class Refusals {
  constructor(
    private readonly cache: Cache,
    private readonly ticketKeys: TicketKeys,
    private readonly revocations: Revocations,
  ) {}

  /** Judges an accepted session as the handshake shows it. Needs `cache.readSettings` before. */
  judge(accepted: Session): Verdict {
    if (this.cache.settings.enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    return this.judgeLooked(accepted, this.cache.look(accepted.id, accepted.idLength));
  }

  /** As `judge`, of a session that the cache was just looked up for: `lookup` and `cache.found` are the answer. */
  judgeLooked(accepted: Session, lookup: Lookup): Verdict {
    const enforcement = this.cache.settings.enforcement;
    if (enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    if (lookup == Lookup.Removed) return Verdict.RemovedSession;
    // In doubt it is let through: an observer breaks nothing.
    if (lookup == Lookup.Unavailable) return Verdict.Resume;
    if (enforcement == Enforcement.STRICT && !this.mayResumeStrictly(accepted, lookup)) return Verdict.NotHeld;
    const held = lookup == Lookup.Found || lookup == Lookup.Expired;
    const found = this.cache.found;
    if (accepted.knows(Known.TICKET_KEY) && this.ticketKeys.isRemoved(accepted.ticketKey)) {
      return Verdict.RemovedTicketKey;
    }
    if (accepted.knows(Known.SNI) && this.isRevoked(accepted.sni, accepted.sniLength, accepted.kind, held)) {
      return Verdict.RevokedServerName;
    }
    // The name that the session was issued for counts too, whatever name it is offered for.
    if (held && found.knows(Known.SNI) && this.isRevoked(found.sni, found.sniLength, accepted.kind, held)) {
      return Verdict.RevokedServerName;
    }
    return Verdict.Resume;
  }

  /** Judges a PSK in an encrypted hello, of which nothing is known: not even that it was removed. Needs settings too. */
  judgeUnseen(accepted: Session): Verdict {
    const enforcement = this.cache.settings.enforcement;
    if (enforcement == Enforcement.OBSERVE) return Verdict.Resume;
    if (enforcement == Enforcement.STRICT) return Verdict.NotHeld;
    const named = accepted.knows(Known.SNI);
    const revoked = named && this.isRevoked(accepted.sni, accepted.sniLength, accepted.kind, false);
    return revoked ? Verdict.RevokedServerName : Verdict.Resume;
  }

  private mayResumeStrictly(accepted: Session, lookup: Lookup): bool {
    if (lookup != Lookup.Found) return false;
    // Nobody sees a PSK's issue: what was observed of it is its use.
    return accepted.kind != Kind.PSK || this.cache.found.origin == Origin.API;
  }

  /** Whether a session that is held in `cache.found`, or not held, was issued up to the second of a revocation. */
  private isRevoked(sni: usize, sniLength: i32, kind: u8, held: bool): bool {
    const revokedAt = this.revocations.revokedAt(sni, sniLength);
    if (revokedAt == 0) return false;
    const found = this.cache.found;
    // Nobody sees a PSK's issue, only its use: it counts as issued before, unless it was added by hand afterwards.
    if (!held || (kind == Kind.PSK && found.origin != Origin.API)) return true;
    return found.time <= revokedAt;
  }
}

/** What a refusal is told as: an `EventCause`. */
export function causeOf(verdict: Verdict): u8 {
  if (verdict == Verdict.RemovedSession) return EventCause.SESSION;
  if (verdict == Verdict.RemovedTicketKey) return EventCause.TICKET_KEY;
  return verdict == Verdict.RevokedServerName ? EventCause.SNI : EventCause.STRICT;
}
