/**
 * Clients that say a hello under the name of alpha's ticket key and are silent from then on, beside honest clients of alpha: those are
 * to go on resuming there. A server owes such a client nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Column } from "./balancers.ts";
import { Addresses, visit } from "./client.ts";
import { ASKED_ELSEWHERE, atPace, inParallel, NAMES, withBalancer, withUpstreams } from "./crowd.ts";
import { KEY_NAME_BYTES, madeUp, sessionsAt } from "./lies.ts";
import type { Plan } from "./plan.ts";
import { asksToRetry, type Silence, type SilentClient, startSilentClient } from "../silent_hello.ts";
import { sessionOf } from "../ssl_session.ts";

export interface SilentRun {
  /** How long alpha's clients are watched. */
  seconds: number;
  /** Each of them begins at one of these seconds. */
  begins: number[];
  /** Whether they all come from one address. */
  fromOneAddress: boolean;
}

export interface SilenceOutcome {
  offers: number;
  misses: number;
  /** Silent clients whose server waits for them as it was meant to; fewer than there are if nothing was measured. */
  waiting: number;
}

export function besideSilence(column: Column, run: SilentRun): Promise<SilenceOutcome> {
  return withUpstreams("stateless", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const sessions = await sessionsAt(balancer, "alpha", 12);
      const keyName = (sessionOf(sessions[0] as Buffer).ticket as Buffer).subarray(0, KEY_NAME_BYTES);
      const addresses = new Addresses("new");
      const resume = async (i: number): Promise<boolean> => {
        const seen = await visit(balancer.port, "stateless", addresses.of(i), sessions[i % sessions.length]);
        return seen.resumed;
      };
      // Until alpha's key is known.
      await inParallel(2 * sessions.length, 1, resume);

      const silent: SilentClient[] = [];
      const speak = run.begins.map(async (second, i) => {
        await sleep(second * 1000);
        const from = run.fromOneAddress ? "127.88.0.1" : `127.88.0.${1 + i}`;
        silent[i] = startSilentClient(balancer.port, from, silenceOf(i), madeUp(keyName));
      });
      try {
        const resumed = await atPace(OFFERS_A_SECOND, run.seconds, resume);
        const waiting = silent.filter((client, i) =>
          silenceOf(i) === "retry" ? asksToRetry(client.received()) : client.received().length === 0,
        );
        const misses = resumed.filter((isResumed) => !isResumed).length;
        return { offers: resumed.length, misses, waiting: waiting.length };
      } finally {
        await Promise.allSettled(speak);
        for (const client of silent) client.end();
      }
    }),
  );
}

function silenceOf(i: number): Silence {
  return i % 2 === 0 ? "retry" : "record";
}

const OFFERS_A_SECOND = 10;
const EACH_THREE_SECONDS: SilentRun = { seconds: 15, begins: [0, 3, 6, 9, 12], fromOneAddress: false };
const AT_ONCE: SilentRun = { seconds: 8, begins: [0, 0, 0, 0, 0, 0], fromOneAddress: true };

export const SILENCE_PLANS: Plan[] = [
  {
    title: "misses of a server's clients beside silent ones: one each 3 s / six at once from one address",
    target: "<= 2",
    measure: async (column) => {
      const texts: string[] = [];
      const misses: string[] = [];
      for (const run of [EACH_THREE_SECONDS, AT_ONCE]) {
        const { offers, misses: missed, waiting } = await besideSilence(column, run);
        texts.push(`${missed} of ${offers}`);
        if (missed > ASKED_ELSEWHERE) misses.push(`${missed} of ${offers} not resumed`);
        if (waiting < run.begins.length) misses.push(`${waiting} of ${run.begins.length} have kept a server waiting`);
      }
      return { text: texts.join(" / "), misses };
    },
    steeredBy: ["hash", "exact"],
    isLarge: true,
  },
];
