/**
 * `npm run bench:system`: what a connection costs the whole system. Clients, a proxy, and four real TLS servers that share nothing: the CPU
 * time of proxy and servers per connection, and the clients' time to first byte, behind plain Envoy, source hashing, HAProxy and
 * this filter. Prints Markdown tables; exit code 1 if it could not measure. A missed target is reported, and is not a failure.
 * Linux only; needs nginx, and HAProxy for HAProxy's column.
 *
 *   npm run bench:system -- --svg docs/images/system.svg --json build/bench/system.json
 *
 * --quick              a look: 3 rounds of 60 connections, 90 % resume, no delay, and less warming up
 * --only KIND,...      of tls12_rsa, tls12_p256, tls13_rsa, tls13_p256
 * --proxies NAME,...   of plain, source_hash, haproxy, hash, exact, off
 * --addresses WORD,... of changing, stable
 * --resume N,...       of a hundred connections, how many offer a session: 0,50,90
 * --delay N,...        milliseconds each way between clients and proxy: 0,25
 * --rounds N           slices for each proxy in each situation, 8
 * --connections N      of a slice, 400
 * --lanes N            connections at a time without a delay, 8
 * --seed N             decides who comes when and offers a session, and the proxies' order: 1
 * --svg FILE           writes the picture
 * --json FILE          writes all slices
 * --from FILE          measures nothing: tables and picture of a run that --json has written
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../../tools/build.ts";
import { describeMachine } from "../../tools/machine.ts";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { haproxyVersion } from "../../tools/proxies/haproxy.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { chosen, count } from "../options.ts";
import { ask, startPart } from "../parts.ts";
import { canPin, pinLoad, pinProxy } from "../pinning.ts";
import { ADDRESS_HABITS, type AddressHabit, type Cell, KIND_NAMES, type KindName, KINDS } from "./grid.ts";
import { PROXY_NAMES, type ProxyName, type Results, type Situation, situationsOf } from "./grid.ts";
import { measureRounds, type Stage, warmUp } from "./measure.ts";
import { type Proxy, startProxy } from "./proxies.ts";
import { pictureOf } from "./picture.ts";
import { nginxVersion, startServers } from "./servers.ts";
import { reportOf } from "./tables.ts";

interface Options {
  kinds: KindName[];
  proxies: ProxyName[];
  habits: AddressHabit[];
  resumes: number[];
  delays: number[];
  rounds: number;
  connections: number;
  /** For each proxy, before it is measured. */
  warmUp: number;
  lanes: number;
  seed: number;
  svg: string | undefined;
  json: string | undefined;
  from: string | undefined;
}

const SERVERS = 4;
/** Until V8 has compiled a filter's code for good. */
const WARM_UP_CONNECTIONS = 1000;
const QUICK_WARM_UP_CONNECTIONS = 200;
/** Until the sessions of 64 clients are such as their habits make them. */
const MIXING_CONNECTIONS = 256;
const MAX_LANES = 64;
const MAX_DELAY_MILLISECONDS = 1000;

// A signal ends this process by way of "exit", where everything that was started is stopped.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await runTool(async (args) => {
  const options = readOptions(args);
  const results = options.from === undefined ? await measure(options) : read(options.from);
  if (options.json !== undefined) write(options.json, JSON.stringify(results));
  console.log(reportOf(results));
  if (options.svg === undefined) return;
  const picture = pictureOf(results);
  if (picture === "") throw new SetupError("--svg: the picture shows changing addresses, which were not measured");
  write(options.svg, picture);
});

async function measure(options: Options): Promise<Results> {
  if (process.platform !== "linux") throw new SetupError("the benchmark reads CPU time from /proc: it needs Linux");
  const nginx = nginxVersion();
  if (nginx === null) throw new SetupError("nginx is not installed: the servers are nginx");
  const envoyBinary = await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const machine = [...(await describeMachine(envoyBinary, "clients")), `Servers: ${nginx}, four with one worker each`];

  const isPinned = canPin();
  const clients = startPart("system/clients.ts");
  const cells: Cell[] = [];
  try {
    if (isPinned) for (const pid of [process.pid, clients.child.pid ?? 0]) pinLoad(pid);
    for (const kind of options.kinds) {
      await withStage(kind, options, envoyBinary, isPinned, async (proxies, serverPids) => {
        const stage: Stage = { proxies, serverPids, visit: (order) => ask(clients, order) };
        cells.push(...(await measureKind(kind, options, stage)));
      });
    }
  } finally {
    clients.child.kill("SIGKILL");
  }
  const { seed, rounds, connections, lanes } = options;
  return { machine, settings: { seed, rounds, connections, lanes, isPinned }, cells };
}

