/**
 * The measurements of `npm run demo:affinity`, one row after the other, each balancer cold for each number: how many offers were
 * resumed, how evenly new connections spread, what happens when an upstream dies or the upstreams change.
 *
 * The client's word decides whether it resumed. A cell may miss its target only in the columns of this filter.
 */
import { Addresses, type Kind, type Offering, type Sources, visit } from "./client.ts";
import { type Balancer, type Column, steeringColumn } from "./balancers.ts";
import { BY_HAND_PLANS } from "./by_hand.ts";
import { AT_A_TIME, busiestPercent, type Cell, CLIENTS, Crowd, inParallel, NAMES } from "./crowd.ts";
import { percentText, withBalancer, withUpstreams } from "./crowd.ts";
import { LYING_PLANS } from "./lies.ts";
import { OUTAGE_PLANS } from "./outage.ts";
import type { AffinityOptions, Plan } from "./plan.ts";
import { SHARED_KEY_PLANS } from "./shared_key.ts";
import { SILENCE_PLANS } from "./silence.ts";
import { SKEW_PLANS } from "./skew.ts";

export interface Row {
  title: string;
  /** In words, "" if there is none. */
  target: string;
  /** Text by the name of its column. */
  cells: Map<string, string>;
  /** The missed targets, in words. */
  missed: string[];
}

export async function measureAffinity(options: AffinityOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const { isSmall, titled = "" } = options;
  const plans = PLANS.filter(({ title, isLarge }) => title.includes(titled) && !(isSmall && isLarge === true));
  for (const plan of plans) {
    const cells = new Map<string, string>();
    const missed: string[] = [];
    for (const column of columnsOf(plan, options.columns)) {
      const cell = await plan.measure(column, options);
      if (cell === null) continue;
      const { text, misses } = cell;
      cells.set(column.name, text);
      if (column.steering !== null) missed.push(...misses.map((miss) => `${plan.title}; ${column.title}: ${miss}`));
      options.progress(`${plan.title}; ${column.title}: ${text}`);
    }
    rows.push({ title: plan.title, target: plan.target, cells, missed });
  }
  return rows;
}

function columnsOf({ variant, changes, steeredBy }: Plan, columns: Column[]): Column[] {
  return columns
    .filter(({ name }) => changes !== true || name !== "haproxy")
    .filter(({ steering }) => steeredBy === undefined || (steering !== null && steeredBy.includes(steering)))
    .map((column) => (column.steering === null ? column : steeringColumn(column.steering, variant)));
}

/** Percent resumed of the offers of the newest session, and of those of the first. */
function resumptions(
  kind: Kind,
  sources: Sources,
  leastPercent: number,
  { fullOnceLearned = false, showsShare = false, leastAttempts = 0 } = {},
): Plan["measure"] {
  return (column, { attempts: wantedAttempts, isSmall }) =>
    withUpstreams(kind, NAMES, async (upstreams) => {
      const attempts = Math.max(wantedAttempts, leastAttempts);
      const texts: string[] = [];
      const misses: string[] = [];
      const measure = async (balancer: Balancer, offering: Offering): Promise<void> => {
        const crowd = new Crowd(balancer, kind, sources, offering);
        await crowd.arrive();
        const made = await inParallel(attempts, AT_A_TIME, (i) => crowd.attempt(i % CLIENTS));
        const resumed = made.filter((attempt) => attempt.resumed).length;
        texts.push(percentText(resumed, attempts) + (showsShare ? ` (${busiestPercent(made)} % on one)` : ""));
        const errors = made.filter(({ error }) => error !== null);
        if (errors.length > 0) misses.push(`${offering}: ${errors.length} errors, such as: ${errors[0]?.error}`);
        // Learning from cold costs as much in a short run as in a long one.
        const allowed = leastPercent === 100 ? 0 : Math.max(((100 - leastPercent) / 100) * attempts, LEARNING_MISSES);
        if (attempts - resumed > allowed) misses.push(`${offering}: ${attempts - resumed} of ${attempts} not resumed`);
        const late = made.filter(({ missedThoughLearned }) => missedThoughLearned).length;
        if (fullOnceLearned && late > 0) misses.push(`${offering}: ${late} misses under keys accepted before`);
      };
      if (isSmall) {
        await withBalancer(column, upstreams, async (balancer) => {
          for (const offering of OFFERINGS) await measure(balancer, offering);
        });
      } else {
        for (const offering of OFFERINGS) {
          await withBalancer(column, upstreams, (balancer) => measure(balancer, offering));
        }
      }
      return { text: texts.join(" / "), misses };
    });
}

async function spread(column: Column, { newConnections }: AffinityOptions): Promise<Cell> {
  return withUpstreams("stateless", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const counts = new Map(NAMES.map((name) => [name, 0]));
      const addresses = new Addresses("stable");
      await inParallel(newConnections, AT_A_TIME, async (i) => {
        const { upstream } = await visit(balancer.port, "stateless", addresses.of(i % CLIENTS));
        counts.set(upstream, (counts.get(upstream) ?? 0) + 1);
      });
      const sizes = [...counts.values()];
      const ratio = Math.max(...sizes) / Math.min(...sizes);
      // Fewer connections spread less evenly by chance alone.
      const bound = newConnections >= 4000 ? 1.15 : 1 + 10 / Math.sqrt(newConnections / 3);
      return { text: ratio.toFixed(2), misses: ratio > bound ? [`${ratio.toFixed(2)} (${sizes.join(", ")})`] : [] };
    }),
  );
}

