/**
 * Random cases, and cases as plans. The same generator state makes the same case. The same case makes the same bytes, except
 * for the session and the randoms in it.
 */
import type { Flight } from "../client/flight.ts";
import type { HelloOptions, Plan } from "../client/plan.ts";
import { plainPlan } from "../client/plan.ts";
import type { Session } from "../client/session.ts";
import { TLS12, TLS13 } from "../client/suites.ts";
import type { Random } from "../../support/random.ts";
import { EXTENSION_OPERATIONS } from "./extensions.ts";
import { HANDLE_OPERATIONS } from "./handles.ts";
import { HELLO_OPERATIONS } from "./hello.ts";
import { RECORD_OPERATIONS } from "./records.ts";
import { type Base, type Case, is13, type Operation, type Step, type Way } from "./step.ts";
import { TIMING_OPERATIONS } from "./timing.ts";

export const OPERATIONS: readonly Operation[] = [
  ...RECORD_OPERATIONS,
  ...HELLO_OPERATIONS,
  ...EXTENSION_OPERATIONS,
  ...HANDLE_OPERATIONS,
  ...TIMING_OPERATIONS,
];
const BY_NAME = new Map(OPERATIONS.map((operation) => [operation.name, operation]));

export interface Possible {
  bases: readonly Base[];
  ways: readonly Way[];
  /** Some sessions have an ID and a ticket. */
  hasBoth: boolean;
  /** Resumptions of TLS 1.2 renew the ticket. */
  renews: boolean;
  /** A PSK may be accepted more than once. */
  reuses: boolean;
}

export function randomCase(random: Random, possible: Possible): Case {
  const isFull = random.below(10) === 0;
  const fitting = possible.bases.filter((one) => one.startsWith("full") === isFull);
  const base = random.pick(fitting.length === 0 ? possible.bases : fitting);
  const details = randomDetails(random, base, possible);
  const count = random.pick([0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4]);
  const steps: Step[] = [];
  // Of a session that the filter has never seen, only the hello's name shows its owner, and only its hash identifies it.
  const isUnseen = details.unseen === true || (is13(base) && details.accepted !== true);
  for (let i = 0; i < count; i++) {
    const second = base === "retry" && random.below(2) === 0;
    const operation = pickOperation(random, base, second);
    const step: Step = { op: operation.name, ...operation.make(random), ...(second ? { second } : {}) };
    const isOutOfReach = isUnseen && ((details.way === "name" && hidesName(step)) || step.op === "psk.append");
    if (!isOutOfReach) steps.push(step);
  }
  return { base, steps, ...details };
}

function randomDetails(random: Random, base: Base, possible: Possible): Omit<Case, "base" | "steps"> {
  const [chosen, first, second, third] = [0, 1, 2, 3].map(() => random.below(60)) as [number, number, number, number];
  const way = possible.ways[chosen % possible.ways.length] ?? "session";
  if (base === "psk" || base === "retry") return { way, accepted: possible.reuses && first % 3 === 0 };
  if (is13(base)) return { way };
  const asksTicket = base === "id" ? possible.hasBoth && first % 2 === 0 : true;
  const removes = possible.hasBoth && asksTicket ? (second % 2 === 0 ? "id" : "ticket") : undefined;
  if (way === "name" && third % 3 === 0) return { way, asksTicket, unseen: true };
  const canChain = possible.renews && (base === "ticket" || base === "both") && way === "session";
  const chain = canChain && third % 4 === 0 ? (third % 8 === 0 ? "successor" : "predecessor") : undefined;
  const mutatesRenewal = chain !== undefined && first % 2 === 0;
  return {
    way,
    asksTicket,
    ...(removes === undefined ? {} : { removes }),
    ...(chain === undefined ? {} : { chain }),
    ...(mutatesRenewal ? { mutatesRenewal } : {}),
  };
}

function hidesName({ op, type }: Step): boolean {
  if (op === "name.twice") return false;
  return op.startsWith("name.") || op === "extension.blank" || (op.startsWith("extension.") && type === 0);
}

function pickOperation(random: Random, base: Base, second: boolean): Operation {
  const fitting = OPERATIONS.filter(
    ({ bases, firstOnly }) => (bases === undefined || bases.includes(base)) && !(second && firstOnly === true),
  );
  const sum = fitting.reduce((total, { weight }) => total + weight, 0);
  let left = (random.below(1_000_000) / 1_000_000) * sum;
  for (const operation of fitting) {
    left -= operation.weight;
    if (left < 0) return operation;
  }
  return fitting[0]!;
}

export interface Cast {
  serverName: string;
  trial: Session | undefined;
  others: Session[];
  /** The early data. */
  early: Buffer;
}

export function planOf({ base, steps }: Case, cast: Cast): Plan {
  const plan = plainPlan(helloOptions(base, cast));
  plan.sessions = [...(cast.trial === undefined ? [] : [cast.trial]), ...cast.others];
  if (base === "early") plan.earlyData = [{ sealed: cast.early }];
  const apply = (flight: Flight, chosen: Step[]): void => {
    for (const step of chosen) {
      const operation = BY_NAME.get(step.op);
      if (operation === undefined) throw new Error(`no mutation is called ${step.op}`);
      // A hello without an extension block has nothing to change.
      const extensions = flight.hello.extensions ?? [];
      const { trial, others } = cast;
      operation.apply({ plan, flight, hello: flight.hello, extensions, base, trial, others }, step);
    }
  };
  apply(
    plan.first,
    steps.filter(({ second }) => second !== true),
  );
  plan.onSecond = (flight) =>
    apply(
      flight,
      steps.filter(({ second }) => second === true),
    );
  return plan;
}

function helloOptions(base: Base, { serverName, trial }: Cast): HelloOptions {
  const version = is13(base) ? TLS13 : TLS12;
  const common = { version, serverName, ...(trial === undefined ? {} : { session: trial }) } as const;
  if (base === "id" || base === "ticket" || base === "both") return { ...common, handle: base };
  if (base === "retry") return { ...common, shares: [] };
  if (base === "early") return { ...common, earlyData: true };
  return { ...common, wantsTicket: base === "full12" };
}
