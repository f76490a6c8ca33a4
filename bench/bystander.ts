/**
 * `npm run bench:bystander`: how long a client's handshake takes while many callers read the admin API, beside the same alone. Listings
 * are of a cache of --sessions sessions, of a name that none of them has, so that each looks at all of them; events are of a
 * type that there is none of. Each caller asks again as soon as it has its answer. Client, upstream and callers are three processes,
 * which share the machine's cores with Envoy's two workers. Prints a Markdown table; a target that is missed is said, and is no failure.
 *
 * --rounds N      3
 * --handshakes N  of each measurement, 1000
 * --listings N    callers at once, 1000
 * --readers N     of events, at once, 100
 * --sessions N    6000
 */
import { Agent } from "node:http";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { freshId, READ_TOKEN } from "../tests/contract/client.ts";
import { adminClient, inParallel, type Stack, startStack } from "../tests/support/stack.ts";
import { build } from "../tools/build.ts";
import { describeMachine } from "../tools/machine.ts";
import { findEnvoy } from "../tools/proxies/envoy_binary.ts";
import { runTool } from "../tools/run_tool.ts";
import { SetupError } from "../tools/setup_error.ts";
import { BYSTANDER_CLIENT, handshakesOf } from "./bystander_orders.ts";
import { startLoad } from "./load.ts";
import { type Part, startPart } from "./parts.ts";
import { quantile } from "./statistics.ts";

interface Options {
  rounds: number;
  handshakes: number;
  listings: number;
  readers: number;
  sessions: number;
}

/** Callers who ask for the same, so many at once. */
type Callers = [count: number, path: string];

const ENDED = new Error("the callers have ended before the handshakes");
const WARM_UP = 50;
const PAUSE_MILLISECONDS = 2;
const TARGET_MILLISECONDS = 20;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await runTool((args) => run(readOptions(args)));

async function run(options: Options): Promise<void> {
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  for (const line of await describeMachine(await findEnvoy(console.error))) console.log(line);
  const load = await startLoad();
  const stack = await startStack({
    upstreams: [load.upstream],
    // As shipped, the admin listener takes 1,000 connections.
    change: (document) => {
      const limits = ["layered_runtime", "layers", 0, "static_layer"];
      document.setIn([...limits, "envoy.resource_limits.listener.session_admin.connection_limit"], 10_000);
    },
  });
  const client = startPart(BYSTANDER_CLIENT);
  try {
    await fill(stack, options.sessions);
    await measure(options, stack, client);
  } finally {
    client.child.kill("SIGKILL");
    await stack.stop();
    load.stop();
  }
}

async function fill({ admin }: Stack, count: number): Promise<void> {
  const body = { sni: "held.example", upstream: "10.0.0.7:443" };
  await inParallel(Array.from({ length: count }, freshId), 32, (id) => admin("PUT", `/v1/sessions/${id}`, { body }));
}

async function measure(options: Options, stack: Stack, client: Part): Promise<void> {
  const { handshakes, listings, readers, rounds } = options;
  const order = { port: stack.tlsPort, count: handshakes, pauseMilliseconds: PAUSE_MILLISECONDS };
  const list: Callers = [listings, "/v1/sessions?limit=1000&sni=nobody.example"];
  const read: Callers = [readers, "/v1/events?type=diverted"];
  const cases: Record<string, Callers[]> = {
    alone: [],
    [`${listings} listings`]: [list],
    [`${readers} readers of events`]: [read],
    "both at once": [list, read],
  };
  console.log(
    `\n${handshakes} full handshakes of TLS 1.2 each, ${options.sessions} sessions; load average before each round`,
  );
  console.log("\n| round (load) | beside | p50 ms | p99 ms | longest ms | answers a second | answers but 200 |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  await handshakesOf(client, { ...order, count: WARM_UP });
  for (let round = 1; round <= rounds; round++) {
    const busy = (loadavg()[0] ?? 0).toFixed(1);
    for (const [name, callers] of Object.entries(cases)) {
      const { result, perSecond, others } = await besides(stack, callers, () => handshakesOf(client, order));
      const [half, most, longest] = [0.5, 0.99, 1].map((share) => quantile(result, share).toFixed(1));
      console.log(`| ${round} (${busy}) | ${name} | ${half} | ${most} | ${longest} | ${perSecond} | ${others} |`);
    }
  }
  console.log(`\ntarget: p99 below ${TARGET_MILLISECONDS} ms beside both at once, on a machine that does nothing else`);
}

/** Begins when each caller has had an answer, so that all of them wait in their turns. */
async function besides<T>(
  stack: Stack,
  callers: Callers[],
  act: () => Promise<T>,
): Promise<{ result: T; perSecond: number; others: number }> {
  const agent = new Agent({ keepAlive: true });
  const admin = adminClient(stack.adminPort, agent);
  let stopped = false;
  let answers = 0;
  let others = 0;
  const firsts: Promise<unknown>[] = [];
  const lanes = callers.flatMap(([count, path]) =>
    Array.from({ length: count }, async () => {
      let first: () => void = () => undefined;
      firsts.push(new Promise<void>((resolve) => (first = resolve)));
      while (!stopped) {
        const { status } = await admin("GET", path, { token: READ_TOKEN });
        answers++;
        if (status !== 200) others++;
        first();
      }
    }),
  );
  const all = Promise.all(lanes);
  // A lane that fails ends all of it.
  await Promise.race([Promise.all(firsts), all]);
  answers = others = 0;
  const begun = performance.now();
  try {
    const result = await (lanes.length === 0 ? act() : Promise.race([act(), all.then(() => Promise.reject(ENDED))]));
    return { result, perSecond: Math.round((answers / (performance.now() - begun)) * 1000), others };
  } finally {
    stopped = true;
    await all;
    agent.destroy();
  }
}

function readOptions(args: string[]): Options {
  const option = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: { rounds: option, handshakes: option, listings: option, readers: option, sessions: option },
  });
  const number = (name: keyof Options, otherwise: number): number => {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 1) throw new SetupError(`--${name}: expected a whole number from 1 on`);
    return value;
  };
  return {
    rounds: number("rounds", 3),
    handshakes: number("handshakes", 1000),
    listings: number("listings", 1000),
    readers: number("readers", 100),
    sessions: number("sessions", 6000),
  };
}
