/**
 * The measurements of `demo_affinity`, one row after the other, each balancer cold for each number: how many offers were
 * resumed, how evenly new connections spread, what happens when an upstream dies or the upstreams change.
 *
 * What resumed is what the client says. A cell may miss its target only in the columns of this filter.
 */
import { Addresses, type Kind, type Offering, type Seen, type Sources, visit } from "./demo_affinity_client.ts";
import { type Balancer, type BySource, type Column, steeringColumn } from "./demo_affinity_balancers.ts";
import { startUpstream, type Upstream } from "./demo_affinity_upstreams.ts";

export interface AffinityOptions {
  /** Resumptions offered for each number. */
  attempts: number;
  newConnections: number;
  /** Leaves out the rows that are `isLarge`, and offers newest and first sessions to one balancer, one after the other. */
  isSmall: boolean;
  columns: Column[];
  progress: (line: string) => void;
}

export interface Row {
  title: string;
  /** In words, "" where there is none. */
  target: string;
  /** Text by the name of its column. */
  cells: Map<string, string>;
  /** What was missed, in words. */
  missed: string[];
}

export async function measureAffinity(options: AffinityOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const plan of PLANS.filter(({ isLarge }) => !options.isSmall || isLarge !== true)) {
    const cells = new Map<string, string>();
    const missed: string[] = [];
    for (const column of columnsOf(plan, options.columns)) {
      const { text, misses } = await plan.measure(column, options);
      cells.set(column.name, text);
      if (column.steering !== null) missed.push(...misses.map((miss) => `${plan.title}; ${column.title}: ${miss}`));
      options.progress(`${plan.title}; ${column.title}: ${text}`);
    }
    rows.push({ title: plan.title, target: plan.target, cells, missed });
  }
  return rows;
}

interface Plan {
  title: string;
  target: string;
  measure: (column: Column, options: AffinityOptions) => Promise<{ text: string; misses: string[] }>;
  /** What this filter makes of source addresses, where it is not the usual. */
  bySource?: BySource;
  /** Not in the small run. */
  isLarge?: boolean;
  /** Not for HAProxy, whose servers would need another way of changing. */
  changes?: boolean;
}

function columnsOf({ bySource, changes }: Plan, columns: Column[]): Column[] {
  return columns
    .filter(({ name }) => changes !== true || name !== "haproxy")
    .map((column) => (column.steering === null ? column : steeringColumn(column.steering, bySource)));
}

/** Clients and what each of them holds. */
class Crowd {
  private readonly addresses: Addresses;
  private readonly first: Seen[] = [];
  private readonly last: Seen[] = [];
  /** Upstreams that have accepted a session: a filter may know their ticket keys. */
  private readonly haveAccepted = new Set<string>();

  constructor(
    private readonly balancer: Balancer,
    private readonly kind: Kind,
    sources: Sources,
    private readonly offering: Offering,
  ) {
    this.addresses = new Addresses(sources);
  }

  /** Each client gets its first session; then the first `warmUp` attempts are made without being counted. */
  async arrive(warmUp = 0): Promise<void> {
    await inParallel(CLIENTS, async (client) => {
      const seen = await visit(this.balancer.port, this.kind, this.addresses.of(client));
      if (seen.error !== null) throw new Error(`a new connection failed: ${seen.error}`);
      this.first[client] = this.last[client] = seen;
    });
    await inParallel(warmUp, async (i) => void (await this.attempt(i % CLIENTS)));
  }

  async attempt(client: number): Promise<Attempt> {
    const { session, upstream: issuer } = (this.offering === "first" ? this.first : this.last)[client] as Seen;
    const isLearned = this.haveAccepted.has(issuer);
    const seen = await visit(this.balancer.port, this.kind, this.addresses.of(client), session);
    if (seen.resumed) this.haveAccepted.add(seen.upstream);
    if (seen.error === null) this.last[client] = seen;
    return { ...seen, client, issuer, missedThoughLearned: isLearned && !seen.resumed };
  }
}

interface Attempt extends Seen {
  client: number;
  issuer: string;
  missedThoughLearned: boolean;
}

async function withUpstreams<T>(kind: Kind, names: string[], act: (upstreams: Upstream[]) => Promise<T>): Promise<T> {
  const upstreams: Upstream[] = [];
  try {
    for (const name of names) upstreams.push(await startUpstream(name, kind));
    return await act(upstreams);
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

async function withBalancer<T>(
  column: Column,
  upstreams: Upstream[],
  act: (balancer: Balancer) => Promise<T>,
): Promise<T> {
  const balancer = await column.start(upstreams.map(({ address }) => address));
  let result: T;
  try {
    result = await act(balancer);
  } catch (error) {
    await balancer.stop().catch(() => undefined);
    throw error;
  }
  await balancer.stop();
  return result;
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
        const made = await inParallel(attempts, (i) => crowd.attempt(i % CLIENTS));
        const resumed = made.filter((attempt) => attempt.resumed).length;
        texts.push(percentText(resumed, attempts) + (showsShare ? ` (${busiestPercent(made)} % on one)` : ""));
        const errors = made.filter(({ error }) => error !== null);
        if (errors.length > 0) misses.push(`${offering}: ${errors.length} errors, such as: ${errors[0]?.error}`);
        // What is learned from cold costs as much in a short run as in a long one.
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

function busiestPercent(attempts: Attempt[]): number {
  const counts = NAMES.map((name) => attempts.filter(({ upstream }) => upstream === name).length);
  return Math.round((100 * Math.max(...counts)) / attempts.length);
}

async function spread(
  column: Column,
  { newConnections }: AffinityOptions,
): Promise<{ text: string; misses: string[] }> {
  return withUpstreams("stateless", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const counts = new Map(NAMES.map((name) => [name, 0]));
      const addresses = new Addresses("stable");
      await inParallel(newConnections, async (i) => {
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
async function killed(column: Column): Promise<{ text: string; misses: string[] }> {
  return withUpstreams("stateless", NAMES, (upstreams) =>
    withBalancer(column, upstreams, async (balancer) => {
      const crowd = new Crowd(balancer, "stateless", "stable", "first");
      await crowd.arrive(3 * CLIENTS);
      await upstreams[0]?.close();
      const attempts = await inParallel(5 * CLIENTS, (i) => crowd.attempt(i % CLIENTS));
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
        const attempts = await inParallel(AFTER_CHANGE * CLIENTS, (i) => crowd.attempt(i % CLIENTS));
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

/** Runs `act` for 0, 1, 2, and so on, some at a time. */
async function inParallel<T>(count: number, act: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = new Array<T>(count);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) results[i] = await act(i);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count) }, lane));
  return results;
}

/** Rounded down: what is not all of them is never 100. */
function percentText(part: number, whole: number): string {
  const percent = Math.floor((1000 * part) / whole) / 10;
  return Number.isInteger(percent) ? `${percent} %` : `${percent.toFixed(1)} %`;
}

const NAMES = ["alpha", "beta", "gamma", "delta"];
const CLIENTS = 40;
/** Fewer than clients, so that no client has two connections at a time. */
const AT_A_TIME = 8;
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
    bySource: "always",
  },
  {
    title: "the same, `steering_by_source` `false`",
    target: "",
    measure: withoutTarget(resumptions("stateful", "one", 0, { showsShare: true })),
    bySource: false,
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
];

function withoutTarget(measure: Plan["measure"]): Plan["measure"] {
  return async (column, options) => ({ ...(await measure(column, options)), misses: [] });
}
