/**
 * Some of the sessions of a cache: those of a kind, a protocol, a server name, an upstream, a ticket key, or issued before a
 * time; a session must match all given criteria. An unknown field matches no criterion, except the time of issue: a session
 * whose issue nobody has seen counts as issued before.
 *
 * Cost of a match: a comparison for each criterion; nothing allocates.
 */
import { equalsLowered } from "../../bytes/ascii";
import { Known, Session, TICKET_KEY_LENGTH } from "./session";

export class Selection {
  /** One of `Kind`; 0: any. */
  kind: u8 = 0;
  /** As on the wire; 0: any. */
  protocol: u16 = 0;
  /** In small letters; empty: any. */
  sni: ArrayBuffer = NOTHING;
  /** In Envoy's spelling; empty: any. */
  upstream: ArrayBuffer = NOTHING;
  /** Its name, TICKET_KEY_LENGTH bytes; empty: any. */
  ticketKey: ArrayBuffer = NOTHING;
  /** Unix seconds; 0: any. */
  issuedBefore: u64 = 0;

  /** Whether it selects all sessions. */
  get isAll(): bool {
    const names = this.sni.byteLength + this.upstream.byteLength + this.ticketKey.byteLength;
    return names == 0 && this.kind == 0 && this.protocol == 0 && this.issuedBefore == 0;
  }

  matches(session: Session): bool {
    if (this.kind != 0 && session.kind != this.kind) return false;
    if (this.protocol != 0 && (!session.knows(Known.PROTOCOL) || session.protocol != this.protocol)) return false;
    if (this.issuedBefore != 0 && !session.unissued && session.time >= this.issuedBefore) return false;
    return this.matchesUpstream(session) && this.matchesTicketKey(session) && this.matchesSni(session);
  }

  private matchesUpstream(session: Session): bool {
    const length = this.upstream.byteLength;
    if (length == 0) return true;
    if (!session.knows(Known.UPSTREAM) || session.upstreamLength != length) return false;
    return memory.compare(session.upstream, changetype<usize>(this.upstream), length) == 0;
  }

  private matchesTicketKey(session: Session): bool {
    if (this.ticketKey.byteLength == 0) return true;
    if (!session.knows(Known.TICKET_KEY)) return false;
    return memory.compare(session.ticketKey, changetype<usize>(this.ticketKey), TICKET_KEY_LENGTH) == 0;
  }

  private matchesSni(session: Session): bool {
    const length = this.sni.byteLength;
    if (length == 0) return true;
    if (!session.knows(Known.SNI) || session.sniLength != length) return false;
    return equalsLowered(session.sni, changetype<usize>(this.sni), length);
  }
}

const NOTHING: ArrayBuffer = new ArrayBuffer(0);
