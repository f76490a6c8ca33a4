/**
 * `npm run bench:cache`: what each operation of the cache costs by the number of sessions that it holds, and what a session
 * takes of Envoy's memory. Prints Markdown tables; see docs/evidence/performance.md.
 *
 * Without arguments: the module on a host in Node, in about two minutes, with bytes allocated for each operation; `--envoy`:
 * in a real Envoy, with memory; `--sessions N,N` instead of 1,000 to 1,000,000.
 */
import { join } from "node:path";
import { measureInEnvoy } from "./in_envoy.ts";
import { measureInNode } from "./lean_host.ts";
import type { Measurements, Run } from "./run.ts";
import { build } from "../../tools/build.ts";
import { compileIfChanged } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";

const NUMBERS = [1_000, 20_000, 100_000, 1_000_000];
const MOST_SESSIONS = 2_000_000;
const TRACED_SESSIONS = 20_000;
const MEMORY_MIB = 256;
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

await runTool(run);

async function run(args: string[]): Promise<void> {
  const inEnvoy = args.includes("--envoy");
  const at = args.indexOf("--sessions");
  const numbers = at < 0 ? NUMBERS : (args[at + 1] ?? "").split(",").map(Number);
  if (numbers.some((number) => !Number.isInteger(number) || number < 1000 || number > MOST_SESSIONS)) {
    throw new SetupError(`--sessions: expected numbers from 1000 to ${MOST_SESSIONS}, as in 1000,20000`);
  }
  if (inEnvoy) {
    console.error("building the filter ...");
    const failure = await build();
    if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  }
  console.error("building the module for measuring ...");
  const modulePath = await buildModule("release");
  const tracedPath = inEnvoy ? "" : await buildModule("traced");
  const columns: Column[] = [];
  for (const sessions of numbers) {
    console.error(`measuring ${inEnvoy ? "in Envoy" : "in Node"} with ${sessions} sessions ...`);
    const measure = (hostOnly: boolean): Measurements | Promise<Measurements> => {
      const described: Run = { sessions, maxMemoryMib: MEMORY_MIB, cacheSize: 0, hostOnly };
      return inEnvoy ? measureInEnvoy(described, modulePath) : measureInNode(described, modulePath);
    };
    const host = await measure(true);
    const own = await measure(false);
    columns.push({ sessions, own, hostGet: host.operations.get("host_get") ?? NaN });
  }
  console.log(timeTable(columns));
  if (inEnvoy) {
    console.log(`\n${memoryTable(columns)}`);
  } else {
    console.error("counting allocations ...");
    const traced: Run = { sessions: TRACED_SESSIONS, maxMemoryMib: MEMORY_MIB, cacheSize: 0, hostOnly: false };
    console.log(`\n${allocationTable(measureInNode(traced, tracedPath))}`);
  }
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

function memoryTable(columns: Column[]): string {
  const head = ["resident memory", ...columns.map(({ sessions }) => sessions.toLocaleString("en"))];
  const row = ["bytes for each session", ...columns.map(({ own }) => (own.bytesPerSession ?? NaN).toFixed(0))];
  return markdown([head, row]);
}

function allocationTable({ allocated }: Measurements): string {
  const rows = Object.entries(TITLES).map(([operation, title]) => [title, (allocated?.get(operation) ?? 0).toFixed(0)]);
  return markdown([["bytes allocated", `${TRACED_SESSIONS.toLocaleString("en")} sessions`], ...rows]);
}

function markdown(rows: string[][]): string {
  const [head = [], ...rest] = rows;
  return [head, head.map((_, column) => (column === 0 ? "---" : "---:")), ...rest]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
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