/** Clients that see an error once one upstream does not answer any more; nothing is under way when it dies. */
async function killed(column: Column): Promise<Cell> {
  return withUpstreams("stateless", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const crowd = new Crowd(balancer, "stateless", "stable", "first");
      await crowd.arrive(3 * CLIENTS);
      await upstreams[0]?.close();
      const attempts = await inParallel(5 * CLIENTS, AT_A_TIME, (i) => crowd.attempt(i % CLIENTS));
      const unlucky = new Map(
        attempts.flatMap(({ client, error }): [number, string][] => (error === null ? [] : [[client, error]])),
      );
      const misses = [...unlucky.values()].slice(0, 1).map((error) => `${unlucky.size} clients, such as: ${error}`);
      return { text: `${unlucky.size} of ${CLIENTS}`, misses };
    }),
  );
}

/**
 * The most misses that a client had after the upstreams changed, and how many of the clients had any. A client whose
 * issuer is gone must miss once.
 */
function changed(changeTo: string[]): Plan["measure"] {
  return (column) =>
    withUpstreams("stateless", [...new Set([...NAMES, ...changeTo])], async (upstreams) => {
      const before = upstreams.filter(({ name }) => NAMES.includes(name));
      const after = upstreams.filter(({ name }) => changeTo.includes(name));
      return await withBalancer(column, before, async (balancer) => {
        const crowd = new Crowd(balancer, "stateless", "stable", "newest");
        await crowd.arrive(5 * CLIENTS);
        await balancer.change(after.map(({ address }) => address));
        const attempts = await inParallel(AFTER_CHANGE * CLIENTS, AT_A_TIME, (i) => crowd.attempt(i % CLIENTS));
        const misses = Array.from({ length: CLIENTS }, (_, client) =>
          attempts.filter((attempt) => attempt.client === client && !attempt.resumed),
        );
        const most = Math.max(...misses.map(({ length }) => length));
        const concerned = misses.filter(({ length }) => length > 0).length;
        const errors = attempts.filter(({ error }) => error !== null).length;
        const complaints = most > 1 ? [`a client missed ${most} times, ${concerned} missed`] : [];
        if (errors > 0) complaints.push(`${errors} errors`);
        return { text: `${most} (${concerned} clients)`, misses: complaints };
      });
    });
}

const AFTER_CHANGE = 8;
/** Four ticket keys from cold, each declined by up to three upstreams, by several clients at the same time. */
const LEARNING_MISSES = 20;
const OFFERINGS: Offering[] = ["newest", "first"];

const PLANS: Plan[] = [
  {
    title: "TLS 1.2 ID, source addresses stable",
    target: "100 %",
    measure: resumptions("id", "stable", 100),
    isLarge: true,
  },
  { title: "TLS 1.2 ID, a new source address each time", target: "100 %", measure: resumptions("id", "new", 100) },
  {
    title: "TLS 1.2 ticket, source addresses stable",
    target: "100 %",
    measure: resumptions("ticket", "stable", 100),
    isLarge: true,
  },
  {
    title: "TLS 1.2 ticket, a new source address each time",
    target: "100 %",
    measure: resumptions("ticket", "new", 100),
  },
  {
    title: "TLS 1.3, stateless tickets, source addresses stable",
    target: "100 %",
    measure: resumptions("stateless", "stable", 100),
  },
  {
    title: "TLS 1.3, stateless tickets, a new source address each time, from cold",
    target: ">= 98 %",
    measure: resumptions("stateless", "new", 98, { fullOnceLearned: true }),
  },
  {
    title: "TLS 1.3, stateful tickets, source addresses stable",
    target: "100 %",
    measure: resumptions("stateful", "stable", 100),
  },
  {
    title: "TLS 1.3, stateful tickets, all clients behind one address",
    target: ">= 75 %",
    measure: resumptions("stateful", "one", 75, { showsShare: true, leastAttempts: 8 * CLIENTS }),
  },
  {
    title: 'the same, `steering_by_source` `"always"`',
    target: "100 %",
    measure: resumptions("stateful", "one", 100, { showsShare: true }),
    variant: { settings: { steering_by_source: "always" } },
  },
  {
    title: "the same, `steering_by_source` `false`",
    target: "",
    measure: withoutTarget(resumptions("stateful", "one", 0, { showsShare: true })),
    variant: { settings: { steering_by_source: false } },
    isLarge: true,
  },
  { title: "new connections, largest / smallest share", target: "<= 1.15", measure: spread },
  { title: "clients that see an error when one upstream is killed", target: "0", measure: killed },
  {
    title: "most misses of a client after an upstream is added",
    target: "<= 1",
    measure: changed([...NAMES, "epsilon"]),
    isLarge: true,
    changes: true,
  },
  {
    title: "most misses of a client after an upstream is removed",
    target: "<= 1",
    measure: changed(NAMES.slice(0, 3)),
    changes: true,
  },
  {
    title: "most misses of a client after an upstream is replaced",
    target: "<= 1",
    measure: changed([...NAMES.slice(0, 3), "epsilon"]),
    changes: true,
  },
  ...SHARED_KEY_PLANS,
  ...LYING_PLANS,
  ...SILENCE_PLANS,
  ...OUTAGE_PLANS,
  ...BY_HAND_PLANS,
  ...SKEW_PLANS,
];

function withoutTarget(measure: Plan["measure"]): Plan["measure"] {
  return async (column, options) => {
    const cell = await measure(column, options);
    return cell === null ? null : { ...cell, misses: [] };
  };
}
