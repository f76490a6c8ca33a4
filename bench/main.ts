/**
 * `npm run bench`: what this filter costs a connection, beside Envoy without it, Envoy with a wasm filter that does nothing,
 * and HAProxy. Prints Markdown tables; exit code 1 if it could not measure. A missed target is reported, and is not a
 * failure: a busy machine misses them, too. Linux only.
 *
 *   npm run bench -- --only resumed12 --rounds 30
 *
 * --only PART,...      of full12, resumed12, resumed12_id, full13, resumed13 (handshakes by TLS version; a resumption of TLS 1.2
 *                      by ticket or, _id, by session ID), download, idle, vanish, calls (of the host: how many, and what
 *                      they cost), callbacks (how long the module takes); without it: all but resumed12_id
 * --rounds N           slices for each proxy, 6 by default
 * --starts N           how often all proxies are started again for these rounds, 1: where the memory of a process happens to lie
 *                      makes some microseconds of difference, so a bound is worth most with one start for each round
 * --connections N      of a slice, 200
 * --proxies NAME,...   of tcp_proxy, empty, empty_late, calls_only, calls_only_late, observe, refuse, steer, haproxy, haproxy_stick
 * --workers N,...      1,2
 * --idle N             idle connections, 2000
 * --waves N            waves of 10,000 clients that vanish, 2
 * --handshakes N       for callbacks, 200000
 * --pin                the proxies run on the last core, with one worker each, and all else on the others (by taskset): less noise
 * --mib N              to download through each proxy, over all rounds, 1024
 */
import { parseArgs } from "node:util";
import { measureDownload, GIB } from "./download.ts";
import { measureCallbacks } from "./callbacks.ts";
import { type CallCost, countCalls, measureCallCosts } from "./call_costs.ts";
import { buildCallCosts, buildCallsOnly, buildEmptyFilter } from "./filter_builds.ts";
import { measureHandshakes, measureIdleTime } from "./handshakes.ts";
import { type Load, startLoad } from "./load.ts";
import { describeMachine } from "../tools/machine.ts";
import { type IdleMemory, measureIdleMemory, measureVanishing } from "./memory.ts";
import type { Handshake } from "./messages.ts";
import { chosen, count } from "./options.ts";
import { canPin, pinLoad, pinProxy } from "./pinning.ts";
import { haproxyVersion } from "../tools/proxies/haproxy.ts";
import { PROXY_TITLES, type Proxy, type ProxyName, type ProxySetup, startProxy } from "./proxies.ts";
import { callbackTable, callCostTable, callCountTable, comparisonTable, connectionTargets } from "./report.ts";
import { idleTable, idleTimeTable, vanishingTable, workersTable } from "./report.ts";
import { build } from "../tools/build.ts";
import { findEnvoy } from "../tools/proxies/envoy_binary.ts";
import { MODULE_FILE } from "../tools/project.ts";
import { runTool } from "../tools/run_tool.ts";
import { SetupError } from "../tools/setup_error.ts";

type Part = Handshake | "download" | "idle" | "vanish" | "calls" | "callbacks";

interface Options {
  parts: Part[];
  proxies: ProxyName[];
  workers: number[];
  rounds: number;
  starts: number;
  connections: number;
  idle: number;
  waves: number;
  pins: boolean;
  mib: number;
  handshakes: number;
}

const HANDSHAKE_TITLES: Record<Handshake, string> = {
  full12: "Full handshakes, TLS 1.2",
  resumed12: "Resumed handshakes, TLS 1.2, by ticket",
  resumed12_id: "Resumed handshakes, TLS 1.2, by session ID",
  full13: "Full handshakes, TLS 1.3",
  resumed13: "Resumed handshakes, TLS 1.3, each by the newest ticket",
};
const PARTS: Part[] = [
  "full12",
  "resumed12",
  "resumed12_id",
  "full13",
  "resumed13",
  "download",
  "idle",
  "vanish",
  "calls",
  "callbacks",
];
const PROXY_NAMES = Object.keys(PROXY_TITLES) as ProxyName[];
const CALL_SETTINGS = {
  observing: { enforcement: "observe" },
  "steering and refusing": { steering: "hash" },
};
const CALL_HANDSHAKES: Handshake[] = ["full12", "resumed12_id", "resumed12", "full13", "resumed13"];
const MEASURED_CALLS = 10_000;
const IDLE_SECONDS = 3;
const VANISHING = 10_000;

