/**
 * `npm run bench:cache`: what each operation of the cache costs by the number of sessions that it holds, and what a session
 * takes of Envoy's memory. Prints Markdown tables; see docs/evidence/performance.md.
 *
 * Without arguments: the module on a host in Node, in about two minutes, with bytes allocated for each operation.
 *
 * --envoy          in a real Envoy, with memory
 * --sessions N,N   instead of 1,000 to 1,000,000; up to 10,000,000 with --envoy
 * --whole          work on the whole cache as well: how long each slice of sweeping, listing and flushing holds a worker, and the
 *                  removal of a million sessions, or of half of them
 * --beside         nothing but handshakes of real clients through the shipped envoy.yaml, alone and beside a flush of all sessions
 *                  on the same worker
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../markdown.ts";
import { BESIDE_HEAD, measureBesideFlush } from "./beside_flush.ts";
import { measureInEnvoy } from "./in_envoy.ts";
import { measureInNode } from "./lean_host.ts";
import type { Measurements, Run, Slices } from "./run.ts";
import { build } from "../../tools/build.ts";
import { compileIfChanged } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";

const NUMBERS = [1_000, 20_000, 100_000, 1_000_000];
/** A map of Node's holds some 16 million keys, and its heap less than that. */
const MAX_SESSIONS_IN_NODE = 2_000_000;
const MAX_SESSIONS = 10_000_000;
const MAX_REMOVALS = 1_000_000;
const TRACED_SESSIONS = 20_000;
const MIN_MEMORY_MIB = 256;
const MAX_BYTES_PER_SESSION = 200;
const TITLES = {
  look_held: "look up, held",
  look_absent: "look up, absent",
  add: "add",
  replace: "replace",
  remove: "remove",
  resume: "resume, a hit",
  list_100: "list 100 (`GET /v1/sessions`)",
  stats: "`GET /v1/stats`",
};

const SLICE_TITLES: Record<string, string> = {
  wait: "nothing but looking at the clock",
  sweep: "a pass of sweeping",
  list: "listing, 1,000 a page, up to a million",
  sweep_removed: "a pass of sweeping, after the removals",
  flush: "flushing the rest",
};

await runTool(run);

async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      envoy: { type: "boolean", default: false },
      sessions: { type: "string" },
      whole: { type: "boolean", default: false },
      beside: { type: "boolean", default: false },
    },
  });
  const inEnvoy = values.envoy || values.beside;
  const numbers = values.sessions?.split(",").map(Number) ?? NUMBERS;
  const most = inEnvoy ? MAX_SESSIONS : MAX_SESSIONS_IN_NODE;
  if (numbers.some((number) => !Number.isInteger(number) || number < 1000 || number > most)) {
    throw new SetupError(`--sessions: expected numbers from 1000 to ${most}, as in 1000,20000`);
  }
  if (inEnvoy) {
    console.error("building the filter ...");
    const failure = await build();
    if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  }
  console.error("building the module for measuring ...");
  const modulePath = await buildModule("release");
  if (values.beside) return await showBeside(numbers, modulePath);
  const tracedPath = inEnvoy ? "" : await buildModule("traced");
  const columns: Column[] = [];
  for (const sessions of numbers) {
    console.error(`measuring ${inEnvoy ? "in Envoy" : "in Node"} with ${sessions} sessions ...`);
    const measure = (hostOnly: boolean): Measurements | Promise<Measurements> => {
      const removals = values.whole && !hostOnly ? Math.min(MAX_REMOVALS, sessions / 2) : 0;
      const described: Run = { sessions, maxMemoryMib: memoryFor(sessions), cacheSize: 0, hostOnly, removals };
      return inEnvoy ? measureInEnvoy(described, modulePath) : measureInNode(described, modulePath);
    };
    const host = await measure(true);
    const own = await measure(false);
    columns.push({ sessions, own, hostGet: host.operations.get("host_get") ?? NaN });
  }
  console.log(timeTable(columns));
  console.log(`\n${fillTable(columns)}`);
  if (values.whole) console.log(`\n${removalsTable(columns)}\n\n${sliceTable(columns)}`);
  if (inEnvoy) {
    console.log(`\n${memoryTable(columns)}`);
  } else {
    console.error("counting allocations ...");
    const maxMemoryMib = memoryFor(TRACED_SESSIONS);
    const traced: Run = { sessions: TRACED_SESSIONS, maxMemoryMib, cacheSize: 0, hostOnly: false, removals: 0 };
    console.log(`\n${allocationTable(measureInNode(traced, tracedPath))}`);
  }
}

async function showBeside(numbers: number[], modulePath: string): Promise<void> {
  const rows: string[][] = [];
  for (const sessions of numbers) {
    console.error(`handshakes beside a flush of ${sessions} sessions ...`);
    const run = {
      sessions,
      maxMemoryMib: memoryFor(sessions),
      cacheSize: 0,
      hostOnly: false,
      removals: 0,
      fillsOnly: true,
    };
    rows.push(...(await measureBesideFlush(run, modulePath)).map((cells) => [sessions.toLocaleString("en"), ...cells]));
  }
  console.log(markdown([["sessions", ...BESIDE_HEAD], ...rows]));
}

interface Column {
  sessions: number;
  own: Measurements;
  hostGet: number;
}

