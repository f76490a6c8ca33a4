/**
 * A soak of a fleet: three proxies on an etcd of three nodes, one of them with a clock that is an hour ahead, with clients and an
 * operator, while one thing after another is killed, frozen, cut off or compacted; then peace, and a judgement: all proxies hold the same, no client and no call has failed, memory is flat.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { type FleetState, fleetState, removedIds } from "../../support/fleet.ts";
import { Random } from "../../support/random.ts";
import { shiftedClock } from "../../support/shifted_clock.ts";
import type { Stack } from "../../support/stack.ts";
import { none, type Verdict } from "../verdicts.ts";
import { Chaos } from "./chaos.ts";
import { Crowd } from "./crowd.ts";
import { EtcdNodes } from "./etcd_nodes.ts";
import { Network } from "./network.ts";
import { Operator } from "./operator.ts";
import { Outages } from "./outages.ts";
import { type MemorySample, Proxies } from "./proxies.ts";
import { Removals } from "./removals.ts";

export interface FleetSoakOptions {
  minutes: number;
  seed: number;
  nodes: number;
  connectionsASecond: number;
  /** By so much the clock of SHIFTED is ahead of the others. */
  clockShiftSeconds: number;
  progress: (line: string) => void;
}

export interface FleetSoakResult {
  verdicts: Verdict[];
  summary: string[];
}

