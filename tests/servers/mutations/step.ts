/**
 * The grammar of mutations: a case is a base (which handshake, by which handle) and steps, each of which changes one thing of what is sent.
 *
 * Steps are plain JSON and hold all that chance decided, so that a case fits any session and is the same in every run.
 */
import type { Flight } from "../client/flight.ts";
import type { Extension, Hello } from "../client/hello.ts";
import type { Plan } from "../client/plan.ts";
import type { Session } from "../client/session.ts";
import type { Random } from "../../support/random.ts";

/** Resumption by ID, by ticket or by both in TLS 1.2; by PSK, after a HelloRetryRequest, with early data in TLS 1.3; or no session at all. */
export type Base = "id" | "ticket" | "both" | "psk" | "retry" | "early" | "full12" | "full13";

export interface Case {
  base: Base;
  steps: Step[];
  /** TLS 1.2: the session was asked for with a ticket, and so may have two handles. */
  asksTicket?: boolean;
  /** What is removed: this session by one of its handles, its ticket key, or its server name. */
  way: Way;
  /** By which handle, where it has two. */
  removes?: "id" | "ticket";
  /** TLS 1.2, where a resumption renews the ticket: the old one is removed and the new one offered, or the other way round. */
  chain?: "successor" | "predecessor";
  /** TLS 1.2: the filter has not seen its issue. */
  unseen?: boolean;
  /** TLS 1.3: accepted once before it is removed. */
  accepted?: boolean;
}

export type Way = "session" | "key" | "name";

export interface Step {
  op: string;
  /** Of the hello that answers a HelloRetryRequest. */
  second?: true;
  [parameter: string]: number | string | boolean | number[] | undefined;
}

/** What a step may change. */
export interface Target {
  plan: Plan;
  flight: Flight;
  hello: Hello;
  extensions: Extension[];
  base: Base;
  /** The one that must not resume, where there is one. */
  trial: Session | undefined;
  /** Others of the same server that may: of the same version. */
  others: Session[];
}

export interface Operation {
  name: string;
  /** How often, beside the others. */
  weight: number;
  /** Only of these; of all where none is named. */
  bases?: readonly Base[];
  /** Makes no sense of a second hello. */
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
