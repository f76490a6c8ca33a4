/**
 * Servers that share a ticket key, as a cluster does that is run well: any of them resumes any ticket, so resumptions are to be
 * balanced like new connections. Measured: the largest share of the resumptions of one server to the smallest, for some numbers
 * of clients at once; from cold, and again after the key was rotated on all servers.
 */
import type { Column } from "./balancers.ts";
import type { Kind } from "./client.ts";
import { type Attempt, CLIENTS, Crowd, inParallel, NAMES, withBalancer, withServers } from "./crowd.ts";
import type { Plan } from "./plan.ts";
import { newTicketKeys, startDemoUpstream } from "../upstream.ts";

export interface SharedKeyRun {
  kind: Kind;
  /** Clients that have a connection at the same time. */
  atOnce: number;
  /** Resumptions that are made first, without being measured. */
  warmUp: number;
  measured: number;
  /** Whether the key is rotated on all servers between two warm-ups. */
  rotates: boolean;
}

/** What came of the measured resumptions: how many for each server, and what went wrong, in words. */
export interface Shares {
  counts: number[];
  /** Largest to smallest; infinite if a server got none. */
  ratio: number;
  misses: string[];
}

/** Forty clients come to a balancer that starts cold, and offer their newest sessions by turns. */
export function sharesOf(column: Column, run: SharedKeyRun): Promise<Shares> {
  const ticketKeys = newTicketKeys();
  const starts = NAMES.map((name) => () => startDemoUpstream({ name, tickets: true, ticketKeys }));
  return withServers(starts, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const crowd = new Crowd(balancer, run.kind, "stable", "newest");
      await crowd.arrive();
      const resume = (count: number): Promise<Attempt[]> =>
        inParallel(count, run.atOnce, (i) => crowd.attempt(i % CLIENTS));
      if (run.rotates) {
        await resume(run.measured);
        const nextKeys = newTicketKeys();
        for (const upstream of upstreams) upstream.setTicketKeys(nextKeys);
      }
      await resume(run.warmUp);
      return shares(await resume(run.measured));
    }),
  );
}

function shares(attempts: Attempt[]): Shares {
  const resumed = attempts.filter((attempt) => attempt.resumed);
  const counts = NAMES.map((name) => resumed.filter(({ upstream }) => upstream === name).length);
  const ratio = Math.max(...counts) / Math.min(...counts);
  const misses: string[] = [];
  if (!(ratio <= LARGEST_RATIO)) misses.push(`shares of ${counts.join(", ")}`);
  if (resumed.length < LEAST_RESUMED * attempts.length) misses.push(`${resumed.length} of ${attempts.length} resumed`);
  const errors = attempts.filter(({ error }) => error !== null);
  if (errors.length > 0) misses.push(`${errors.length} errors, such as: ${errors[0]?.error}`);
  return { counts, ratio, misses };
}

function sharedKeyPlan(title: string, kind: Kind, rotates: boolean, isLarge: boolean): Plan {
  return {
    title,
    target: `<= ${LARGEST_RATIO}, >= 98 % resumed`,
    measure: async (column, { isSmall }) => {
      const texts: string[] = [];
      const misses: string[] = [];
      for (const atOnce of isSmall ? [8] : [1, 2, 8, 40]) {
        const run = { kind, atOnce, warmUp: rotates ? 200 : 0, measured: MEASURED, rotates };
        const { counts, ratio, misses: missed } = await sharesOf(column, run);
        texts.push(Number.isFinite(ratio) ? ratio.toFixed(2) : `only ${counts.filter((n) => n > 0).length} of 4`);
        misses.push(...missed.map((miss) => `${atOnce} at once: ${miss}`));
      }
      return { text: texts.join(" / "), misses };
    },
    isLarge,
  };
}

const LARGEST_RATIO = 1.2;
const LEAST_RESUMED = 0.98;
/** Eight for each client. */
const MEASURED = 8 * CLIENTS;

const SHARES = "largest / smallest share, 1 / 2 / 8 / 40 clients at once";

export const SHARED_KEY_PLANS: Plan[] = [
  sharedKeyPlan(`shared ticket key, TLS 1.3: ${SHARES}`, "stateless", false, false),
  sharedKeyPlan("shared ticket key, TLS 1.3, after it was rotated on all", "stateless", true, false),
  sharedKeyPlan(`shared ticket key, TLS 1.2: ${SHARES}`, "ticket", false, true),
  sharedKeyPlan("shared ticket key, TLS 1.2, after it was rotated on all", "ticket", true, true),
];