export async function soakFleet(options: FleetSoakOptions): Promise<FleetSoakResult> {
  const upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
  let etcd: EtcdNodes | undefined;
  let network: Network | undefined;
  let proxies: Proxies | undefined;
  try {
    etcd = await EtcdNodes.start(options.nodes);
    const addresses = upstreams.map(({ address }) => address);
    network = await Network.start(etcd.addresses, NAMES, new Random(options.seed + 4));
    const shift = options.clockShiftSeconds;
    const clocks: Record<string, Record<string, string>> = shift === 0 ? {} : { [SHIFTED]: await shiftedClock(shift) };
    proxies = new Proxies(network, clocks, addresses, new Random(options.seed));
    await proxies.start(NAMES);
    return await play(etcd, network, proxies, options);
  } finally {
    await proxies?.stop();
    await network?.stop();
    await etcd?.remove();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

async function play(
  etcd: EtcdNodes,
  network: Network,
  proxies: Proxies,
  options: FleetSoakOptions,
): Promise<FleetSoakResult> {
  const { minutes, seed, connectionsASecond, progress } = options;
  const outages = new Outages();
  const removals = new Removals(outages);
  const crowd: Crowd = new Crowd(proxies, removals, new Random(seed + 1), () => operator.hasRevokedLately);
  const operator: Operator = new Operator(proxies, crowd, removals, outages, new Random(seed + 2));
  const noteKilled = (name: string): void => removals.noteKilled(name);
  const chaos = new Chaos(etcd, proxies, network, outages, new Random(seed + 3), progress, noteKilled);
  const began = Date.now();
  crowd.start(connectionsASecond);
  operator.start();
  chaos.start(SECONDS_BETWEEN);
  const complaints = [crowd.errors, operator.errors, chaos.errors, removals.late];
  const printed = complaints.map(() => 0);
  for (let i = 1; Date.now() < began + minutes * 60_000; i++) {
    await sleep(SAMPLE_SECONDS * 1000);
    proxies.sample();
    for (const [kind, list] of complaints.entries()) {
      for (const complaint of list.slice(printed[kind])) progress(`complaint: ${complaint}`);
      printed[kind] = list.length;
    }
    if (i % 6 === 0)
      progress(`${Math.round((Date.now() - began) / 1000)} s: ${words(crowd.seen)}; ${words(operator.did)}`);
  }
  await chaos.stop();
  await operator.stop();
  await crowd.stop();
  const seconds = Math.round((Date.now() - began) / 1000);
  progress("peace: waiting until all proxies hold the same");
  const calmAt = Date.now();
  const differences = await untilEqual(proxies, removals.inForce());
  const states = await Promise.all(proxies.live.map(async (stack) => fleetState(stack)));
  const verdicts = [
    none("connections of clients that failed", crowd.errors),
    none("calls of the operator that failed", operator.errors),
    none("removed sessions that were not refused in time", removals.late),
    {
      what: "removed sessions are offered again and again",
      isTrue: crowd.dueOffers > minutes * MIN_DUE_OFFERS_A_MINUTE,
      found: `${crowd.dueOffers} offers`,
    },
    none("differences between the proxies at the end", differences),
    none(
      "batches that were skipped",
      states.flatMap(({ name, skipped }) => (skipped > 0 ? `${name}: ${skipped}` : [])),
    ),
    none("chaos that could not be made", chaos.errors),
    ...(await judgeClocks(proxies, states, options.clockShiftSeconds)),
    ...judgeMemory([...proxies.earlier, ...proxies.all.map(({ memory }) => memory)], minutes),
  ];
  const database = await etcd.databaseSize();
  await proxies.stop();
  verdicts.push(none("traps", proxies.traps));
  const summary = [
    `${crowd.connections} connections in ${seconds} s: ${words(crowd.seen)}`,
    `the operator: ${words(operator.did)}`,
    `chaos: ${words(chaos.done)}; removals that a killed proxy may have taken along: ${removals.lostWithProxy}`,
    `the network: ${words(network.did)}`,
    `all equal ${((Date.now() - calmAt) / 1000).toFixed(1)} s after the end at the latest; etcd's database ${mib(database)}`,
    ...states.map(({ name, told, applied, resyncs }) => `${name}: ${words({ told, applied, resyncs })}`),
  ];
  return { verdicts, summary };
}

/** Returns what differs still after EQUAL_SECONDS. */
async function untilEqual(proxies: Proxies, inForce: string[]): Promise<string[]> {
  let differences: string[] = [];
  for (const deadline = Date.now() + EQUAL_SECONDS * 1000; ; await sleep(500)) {
    differences = await differencesOf(proxies.live, inForce);
    if (differences.length === 0 || Date.now() > deadline) return differences;
  }
}

async function differencesOf(stacks: Stack[], inForce: string[]): Promise<string[]> {
  const differences: string[] = [];
  const views = await Promise.all(stacks.map(viewOf));
  const [first] = views;
  if (first === undefined || views.length < 3) return ["a proxy is down"];
  for (const [i, view] of views.entries()) {
    for (const id of inForce) if (!view.removed.has(id)) differences.push(`proxy ${i + 1} does not refuse ${id}`);
    for (const [part, entries] of Object.entries(view.entries)) {
      const others = first.entries[part] ?? [];
      const missing = others.filter((entry) => !entries.includes(entry));
      const more = entries.filter((entry) => !others.includes(entry));
      if (missing.length + more.length === 0) continue;
      differences.push(`${part}: proxy ${i + 1} lacks ${some(missing)} and has ${some(more)} that proxy 1 lacks`);
    }
    if (view.pending > 0) differences.push(`proxy ${i + 1} has ${view.pending} decisions that are not stored`);
  }
  return differences;
}

interface View {
  removed: Set<string>;
  /** Of each list, an entry a row. */
  entries: Record<string, string[]>;
  pending: number;
}

async function viewOf(stack: Stack): Promise<View> {
  const { admin } = stack;
  const keys = await rowsOf<{ name: string; state: string; upstream: string | null }>(stack, "ticket-keys");
  const decided = keys.filter(({ state }) => state === "removed" || state === "configured");
  const names = await rowsOf<{ sni: string }>(stack, "revocations");
  const settings = await Promise.all(
    ["mode", "timeout", "enforcement"].map(async (name) => (await admin("GET", `/v1/${name}`)).text),
  );
  const removed = await removedIds(stack);
  return {
    removed,
    entries: {
      "removed sessions": [...removed],
      // The former upstream of a removed key is no part of its decision.
      "ticket keys": decided.map(({ name, state, upstream }) =>
        state === "configured" ? `${name} ${state} ${upstream ?? ""}` : `${name} ${state}`,
      ),
      revocations: names.map(({ sni }) => sni),
      settings,
    },
    pending: (await fleetState(stack)).pending.decisions,
  };
}

function some(entries: string[]): string {
  return entries.length === 0 ? "nothing" : `${entries.length}, such as ${entries[0]},`;
}

/** The rows of a list that has one page. */
async function rowsOf<T>(stack: Stack, list: string): Promise<T[]> {
  const { json, text } = await stack.admin("GET", `/v1/${list}`);
  const rows = (json as unknown as Record<string, T[]>)[list.replaceAll("-", "_")];
  if (rows === undefined) throw new Error(`GET /v1/${list} answered ${text}`);
  return rows;
}

/** The clocks must differ as they are to: by the time in Envoy's own answers, and as the other proxies show it. */
async function judgeClocks(proxies: Proxies, states: FleetState[], seconds: number): Promise<Verdict[]> {
  const ahead: string[] = [];
  let isTrue = true;
  for (const { name, stack } of proxies.all) {
    const answer = await stack?.admin("GET", "/healthz", { token: null });
    const found = (Date.parse(answer?.headers["date"] ?? "") - Date.now()) / 1000;
    ahead.push(`${name} ${found.toFixed(0)} s`);
    isTrue &&= Math.abs(found - (name === SHIFTED ? seconds : 0)) < CLOCK_TOLERANCE_SECONDS;
  }
  const shown = states
    .filter(({ name }) => name !== SHIFTED)
    .map((state) => state.proxies.find(({ name }) => name === SHIFTED)?.clock_skew_ms ?? NaN);
  isTrue &&= shown.length === 2 && shown.every((skew) => Math.abs(skew / 1000 - seconds) < CLOCK_TOLERANCE_SECONDS);
  const found = `${ahead.join(", ")}; clock_skew_ms of ${SHIFTED} elsewhere: ${shown.join(", ")}`;
  return [{ what: `the clock of ${SHIFTED} is ${seconds} s ahead of the others`, isTrue, found }];
}

/** Of each process that lived long enough: the second half of its life against the end of its first. */
function judgeMemory(processes: MemorySample[][], minutes: number): Verdict[] {
  const allowed = minutes < 10 ? SHORT_RUN_MIB : LONG_RUN_MIB;
  const grown = processes.flatMap((samples) => {
    const [first] = samples;
    const last = samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < JUDGED_SECONDS * 1000) return [];
    const part = (from: number, to: number): number => {
      const some = samples.slice(Math.floor(samples.length * from), Math.floor(samples.length * to));
      return some.map(({ resident }) => resident).sort((a, b) => a - b)[some.length >> 1] ?? 0;
    };
    return [part(0.8, 1) - part(0.4, 0.6)];
  });
  const worst = Math.max(0, ...grown);
  return [
    {
      what: `memory: no proxy grows by more than ${allowed} MiB from the middle of its life to its end`,
      isTrue: grown.length > 0 && worst <= allowed * 2 ** 20,
      found: `${mib(worst)}, ${grown.length} processes judged`,
    },
  ];
}

function words(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

const NAMES = ["edge-1", "edge-2", "edge-3"];
/** The proxy whose clock is ahead. */
const SHIFTED = "edge-2";
const CLOCK_TOLERANCE_SECONDS = 3;
const SECONDS_BETWEEN = 20;
const SAMPLE_SECONDS = 5;
const MIN_DUE_OFFERS_A_MINUTE = 20;
const EQUAL_SECONDS = 20;
/** Processes that live for less are not judged. */
const JUDGED_SECONDS = 60;
const SHORT_RUN_MIB = 24;
const LONG_RUN_MIB = 12;
