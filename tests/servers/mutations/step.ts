/**
 * The grammar of mutations. A case is a base (which handshake, by which handle) and steps, each of which changes one thing
 * that the client sends.
 *
 * Steps are plain JSON and hold every random choice, so a case fits any session and is the same in every run.
 */
import type { Flight } from "../client/flight.ts";
import type { Extension, Hello } from "../client/hello.ts";
import type { Plan } from "../client/plan.ts";
import type { Session } from "../client/session.ts";
import type { Random } from "../../support/random.ts";

/**
 * TLS 1.2: resumption by ID, by ticket or by both. TLS 1.3: by PSK, after a HelloRetryRequest, or with early data. "full12"
 * and "full13" offer no session.
 */
export type Base = "id" | "ticket" | "both" | "psk" | "retry" | "early" | "full12" | "full13";

export interface Case {
  base: Base;
  steps: Step[];
  /** TLS 1.2: the first handshake asked for a ticket, so the session may have two handles. */
  asksTicket?: boolean;
  /** What to remove: the session by one of its handles, its ticket key, or its server name. */
  way: Way;
  /** The handle by which the session is removed, if it has two. */
  removes?: "id" | "ticket";
  /** TLS 1.2, a resumption renews the ticket: remove the old ticket and offer the new one, or the other way round. */
  chain?: "successor" | "predecessor";
  /** With a chain: the steps change the resumption that renews, not the one behind the removal. */
  mutatesRenewal?: true;
  /** TLS 1.2: the filter has not seen the session being issued. */
  unseen?: boolean;
  /** TLS 1.3: the server accepts the PSK once before its removal. */
  accepted?: boolean;
}

export type Way = "session" | "key" | "name";

export interface Step {
  op: string;
  /** Changes the hello that answers a HelloRetryRequest. */
  second?: true;
  [parameter: string]: number | string | boolean | number[] | undefined;
}

/** All that a step may change. */
export interface Target {
  plan: Plan;
  flight: Flight;
  hello: Hello;
  extensions: Extension[];
  base: Base;
  /** The session that must not resume, if there is one. */
  trial: Session | undefined;
  /** Other sessions of the same server and version, which may resume. */
  others: Session[];
}

export interface Operation {
  name: string;
  /** How often it is picked, relative to the others. */
  weight: number;
  /** The bases that it fits; undefined: all. */
  bases?: readonly Base[];
  /** Does not fit a second hello. */
  firstOnly?: boolean;
  make: (random: Random) => Omit<Step, "op">;
  apply: (target: Target, step: Step) => void;
}

export const IN_TLS12: readonly Base[] = ["id", "ticket", "both", "full12"];
export const IN_TLS13: readonly Base[] = ["psk", "retry", "early", "full13"];
export const WITH_PSK: readonly Base[] = ["psk", "retry", "early"];

export function is13(base: Base): boolean {
  return IN_TLS13.includes(base);
}

export function numberOf(step: Step, name: string): number {
  const value = step[name];
  if (typeof value !== "number") throw new Error(`${step.op} has no ${name}`);
  return value;
}

export function bytesOf(step: Step, name: string): Buffer {
  const value = step[name];
  if (typeof value !== "string") throw new Error(`${step.op} has no ${name}`);
  return Buffer.from(value, "hex");
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
