/**
 * `npm run bench:fleet`: how fast a fleet is. Real Envoys with two workers each, a real etcd, clients in this process; all share the
 * machine's cores. Prints a Markdown table with the target of each figure; a target that is missed is said, and is no failure.
 *
 * --removals N    one by one, at random phases, with 50 handshakes a second on both proxies, 300
 * --seconds N     of a burst of removals, as fast as 64 callers make them, 5
 * --tombstones N  that a newcomer reads, 100000
 * --sessions N    that another newcomer reads, 1000000
 */
import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { visit } from "../tools/demo/affinity/client.ts";
import { startDemoUpstream } from "../tools/demo/upstream.ts";
import { build } from "../tools/build.ts";
import { describeMachine } from "../tools/machine.ts";
import { findEnvoy } from "../tools/proxies/envoy_binary.ts";
import { runTool } from "../tools/run_tool.ts";
import { SetupError } from "../tools/setup_error.ts";
import { Etcd } from "../tests/support/etcd.ts";
import { fleetState, startProxy, stopAll, untilStatus } from "../tests/support/fleet.ts";
import { BatchKind, batchOf, observedRecord, RecordType, stampAt } from "../tests/support/fleet_batch.ts";
import { adminClient, inParallel, type Stack } from "../tests/support/stack.ts";
import { quantile } from "./statistics.ts";

interface Options {
  removals: number;
  seconds: number;
  tombstones: number;
  sessions: number;
}

type Row = [figure: string, measured: string, target: string];

const RECORDS_A_BATCH = 900;
const HANDSHAKE_MILLISECONDS = 20;
const CALLERS = 64;
const PREFIX = "/tls_session_cache/1/default";

async function run(options: Options): Promise<void> {
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  for (const line of await describeMachine(await findEnvoy(console.error))) console.log(line);
  const upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  const rows: Row[] = [];
  try {
    rows.push(...(await measureRemovals(upstream.address, options)));
    rows.push(...(await measureNewcomer(upstream.address, "removals", options.tombstones)));
    rows.push(...(await measureNewcomer(upstream.address, "sessions", options.sessions)));
  } finally {
    await upstream.close();
  }
  console.log("\n| figure | measured | target |\n| --- | --- | --- |");
  for (const cells of rows) console.log(`| ${cells.join(" | ")} |`);
}

/** Two proxies: removals one by one under handshakes, then a burst. */
async function measureRemovals(upstream: string, { removals, seconds }: Options): Promise<Row[]> {
  const etcd = await Etcd.start();
  const proxies: Stack[] = [];
  try {
    const options = { upstreams: [upstream], cache: { cache_size: 0, max_memory_mib: 256 } };
    for (const name of ["one", "two"]) proxies.push(await startProxy(etcd, name, options));
    const [one, two] = proxies as [Stack, Stack];
    console.error("removals one by one, with handshakes ...");
    const traffic = new Traffic(proxies);
    const times: number[] = [];
    for (let i = 0; i < removals; i++) {
      const id = idOf("single", i);
      const begun = performance.now();
      await one.admin("DELETE", `/v1/sessions/${id}`);
      await untilStatus(two, id, 410);
      times.push(performance.now() - begun);
      await sleep(Math.random() * 60);
    }
    const { handshakes, seconds: took } = await traffic.end();
    times.sort((a, b) => a - b);
    const [median, late, last] = [quantile(times, 0.5), quantile(times, 0.99), times.at(-1) ?? 0];

    console.error("a burst of removals ...");
    const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
    const admin = adminClient(one.adminPort, agent);
    const until = Date.now() + seconds * 1000;
    let count = 0;
    await inParallel(Array.from({ length: CALLERS }), CALLERS, async () => {
      while (Date.now() < until) await admin("DELETE", `/v1/sessions/${idOf("burst", count++)}`);
    });
    agent.destroy();
    const done = performance.now();
    await untilAsMany(two, count + removals);
    const lag = performance.now() - done;
    return [
      [
        `removal on one to refusal on the other, ${(handshakes / took).toFixed(0)} handshakes/s: median`,
        ms(median),
        "60 ms",
      ],
      ["99th percentile", ms(late), "250 ms"],
      ["longest", ms(last), "1 s"],
      [
        `all of ${count.toLocaleString("en")} removals (${(count / seconds).toFixed(0)}/s) on the other, after the last`,
        ms(lag),
        "10 s",
      ],
    ];
  } finally {
    await stopAll(proxies);
    await etcd.remove();
  }
}

