/**
 * A soak: a real Envoy with the shipped configuration and two workers, steering on, in front of two servers that share nothing; for
 * as long as is asked for, all kinds of traffic and an operator; then silence, and a judgement of all that was counted.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Document } from "yaml";
import { startDemoUpstream } from "../../tools/demo/upstream.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { trapLines } from "../../tools/proxies/trap_log.ts";
import { allPages } from "../contract/client.ts";
import type { AnswerBody, RemovedSession } from "../support/answer.ts";
import { Random } from "../support/random.ts";
import { Crowd } from "./crowd.ts";
import { Operator } from "./operator.ts";
import { type ProcessMemory, readProcessMemory } from "../support/process_memory.ts";
import { Refusals } from "./refusals.ts";
import { type Sample, type Verdict, equal, judgeMemory, judgeRemoved, judgeSums, none, sum } from "./verdicts.ts";

export interface SoakOptions {
  minutes: number;
  seed: number;
  progress: (line: string) => void;
}

export interface SoakResult {
  verdicts: Verdict[];
  /** What went through, in words, a line each. */
  summary: string[];
}

export async function soak({ minutes, seed, progress }: SoakOptions): Promise<SoakResult> {
  const upstreams = await Promise.all(["alpha", "beta"].map((name) => startDemoUpstream({ name, tickets: true })));
  // So short that what the cache holds has come and gone several times, and is constant after a part of the run.
  const lifeSeconds = Math.max(8, Math.min(120, Math.round(minutes * 4)));
  const [plainPort = 0] = await freePorts(1);
  const stack = await startStack({
    upstreams: upstreams.map(({ address }) => address),
    cache: { cache_size: CACHE_SIZE, timeout: lifeSeconds, removed_seconds: lifeSeconds },
    steering: "hash",
    change: (document) => addPlainListener(document, plainPort),
  });
  try {
    return await soakStack(stack, plainPort, minutes, new Random(seed), lifeSeconds, progress);
  } finally {
    // Traps in the log are among the verdicts.
    await stack.stop().catch(() => undefined);
    await Promise.all(upstreams.map((upstream) => upstream.close()));
  }
}

async function soakStack(
  stack: Stack,
  plainPort: number,
  minutes: number,
  random: Random,
  lifeSeconds: number,
  progress: (line: string) => void,
): Promise<SoakResult> {
  const refusals = new Refusals();
  const crowd = new Crowd(stack, plainPort, refusals, random, lifeSeconds);
  const operator = new Operator(stack, crowd, refusals, random, CACHE_SIZE, lifeSeconds);
  const samples: Sample[] = [];
  const began = Date.now();
  crowd.start();
  operator.start();
  const sampleSeconds = Math.max(1, Math.min(10, minutes));
  const complaints = [crowd.revokedResumptions, crowd.lostUpdates, crowd.errors, operator.lostUpdates, operator.errors];
  const printed = complaints.map(() => 0);
  for (let i = 1; Date.now() < began + minutes * 60_000; i++) {
    await sleep(Math.max(0, Math.min(began + i * sampleSeconds * 1000, began + minutes * 60_000) - Date.now()));
    samples.push({ ...readProcessMemory(stack.envoy.pid), removed: Number((await stack.stats()).tombstones) });
    refusals.forgetEnded();
    for (const [kind, list] of complaints.entries()) {
      for (const complaint of list.slice(printed[kind])) progress(`complaint: ${complaint}`);
      printed[kind] = list.length;
    }
    if (i % 6 === 0) progress(await progressLine(began, stack, crowd, samples.at(-1)));
  }
  await operator.stop();
  await crowd.stop();
  const seconds = (Date.now() - began) / 1000;
  const stats = await settled(stack);
  const expectedRemoved = refusals.removedIds();
  const removed = await allPages<RemovedSession>(stack.admin, "/v1/removed?limit=1000", "removed");
  const listed = (await stack.sessions()).length;
  const { seen } = crowd;
  const verdicts = [
    none("traps", trapLines(stack.envoy.log())),
    equal("VMs that were reloaded", await ofEnvoy(stack, "vm_reload$"), 0),
    none("connections of well-behaved clients that failed", crowd.errors),
    none("calls of the operator that failed", operator.errors),
    none("resumptions of what must not resume", crowd.revokedResumptions),
    none("lost updates", [...crowd.lostUpdates, ...operator.lostUpdates]),
    equal(
      "changes given up under contention",
      Number((stats.not_stored as AnswerBody).contended) + operator.did.notStored,
      0,
    ),
    ...judgeSums(stats, seen, listed),
    ...judgeRemoved(expectedRemoved, removed, stats),
    ...judgeMemory(samples, minutes < 10 ? SHORT_RUN_MIB : LONG_RUN_MIB),
  ];
  const summary = [
    `${crowd.connections} connections in ${Math.round(seconds)} s: ${named(seen)}`,
    `the operator: ${named(operator.did)}`,
    `the filter: ${named(flat(stats))}`,
    `Envoy: servers ejected ${await ofEnvoy(stack, "ejections_enforced_total$")} times`,
  ];
  return { verdicts, summary };
}