// A signal ends this process by way of "exit", where everything that was started is stopped.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await runTool((args) => run(readOptions(args)));

async function run(options: Options): Promise<void> {
  if (process.platform !== "linux") throw new SetupError("the benchmark reads CPU time from /proc: it needs Linux");
  const envoyBinary = await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const emptyFilter = await buildEmptyFilter();
  for (const line of await describeMachine(envoyBinary)) console.log(line);
  const load = await startLoad();
  const setup = {
    envoyBinary,
    filter: MODULE_FILE,
    emptyFilter,
    callsOnly: await buildCallsOnly(),
    upstream: load.upstream,
  };
  try {
    await measureCpu(options, load, setup);
    await measureMemory(options, load, setup);
    if (options.parts.includes("calls")) await showCalls(load, setup);
  } finally {
    load.stop();
  }
  if (options.parts.includes("callbacks")) showCallbacks(options.handshakes);
}

async function showCalls(load: Load, setup: ProxySetup): Promise<void> {
  console.error("calls of the host");
  const emptyFilter = await buildCallCosts();
  const costs: CallCost[] = await measureCallCosts({ ...setup, emptyFilter }, load, MEASURED_CALLS);
  show("Calls of the host, in the midst of a connection", callCostTable(costs));
  for (const [title, settings] of Object.entries(CALL_SETTINGS)) {
    const counts = new Map(CALL_HANDSHAKES.map((handshake) => [handshake, countCalls(handshake, settings)]));
    show(`Calls of the host for each handshake, ${title}`, callCountTable(counts));
  }
}

function showCallbacks(handshakes: number): void {
  for (const [title, settings] of Object.entries(CALL_SETTINGS)) {
    console.error(`callbacks: ${title}`);
    const { times, bytesBefore, bytesAfter } = measureCallbacks(settings, handshakes);
    const memory = `memory of the VM before and after: ${bytesBefore} and ${bytesAfter} bytes`;
    show(`Callbacks on a fake host, ${title}, ${handshakes} handshakes`, callbackTable(times), memory);
  }
}

/** All proxies run side by side, and take turns. */
async function measureCpu(options: Options, load: Load, setup: ProxySetup): Promise<void> {
  const handshakes = options.parts.filter(isHandshake);
  const isDownloading = options.parts.includes("download");
  if (handshakes.length === 0 && !isDownloading) return;
  const { connections, starts } = options;
  const roundsOfStart = Math.ceil(options.rounds / starts);
  const rounds = roundsOfStart * starts;
  const bytes = Math.ceil((options.mib * 2 ** 20) / rounds);
  const inHandshakes = new Map(handshakes.map((handshake) => [handshake, new Map<Proxy, number[]>()]));
  const downloading = new Map<Proxy, number[]>();
  for (let start = 0; start < starts; start++) {
    await withProxies(options, load, setup, async (proxies) => {
      if (start === 0) show("Nothing to do", idleTimeTable(await measureIdleTime(proxies, IDLE_SECONDS)));
      for (const [handshake, values] of inHandshakes) {
        const slices = `${roundsOfStart} rounds of ${connections} connections for each of ${proxies.length} proxies`;
        console.error(`start ${start + 1} of ${starts}, ${handshake}: ${slices}`);
        const settings = { handshake, rounds: roundsOfStart, connections };
        addValues(values, await measureHandshakes(proxies, load, settings));
      }
      if (!isDownloading) return;
      console.error(
        `start ${start + 1} of ${starts}, download: ${roundsOfStart} rounds of ${(bytes / 2 ** 20).toFixed(0)} MiB`,
      );
      const single = proxies.filter(({ workers }) => workers === options.workers[0]);
      addValues(downloading, await measureDownload(single, load, roundsOfStart, bytes));
    });
  }
  for (const [handshake, values] of inHandshakes) {
    const targets = connectionTargets(handshake, values);
    show(
      `${HANDSHAKE_TITLES[handshake]}, ${rounds} rounds of ${connections} connections, ${starts} starts`,
      comparisonTable("us of CPU per connection", values, 1),
      workersTable(values),
      ...targets.map(({ text, isMet }) => `${isMet ? "met" : "missed"}: ${text}`),
    );
  }
  if (!isDownloading) return;
  const total = ((bytes * rounds) / GIB).toFixed(1);
  show(
    `Download, ${total} GiB in ${rounds} rounds, ${starts} starts`,
    comparisonTable("ms of CPU per GiB", downloading, 0),
  );
}

