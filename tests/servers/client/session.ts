/** A session as the client keeps it, and the names that the filter's API has for it. */
import { createHash } from "node:crypto";
import type { Suite } from "./suites.ts";

export interface Session {
  readonly version: 0x0303 | 0x0304;
  readonly suite: Suite;
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  readonly secret: Buffer;
  /** Empty if the server gave none. */
  readonly id: Buffer;
  /** TLS 1.3: the PSK identity. Empty if the server gave none. */
  readonly ticket: Buffer;
  readonly extendedMaster: boolean;
  readonly serverName: string;
  /** TLS 1.3 only. */
  readonly ageAdd: number;
  readonly receivedAt: number;
  readonly maxEarlyData: number;
}

export function ticketHash(session: Session): string {
  return createHash("sha256").update(session.ticket).digest("hex");
}

export function ticketKey(session: Session): string | undefined {
  return session.ticket.length < 16 ? undefined : session.ticket.subarray(0, 16).toString("hex");
}
