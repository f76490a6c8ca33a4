/**
 * A server that stays dead while clients go on resuming, its own among them: long enough for Envoy to try it again several times.
 * No client is to see an error.
 */
import type { Column } from "./balancers.ts";
import { atPace, type Cell, CLIENTS, Crowd, NAMES, withBalancer, withUpstreams } from "./crowd.ts";
import type { Plan } from "./plan.ts";

/** Clients that offer the first session that they got, in front of the servers named; the first of these is dead from the start on. */
export function errorsOfOutage(column: Column, names: string[], seconds: number): Promise<Cell> {
  return withUpstreams("stateless", names, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const crowd = new Crowd(balancer, "stateless", "stable", "first");
      await crowd.arrive(3 * CLIENTS);
      await upstreams[0]?.close();
      const attempts = await atPace(OFFERS_A_SECOND, seconds, (i) => crowd.attempt(i % CLIENTS));
      const errors = attempts.flatMap(({ error }) => (error === null ? [] : [error]));
      return {
        text: `${errors.length} of ${attempts.length}`,
        misses: errors
          .slice(0, 1)
          .map((error) => `${names.length} servers: ${errors.length} errors, such as: ${error}`),
      };
    }),
  );
}

const OFFERS_A_SECOND = 10;
const MINUTE = 60;
/** A server is left out for 1 s, then 2 s, and so on up to 5 s. */
const SEVERAL_RETURNS = 15;

export const OUTAGE_PLANS: Plan[] = [
  {
    title: "errors while a server is dead for a minute and clients resume, of 2 / 4 servers",
    target: "0",
    measure: async (column, { isSmall }) => {
      const cells = await Promise.all(
        [NAMES.slice(0, 2), NAMES].map((names) => errorsOfOutage(column, names, isSmall ? SEVERAL_RETURNS : MINUTE)),
      );
      return { text: cells.map(({ text }) => text).join(" / "), misses: cells.flatMap(({ misses }) => misses) };
    },
  },
];