async function measureKind(kind: KindName, options: Options, stage: Stage): Promise<Cell[]> {
  const { habits, resumes, delays, rounds, connections, lanes, seed } = options;
  const cells: Cell[] = [];
  let before: Situation | undefined;
  for (const situation of situationsOf([kind], habits, resumes, delays)) {
    const { addresses, resumePercent, delayMilliseconds } = situation;
    const text = `${addresses} addresses, ${resumePercent} % offer, ${delayMilliseconds} ms`;
    console.error(`${elapsed()} ${KINDS[kind].title}, ${text}: ${rounds} rounds of ${connections} connections`);
    if (before === undefined) await warmUp(stage, situation, options.warmUp, seed);
    // The mixture of sessions that the clients hold comes to rest.
    if (before?.addresses !== addresses || before.resumePercent !== resumePercent) {
      await warmUp(stage, situation, MIXING_CONNECTIONS, seed + 1);
    }
    cells.push(...(await measureRounds(stage, situation, { rounds, connections, lanes, seed })));
    before = situation;
  }
  return cells;
}

/** Servers and proxies of one kind, cold, until `act` ends. */
async function withStage(
  kind: KindName,
  options: Options,
  envoyBinary: string,
  isPinned: boolean,
  act: (proxies: Proxy[], serverPids: readonly number[]) => Promise<void>,
): Promise<void> {
  const servers = await startServers(SERVERS, KINDS[kind].certificate);
  const proxies: Proxy[] = [];
  try {
    for (const name of options.proxies) proxies.push(await startProxy(name, envoyBinary, servers.addresses));
    if (isPinned) {
      for (const pid of servers.pids) pinLoad(pid);
      for (const { pid } of proxies) pinProxy(pid);
    }
    await act(proxies, servers.pids);
  } finally {
    await stopAll([...proxies, servers]);
  }
}

/** Stops all of them; fails if one has failed, as a proxy does whose module has trapped. */
async function stopAll(parts: readonly { stop(): Promise<void> }[]): Promise<void> {
  const ends = await Promise.allSettled(parts.map((part) => part.stop()));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      proxies: { type: "string" },
      addresses: { type: "string" },
      resume: { type: "string" },
      delay: { type: "string" },
      rounds: { type: "string" },
      connections: { type: "string" },
      lanes: { type: "string", default: "8" },
      seed: { type: "string", default: "1" },
      svg: { type: "string" },
      json: { type: "string" },
      from: { type: "string" },
    },
  });
  const { quick } = values;
  return {
    kinds: chosen("--only", values.only, KIND_NAMES, KIND_NAMES),
    proxies: installed(chosen("--proxies", values.proxies, PROXY_NAMES, PROXY_NAMES)),
    habits: chosen("--addresses", values.addresses, ADDRESS_HABITS, ADDRESS_HABITS),
    resumes: numbers("--resume", values.resume ?? (quick ? "90" : "0,50,90"), 100),
    delays: numbers("--delay", values.delay ?? (quick ? "0" : "0,25"), MAX_DELAY_MILLISECONDS),
    rounds: count("--rounds", values.rounds ?? (quick ? "3" : "8")),
    connections: count("--connections", values.connections ?? (quick ? "60" : "400")),
    warmUp: quick ? QUICK_WARM_UP_CONNECTIONS : WARM_UP_CONNECTIONS,
    lanes: Math.min(count("--lanes", values.lanes), MAX_LANES),
    seed: count("--seed", values.seed),
    svg: values.svg,
    json: values.json,
    from: values.from,
  };
}

function installed(proxies: ProxyName[]): ProxyName[] {
  if (haproxyVersion() !== null) return proxies;
  console.error("haproxy is not installed: it is left out");
  return proxies.filter((name) => name !== "haproxy");
}

/** Numbers with commas between them, in order. */
function numbers(option: string, text: string, most: number): number[] {
  const values = text.split(",").map(Number);
  const isWrong = values.some((value) => !Number.isInteger(value) || value < 0 || value > most);
  if (isWrong) throw new SetupError(`${option}: expected numbers from 0 to ${most}, as in 0,25`);
  return [...new Set(values)].sort((a, b) => a - b);
}

function read(file: string): Results {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Results;
  } catch (error) {
    throw new SetupError(`--from: ${String(error)}`);
  }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.error(`written: ${file}`);
}

function elapsed(): string {
  const seconds = Math.round(performance.now() / 1000);
  return `[${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}]`;
}
