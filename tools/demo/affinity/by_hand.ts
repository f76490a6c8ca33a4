/**
 * Sessions that an operator has added and the cache has never seen: a cold Envoy whose first clients all come back with sessions that they have
 * from the servers themselves, and whose issuers the admin API was given. Here, no ticket shows its issuer otherwise.
 *
 * The way to each server has to be found first, which costs misses; from then on, each client is led home.
 */
import { createHash } from "node:crypto";
import type { Balancer, Column } from "./balancers.ts";
import { DEMO_TOKEN } from "./balancers.ts";
import { Addresses, visit } from "./client.ts";
import { CLIENTS, inParallel, NAMES, withBalancer, withUpstreams } from "./crowd.ts";
import type { Plan } from "./plan.ts";
import { splitAddress } from "../../proxies/envoy_config.ts";
import { sessionOf } from "../ssl_session.ts";

/** How many of forty clients resume at their first offer of a session, and at their second one of the same. */
export interface ByHandOutcome {
  first: number;
  second: number;
}

/** The column's balancer has to have the admin API. Fails if this refuses a record. */
export function resumedByHand(column: Column): Promise<ByHandOutcome> {
  return withUpstreams("stateful", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const addresses = new Addresses("stable");
      const sessions = await inParallel(CLIENTS, 1, async (client) => {
        const { address } = upstreams[client % upstreams.length] as (typeof upstreams)[number];
        const { session, error } = await visit(splitAddress(address).port, "stateful", addresses.of(client));
        if (session === undefined) throw new Error(`no session from ${address}: ${error}`);
        await putIn(balancer, session, address);
        return session;
      });
      const offer = async (): Promise<number> => {
        const seen = await inParallel(CLIENTS, 1, (client) =>
          visit(balancer.port, "stateful", addresses.of(client), sessions[client]),
        );
        return seen.filter(({ resumed }) => resumed).length;
      };
      return { first: await offer(), second: await offer() };
    }),
  );
}

async function putIn(balancer: Balancer, session: Buffer, upstream: string): Promise<void> {
  const id = createHash("sha256")
    .update(sessionOf(session).ticket as Buffer)
    .digest("hex");
  const answer = await fetch(`http://127.0.0.1:${balancer.adminPort}/v1/sessions/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${DEMO_TOKEN}` },
    body: JSON.stringify({ kind: "psk", protocol: "TLSv1.3", upstream }),
  });
  if (!answer.ok) throw new Error(`the admin API refuses a session: ${await answer.text()}`);
}

export const LEAST_RESUMED = 38;

export const BY_HAND_PLANS: Plan[] = [
  {
    title: "of 40 sessions put in by hand, resumed at the first / second offer",
    target: `second >= ${LEAST_RESUMED}`,
    measure: async (column) => {
      const { first, second } = await resumedByHand(column);
      return { text: `${first} / ${second}`, misses: second < LEAST_RESUMED ? [`${second} of 40 resumed`] : [] };
    },
    variant: { hasAdmin: true },
    steeredBy: ["hash", "exact"],
    isLarge: true,
  },
];