async function withProxies(
  options: Options,
  load: Load,
  setup: ProxySetup,
  measure: (proxies: Proxy[]) => Promise<void>,
): Promise<void> {
  const proxies: Proxy[] = [];
  try {
    for (const workers of options.workers) {
      for (const name of options.proxies) proxies.push(await startProxy(name, workers, setup));
    }
    if (options.pins) {
      if (!canPin()) throw new SetupError("--pin: two cores and taskset (util-linux) are needed");
      for (const pid of [process.pid, ...load.pids]) pinLoad(pid);
      for (const { pid } of proxies) pinProxy(pid);
    }
    await measure(proxies);
  } finally {
    for (const proxy of proxies) await proxy.stop();
  }
}

/** Adds the rounds of another start to those of the same proxies, which stand in the same order. */
function addValues(all: Map<Proxy, number[]>, more: Map<Proxy, number[]>): void {
  if (all.size === 0) for (const proxy of more.keys()) all.set(proxy, []);
  const proxies = [...all.keys()];
  [...more.values()].forEach((values, index) => all.get(proxies[index] as Proxy)?.push(...values));
}

/** Each proxy runs alone, from its start. */
async function measureMemory(options: Options, load: Load, setup: ProxySetup): Promise<void> {
  const idle = new Map<ProxyName, IdleMemory>();
  const vanishing = new Map<ProxyName, number[]>();
  for (const name of options.proxies) {
    if (options.parts.includes("idle")) {
      console.error(`idle: ${PROXY_TITLES[name]}`);
      idle.set(name, await withProxy(name, setup, (proxy) => measureIdleMemory(proxy, load, options.idle)));
    }
    if (options.parts.includes("vanish")) {
      const progress = (wave: number): void => console.error(`vanish: ${PROXY_TITLES[name]}, wave ${wave + 1}`);
      vanishing.set(
        name,
        await withProxy(name, setup, (proxy) => measureVanishing(proxy, load, VANISHING, options.waves, progress)),
      );
    }
  }
  if (idle.size > 0) show("Memory of idle connections, 1 worker", idleTable(idle));
  if (vanishing.size > 0) show("Clients that vanish, 1 worker", vanishingTable(vanishing, VANISHING));
}

async function withProxy<T>(name: ProxyName, setup: ProxySetup, measure: (proxy: Proxy) => Promise<T>): Promise<T> {
  const proxy = await startProxy(name, 1, setup);
  try {
    return await measure(proxy);
  } finally {
    await proxy.stop();
  }
}

function show(title: string, ...texts: string[]): void {
  console.log(`\n## ${title}\n\n${texts.filter((text) => text !== "").join("\n\n")}`);
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "6" },
      starts: { type: "string", default: "1" },
      connections: { type: "string", default: "200" },
      proxies: { type: "string" },
      workers: { type: "string", default: "1,2" },
      idle: { type: "string", default: "2000" },
      waves: { type: "string", default: "2" },
      mib: { type: "string", default: "1024" },
      pin: { type: "boolean", default: false },
      handshakes: { type: "string", default: "200000" },
    },
  });
  return {
    parts: chosen(
      "--only",
      values.only,
      PARTS,
      PARTS.filter((part) => part !== "resumed12_id"),
    ),
    proxies: installed(chosen("--proxies", values.proxies, PROXY_NAMES, PROXY_NAMES)),
    workers: values.workers.split(",").map((text) => count("--workers", text)),
    rounds: count("--rounds", values.rounds),
    starts: count("--starts", values.starts),
    connections: count("--connections", values.connections),
    idle: count("--idle", values.idle),
    waves: count("--waves", values.waves),
    mib: count("--mib", values.mib),
    pins: values.pin,
    handshakes: count("--handshakes", values.handshakes),
  };
}

function installed(proxies: ProxyName[]): ProxyName[] {
  if (haproxyVersion() !== null) return proxies;
  console.error("haproxy is not installed: it is left out");
  return proxies.filter((name) => !name.startsWith("haproxy"));
}

function isHandshake(part: Part): part is Handshake {
  return part in HANDSHAKE_TITLES;
}