/** A proxy that starts, behind as many records as another one has told. */
async function measureNewcomer(upstream: string, what: "removals" | "sessions", count: number): Promise<Row[]> {
  if (count === 0) return [];
  console.error(`a newcomer behind ${count.toLocaleString("en")} ${what} ...`);
  const etcd = await Etcd.start();
  let proxy: Stack | undefined;
  try {
    await tell(etcd, what, count);
    const begun = performance.now();
    const cache = { cache_size: 0, max_memory_mib: 512 };
    proxy = await startProxy(etcd, "newcomer", { upstreams: [upstream], cache, follows: false });
    const ready = performance.now();
    const traffic = new Traffic([proxy]);
    await untilAsMany(proxy, count, what);
    const known = performance.now();
    const { longest } = await traffic.end();
    const target = what === "removals" ? "2 s" : "30 s";
    return [
      [`${count.toLocaleString("en")} ${what} known to a newcomer, after its start`, ms(known - begun), target],
      ["of that, until Envoy answers", ms(ready - begun), ""],
      ["longest handshake meanwhile", ms(longest), "100 ms"],
    ];
  } finally {
    await proxy?.stop();
    await etcd.remove();
  }
}

/** Writes batches as another proxy does. */
async function tell(etcd: Etcd, what: "removals" | "sessions", count: number): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const stamp = stampAt(Date.now());
  const kind = what === "removals" ? BatchKind.DECISIONS : BatchKind.SESSIONS;
  const family = what === "removals" ? "d" : "s";
  for (let from = 0, batch = 0; from < count; from += RECORDS_A_BATCH, batch++) {
    const records = Array.from({ length: Math.min(RECORDS_A_BATCH, count - from) }, (_, index) => {
      const id = Buffer.from(idOf(what, from + index), "hex");
      return what === "removals"
        ? { type: RecordType.TOMBSTONE, id, detail: 1, time: now, until: now + 86_400, stamp }
        : observedRecord(id, now);
    });
    await etcd.put(
      `${PREFIX}/${family}/other/${now}/0000000000000001.${String(batch).padStart(8, "0")}`,
      batchOf({ kind }, records),
    );
  }
}

/** Waits until a proxy holds so many removals, or sessions. */
async function untilAsMany(stack: Stack, count: number, what: "removals" | "sessions" = "removals"): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const state = await fleetState(stack);
    if (state.state === "following" && (await heldBy(stack, what)) >= count) return;
    if (Date.now() > deadline) throw new Error(`${await heldBy(stack, what)} of ${count} ${what} after two minutes`);
    await sleep(20);
  }
}

async function heldBy(stack: Stack, what: "removals" | "sessions"): Promise<number> {
  const stats = (await stack.stats()) as unknown as { number: number; tombstones: number };
  return what === "removals" ? stats.tombstones : stats.number;
}

/** New clients of all proxies, 50 a second for each. */
class Traffic {
  private isOver = false;
  private handshakes = 0;
  private longest = 0;
  private readonly begun = performance.now();
  private readonly lanes: Promise<void>[];

  constructor(proxies: Stack[]) {
    this.lanes = proxies.map(async ({ tlsPort }) => {
      const open: Promise<void>[] = [];
      while (!this.isOver) {
        open.push(this.handshake(tlsPort));
        if (open.length > 500) await Promise.all(open.splice(0));
        await sleep(HANDSHAKE_MILLISECONDS);
      }
      await Promise.all(open);
    });
  }

  async end(): Promise<{ handshakes: number; seconds: number; longest: number }> {
    this.isOver = true;
    await Promise.all(this.lanes);
    return { handshakes: this.handshakes, seconds: (performance.now() - this.begun) / 1000, longest: this.longest };
  }

  private async handshake(port: number): Promise<void> {
    const begun = performance.now();
    const { error } = await visit(port, "ticket", "127.0.0.1");
    if (error !== null) throw new Error(`a client sees: ${error}`);
    this.handshakes++;
    this.longest = Math.max(this.longest, performance.now() - begun);
  }
}

function idOf(series: string, number: number): string {
  return createHash("sha256").update(`${series} ${number}`).digest("hex");
}

function ms(milliseconds: number): string {
  return milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(1)} s` : `${milliseconds.toFixed(0)} ms`;
}

function readOptions(args: string[]): Options {
  const number = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: { removals: number, seconds: number, tombstones: number, sessions: number },
  });
  const read = (name: keyof Options, otherwise: number): number => {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0)
      throw new SetupError(`--${name}: expected a whole number, as in ${otherwise}`);
    return value;
  };
  return {
    removals: read("removals", 300),
    seconds: read("seconds", 5),
    tombstones: read("tombstones", 100_000),
    sessions: read("sessions", 1_000_000),
  };
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
await runTool((args) => run(readOptions(args)));
