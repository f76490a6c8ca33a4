/**
 * What must not resume, as this side knows it: a claim begins when the answer to a removal is there, and ends before its
 * lifting is asked for. A handshake that began under a claim and ended under it has to be refused or full.
 */

/** A session that a client holds. */
export interface Held {
  session: Buffer;
  id: string;
  kind: "id" | "ticket" | "psk";
  ticketKey: string | null;
  sni: string;
  /** Milliseconds: when the client had it. */
  obtainedAt: number;
}

export interface Claim {
  /** In words. */
  what: string;
  /** Milliseconds. */
  from: number;
  until: number;
  /** Makes it end. */
  lifted: boolean;
}

export class Refusals {
  private readonly sessions = new Map<string, Claim>();
  private readonly ticketKeys = new Map<string, Claim>();
  private readonly names = new Map<string, Claim>();

  /** A session was removed, and stays so for that long; 1 s less, as the proxy counts whole ones. */
  removed(id: string, seconds: number, what: string): void {
    this.sessions.set(id, claim(what, Date.now() + (seconds - 1) * 1000));
  }

  removedKey(name: string): Claim {
    const made = claim(`the ticket key ${name}`, Infinity);
    this.ticketKeys.set(name, made);
    return made;
  }

  /** `asked`: when the revocation was asked for, in milliseconds. */
  revokedName(sni: string, asked: number): Claim {
    const made = { ...claim(`the server name ${sni}`, Infinity), from: asked };
    this.names.set(sni, made);
    return made;
  }

  /** The reasons against a session at this moment. */
  against(held: Held): Claim[] {
    const name = this.names.get(held.sni);
    // Of a PSK nobody sees when it was issued: none resumes.
    const reached = name !== undefined && (held.kind === "psk" || held.obtainedAt < name.from) ? name : undefined;
    const claims = [this.sessions.get(held.id), this.ticketKeys.get(held.ticketKey ?? ""), reached];
    return claims.filter((one) => one !== undefined && isInForce(one)) as Claim[];
  }

  /** IDs that are removed now and will be for some seconds more: all of them must be listed. */
  removedIds(): string[] {
    const soon = Date.now() + LISTING_MILLISECONDS;
    return [...this.sessions].filter(([, { until }]) => until > soon).map(([id]) => id);
  }

  /** Forgets reasons that have ended, so that this side does not grow either. */
  forgetEnded(): void {
    for (const [id, one] of this.sessions) if (!isInForce(one)) this.sessions.delete(id);
  }
}

export function isInForce({ lifted, until }: Claim): boolean {
  return !lifted && Date.now() < until;
}

function claim(what: string, until: number): Claim {
  return { what, from: Date.now(), until, lifted: false };
}

const LISTING_MILLISECONDS = 8000;