/** Time of each operation, and how many of the host's own gets that is. */
function timeTable(columns: Column[]): string {
  const head = ["one operation, us (host gets)", ...columns.map(({ sessions }) => sessions.toLocaleString("en"))];
  const hostRow = ["the host's get of 64 bytes", ...columns.map(({ hostGet }) => (hostGet / 1000).toFixed(2))];
  const rows = Object.entries(TITLES).map(([operation, title]) => [
    title,
    ...columns.map(({ own, hostGet }) => {
      const nanoseconds = own.operations.get(operation) ?? NaN;
      return `${(nanoseconds / 1000).toFixed(2)} (${(nanoseconds / hostGet).toFixed(1)})`;
    }),
  ]);
  const overHttp = columns.map(({ own }) => own.httpListingNanoseconds);
  const httpRow = ["list 100, over HTTP", ...overHttp.map((time) => ((time ?? NaN) / 1000).toFixed(0))];
  return markdown([head, hostRow, ...rows, ...(overHttp.includes(undefined) ? [] : [httpRow])]);
}

function fillTable(columns: Column[]): string {
  return markdown([
    ["filling", ...titles(columns)],
    ["one session, us", ...columns.map(({ own }) => (own.fillNanoseconds / 1000).toFixed(2))],
    ["all, s", ...columns.map(({ own, sessions }) => ((own.fillNanoseconds * sessions) / 1e9).toFixed(1))],
    ["pages, bytes in use and stored", ...columns.map(({ own }) => own.pages)],
  ]);
}

/** Memory in Envoy after each phase, as far as it was measured. */
function memoryTable(columns: Column[]): string {
  const mebibytes = (own: Measurements, phase: string): string =>
    ((own.residentBytes?.get(phase) ?? NaN) / 2 ** 20).toFixed(0);
  const phases = [...(columns[0]?.own.residentBytes?.keys() ?? [])];
  return markdown([
    ["resident memory", ...titles(columns)],
    ["bytes for each session", ...columns.map(({ own }) => (own.bytesPerSession ?? NaN).toFixed(0))],
    ...phases.map((phase) => [`MiB, ${phase}`, ...columns.map(({ own }) => mebibytes(own, phase))]),
  ]);
}

function removalsTable(columns: Column[]): string {
  const microseconds = (nanoseconds: number | undefined): string => ((nanoseconds ?? NaN) / 1000).toFixed(2);
  const row = (title: string, operation: string): string[] => [
    title,
    ...columns.map(({ own }) => microseconds(own.operations.get(operation))),
  ];
  const removals = columns.map(({ sessions }) => Math.min(MAX_REMOVALS, sessions / 2).toLocaleString("en"));
  return markdown([
    ["many removals, us", ...titles(columns)],
    ["removed", ...removals],
    ["one removal", ...columns.map(({ own }) => microseconds(own.removalNanoseconds))],
    row("look up, held, beside them", "look_beside_removed"),
    row("look up, removed", "look_removed"),
  ]);
}

/** One row for each work on the whole cache and number of sessions. */
function sliceTable(columns: Column[]): string {
  const milliseconds = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(2);
  const row = (work: string, sessions: number, slices: Slices): string[] => [
    SLICE_TITLES[work] ?? work,
    sessions.toLocaleString("en"),
    (slices.sum / 1e9).toFixed(2),
    slices.count.toLocaleString("en"),
    ...[slices.median, slices.p99, slices.p999, slices.longest].map(milliseconds),
    String(slices.aboveMillisecond),
  ];
  return markdown([
    ["slices of work", "sessions", "all, s", "slices", "median ms", "99 %", "99.9 %", "longest", "above 1 ms"],
    ...Object.keys(SLICE_TITLES).flatMap((work) =>
      columns.flatMap(({ own, sessions }) => {
        const slices = own.slices.get(work);
        return slices === undefined ? [] : [row(work, sessions, slices)];
      }),
    ),
  ]);
}

function titles(columns: Column[]): string[] {
  return columns.map(({ sessions }) => sessions.toLocaleString("en"));
}

/** `max_memory_mib`: pages come in powers of two. */
function memoryFor(sessions: number): number {
  return Math.max(MIN_MEMORY_MIB, 2 ** Math.ceil(Math.log2((sessions * MAX_BYTES_PER_SESSION) / 2 ** 20)));
}

function allocationTable({ allocated }: Measurements): string {
  const rows = Object.entries(TITLES).map(([operation, title]) => [title, (allocated?.get(operation) ?? 0).toFixed(0)]);
  return markdown([["bytes allocated", `${TRACED_SESSIONS.toLocaleString("en")} sessions`], ...rows]);
}

function markdown([head = [], ...rows]: string[][]): string {
  return table(head, rows);
}

async function buildModule(target: string): Promise<string> {
  const path = join(BUILD_FOLDER, `bench-cache-${target}.wasm`);
  const options = ["--config", "bench/cache/asconfig.json", "--target", target];
  // As the filter is; the other one counts calls of the allocator.
  const isInlined = target === "release";
  const failure = await compileIfChanged(path, { entry: "bench/cache/index.ts", options, isInlined });
  if (failure !== null) throw new SetupError(`the module for measuring does not compile:\n${failure}`);
  return path;
}
