/** What a client keeps of a session, and by what the filter's API calls it. */
import { createHash } from "node:crypto";
import type { Suite } from "./suites.ts";

export interface Session {
  readonly version: 0x0303 | 0x0304;
  readonly suite: Suite;
  /** TLS 1.2: the master secret; TLS 1.3: the PSK. */
  readonly secret: Buffer;
  /** Empty where the server gave none. */
  readonly id: Buffer;
  /** Of TLS 1.3: the PSK identity. Empty where the server gave none. */
  readonly ticket: Buffer;
  readonly extendedMaster: boolean;
  readonly serverName: string;
  /** Of TLS 1.3. */
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
