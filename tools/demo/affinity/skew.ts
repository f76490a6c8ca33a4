/**
 * Loads that lean to one side: an address that half of all clients share, and a ticket that very many clients use. What resumes them
 * sends much to one server; a bound on that server's load costs resumptions. There is no target here: the price is shown.
 */
import type { Steering, Variant } from "./balancers.ts";
import { Addresses, type Kind, visit } from "./client.ts";
import { AT_A_TIME, busiestPercent, type Cell, CLIENTS, Crowd, inParallel, NAMES } from "./crowd.ts";
import { percentText, withBalancer, withUpstreams } from "./crowd.ts";
import type { Plan } from "./plan.ts";

function halfBehindOneAddress(kind: Kind): Plan["measure"] {
  return (column, { attempts }) =>
    unlessRefused(() =>
      withUpstreams(kind, NAMES, (upstreams) =>
        withBalancer(column, upstreams, async (balancer) => {
          const crowd = new Crowd(balancer, kind, "half", "newest");
          await crowd.arrive();
          return cellOf(await inParallel(attempts, AT_A_TIME, (i) => crowd.attempt(i % CLIENTS)));
        }),
      ),
    );
}

const oneTicketForAll: Plan["measure"] = (column) =>
  unlessRefused(() =>
    withUpstreams("stateless", NAMES, (upstreams) =>
      withBalancer(column, upstreams, async (balancer) => {
        const addresses = new Addresses("new");
        const { session } = await visit(balancer.port, "stateless", addresses.of(0));
        const come = (i: number): ReturnType<typeof visit> =>
          visit(balancer.port, "stateless", addresses.of(i), session);
        return cellOf(await inParallel(USERS, AT_A_TIME, come));
      }),
    ),
  );

function cellOf(attempts: { resumed: boolean; upstream: string }[]): Cell {
  const resumed = attempts.filter((attempt) => attempt.resumed).length;
  return { text: `${percentText(resumed, attempts.length)} (${busiestPercent(attempts)} % on one)`, misses: [] };
}

/** null if the module has no field for the bound, so that Envoy does not start. */
async function unlessRefused(measure: () => Promise<Cell>): Promise<Cell | null> {
  try {
    return await measure();
  } catch (error) {
    if (/steering_balance_factor.*no such field/.test(String(error))) return null;
    throw error;
  }
}

const USERS = 1000;
const PER_CENT = 150;

const LOADS: { title: string; measure: Plan["measure"] }[] = [
  {
    title: "skew: half of all clients behind one address, stateless tickets",
    measure: halfBehindOneAddress("stateless"),
  },
  {
    title: "skew: half of all clients behind one address, stateful tickets",
    measure: halfBehindOneAddress("stateful"),
  },
  { title: "skew: one ticket that 1,000 clients use", measure: oneTicketForAll },
];

const BOUNDS: { title: string; variant: Variant; steeredBy: Steering[] }[] = [
  {
    title: `\`steering_balance_factor\` ${PER_CENT}`,
    variant: { settings: { steering_balance_factor: PER_CENT } },
    steeredBy: ["hash", "exact"],
  },
  {
    title: `Envoy's \`hash_balance_factor\` ${PER_CENT}`,
    variant: { hashBalanceFactor: PER_CENT },
    steeredBy: ["hash"],
  },
];

export const SKEW_PLANS: Plan[] = LOADS.flatMap(({ title, measure }) => [
  { title, target: "", measure, isLarge: true },
  ...BOUNDS.map((bound) => ({ ...bound, title: `${title}; ${bound.title}`, target: "", measure, isLarge: true })),
]);