/** The same listener once more, on another port, with an observer that does not steer. */
function addPlainListener(document: Document, port: number): void {
  const { static_resources: resources } = document.toJS() as { static_resources: { listeners: object[] } };
  const text = JSON.stringify(resources.listeners[0])
    .replace('"tls_passthrough"', '"tls_passthrough_plain"')
    .replace(/"port_value":\d+/, `"port_value":${port}`)
    .replace('\\"steering\\":\\"hash\\"', '\\"steering\\":\\"off\\"');
  document.addIn(["static_resources", "listeners"], document.createNode(JSON.parse(text)));
}

/** The statistics once nothing is under way, and the same twice: they are no snapshot. */
async function settled(stack: Stack): Promise<AnswerBody> {
  let before = "";
  for (let tries = 0; tries < SETTLING_TRIES; tries++) {
    await sleep(500);
    const stats = await stack.stats();
    const text = JSON.stringify(stats);
    if (text === before && underWay(stats) === 0) return stats;
    before = text;
  }
  return await stack.stats();
}

function underWay({ accept, failed, full, resumed, resumptions_refused: refused }: AnswerBody): number {
  return Number(accept) - sum(full) - sum(resumed) - sum(refused) - Number(failed);
}

async function progressLine(began: number, stack: Stack, crowd: Crowd, memory?: ProcessMemory): Promise<string> {
  const { number, refused, tombstones } = await stack.stats();
  const mib = (bytes = 0): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  return [
    `${Math.round((Date.now() - began) / 1000)} s`,
    `${crowd.connections} connections`,
    `${crowd.seen.resumed} resumed`,
    `${String(refused)} refused`,
    `${String(number)} sessions`,
    `${String(tombstones)} removed`,
    `RAM ${mib(memory?.resident)}, module ${mib(memory?.wasm)}`,
  ].join(", ");
}

/** Sum of Envoy's own statistics whose names match. */
async function ofEnvoy(stack: Stack, filter: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${stack.envoyAdminPort}/stats?filter=${filter}`)).text();
  return [...text.matchAll(/: (\d+)$/gm)].reduce((total, [, count]) => total + Number(count), 0);
}

function flat(stats: AnswerBody): Record<string, number> {
  const sums = Object.entries(stats).map(([name, value]) => [
    name,
    typeof value === "object" ? sum(value) : Number(value),
  ]);
  // The sum of an object with texts is a text.
  return Object.fromEntries(sums.filter(([, value]) => Number.isFinite(value) && value !== 0)) as Record<
    string,
    number
  >;
}

function named(counts: Record<string, number>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

const CACHE_SIZE = 2000;
const SETTLING_TRIES = 60;
const LONG_RUN_MIB = 4;
const SHORT_RUN_MIB = 16;
