/**
 * `npm run bench:guard`: whether a commit made the filter slower. Builds the module of two commits, measures both in one run, in
 * interleaved rounds, and prints one table. Linux only for the part `envoy`.
 *
 *   npm run bench:guard -- --base HEAD~1 --head HEAD --ratio 1.10
 *
 * --base REF     the commit to compare with
 * --head REF     the commit in question; the working tree as it is if none is named
 * --ratio N      fails above this ratio of head to base, 1.10
 * --only PART,.. of callbacks (time within the module and calls of the host, for each kind of handshake), cache (the operations of
 *                bench:cache at 20,000 sessions), envoy (CPU per connection of real Envoys); all of them if Envoy is found
 * --rounds N     pairs of values for each row, each from processes of their own, 12; at least 5
 * --json FILE    writes the figures
 * --series FILE  appends them to a file, as one line of JSON
 *
 * Exit code: 1 if the lower 95 % bound of a ratio is above `--ratio`, 2 if it could not measure, else 0.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeMachine } from "../../tools/machine.ts";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { chosen } from "../options.ts";
import { Checkouts, type Checkout } from "./checkout.ts";
import { measureEnvoys } from "./envoy_times.ts";
import { countHostCalls } from "./module_times.ts";
import { measureStarts } from "./starts.ts";
import { MIN_PAIRS, type Row, judge, judgeExact, verdictTable } from "./verdict.ts";

type Part = "callbacks" | "cache" | "envoy";

interface Options {
  base: string;
  head: string | undefined;
  ratio: number;
  parts: Part[];
  isEnvoyAskedFor: boolean;
  rounds: number;
  json: string | undefined;
  series: string | undefined;
}

const PARTS: Part[] = ["callbacks", "cache", "envoy"];
const SLOWER = 1;
const NOT_MEASURED = 2;

// A signal ends this process by way of "exit", where everything that was started is stopped.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(NOT_MEASURED));
try {
  process.exitCode = await run(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`error: ${error instanceof SetupError ? error.message : String((error as Error).stack ?? error)}`);
  process.exitCode = NOT_MEASURED;
}

async function run(options: Options): Promise<number> {
  const checkouts = new Checkouts();
  try {
    console.error("building ...");
    const base = await checkouts.commit(options.base);
    const head = await (options.head === undefined ? checkouts.workingTree() : checkouts.commit(options.head));
    const leftOut: string[] = [];
    const rows: Row[] = [];
    if (options.parts.includes("callbacks")) rows.push(...(await callbackRows(base, head, options, leftOut)));
    if (options.parts.includes("cache")) rows.push(...(await cacheRows(base, head, options, leftOut)));
    const envoyBinary = await envoyOrNull(options, leftOut);
    if (envoyBinary !== null) {
      console.error(`envoy: ${options.rounds} rounds`);
      const series = await measureEnvoys(envoyBinary, [base.moduleFile, head.moduleFile], options.rounds);
      rows.push(...series.map((ofOne) => judge(ofOne, options.ratio)));
    }
    if (rows.length === 0) throw new SetupError(`nothing was measured: ${leftOut.join("; ")}`);
    return await report(base, head, options, rows, leftOut, envoyBinary);
  } finally {
    await checkouts.remove();
  }
}

async function callbackRows(
  base: Checkout,
  head: Checkout,
  { rounds, ratio }: Options,
  leftOut: string[],
): Promise<Row[]> {
  console.error(`callbacks: ${rounds} starts`);
  const files: [string, string] = [base.moduleFile, head.moduleFile];
  const { series, missing } = await measureStarts({ part: "callbacks", files }, rounds);
  leftOut.push(...missing);
  const [ofBase, ofHead] = files.map((file) => countHostCalls(new WebAssembly.Module(readFileSync(file))));
  const counts = [...(ofBase ?? [])].map(([subject, count]) =>
    judgeExact(`host calls: ${subject}`, "calls", count, ofHead?.get(subject) ?? NaN, ratio),
  );
  return [...series.map((ofOne) => judge(ofOne, ratio)), ...counts];
}

async function cacheRows(
  base: Checkout,
  head: Checkout,
  { rounds, ratio }: Options,
  leftOut: string[],
): Promise<Row[]> {
  if (head.cacheModuleFile === null) throw new SetupError(head.cacheFailure);
  if (base.cacheModuleFile === null) {
    leftOut.push(base.cacheFailure);
    return [];
  }
  console.error(`cache: ${rounds} starts`);
  const files: [string, string] = [base.cacheModuleFile, head.cacheModuleFile];
  const { series, missing } = await measureStarts({ part: "cache", files }, rounds);
  leftOut.push(...missing.map((operation) => `${operation}: only one of the two has it`));
  return series.map((ofOne) => judge(ofOne, ratio));
}

/** Null if that part is not wanted, or if there is no Envoy and nobody has asked for one. */
async function envoyOrNull({ parts, isEnvoyAskedFor }: Options, leftOut: string[]): Promise<string | null> {
  if (!parts.includes("envoy")) return null;
  try {
    if (process.platform !== "linux") throw new SetupError("CPU time is read from /proc: that needs Linux");
    return await findEnvoy(console.error);
  } catch (error) {
    if (isEnvoyAskedFor || !(error instanceof SetupError)) throw error;
    leftOut.push(`envoy: ${error.message}`);
    return null;
  }
}

async function report(
  base: Checkout,
  head: Checkout,
  options: Options,
  rows: Row[],
  leftOut: string[],
  envoyBinary: string | null,
): Promise<number> {
  const slower = rows.filter(({ isSlower }) => isSlower);
  const machine = await describeMachine(envoyBinary ?? "true");
  for (const line of machine.slice(0, envoyBinary === null ? 1 : 2)) console.log(line);
  console.log(`base: ${base.title}\nhead: ${head.title}\n\n${verdictTable(rows)}\n`);
  for (const text of leftOut) console.log(`left out: ${text}`);
  for (const { subject, lower } of slower) {
    console.log(`slower: ${subject}: at least ${lower.toFixed(2)} times, and ${options.ratio} is allowed`);
  }
  if (slower.length === 0) console.log(`no row is slower than ${options.ratio} times by its lower bound`);
  const figures = { date: new Date().toISOString(), machine, base: base.commit, head: head.commit };
  const record = { ...figures, ratio: options.ratio, isSlower: slower.length > 0, leftOut, rows };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(record, null, 2)}\n`);
  if (options.series !== undefined) appendFileSync(options.series, `${JSON.stringify(record)}\n`);
  return slower.length > 0 ? SLOWER : 0;
}

function readOptions(args: string[]): Options {
  const { values } = parseOptions(args);
  if (values.base === undefined) throw new SetupError("--base: name the commit to compare with, as in --base HEAD~1");
  const ratio = Number(values.ratio);
  if (!(ratio >= 1)) throw new SetupError("--ratio: expected a number of at least 1, as in 1.10");
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < MIN_PAIRS) {
    throw new SetupError(`--rounds: expected a number of at least ${MIN_PAIRS}, from which a bound follows`);
  }
  return {
    base: values.base,
    head: values.head,
    ratio,
    parts: chosen("--only", values.only, PARTS, PARTS),
    isEnvoyAskedFor: values.only !== undefined,
    rounds,
    json: values.json,
    series: values.series,
  };
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        base: { type: "string" },
        head: { type: "string" },
        ratio: { type: "string", default: "1.10" },
        only: { type: "string" },
        rounds: { type: "string", default: "12" },
        json: { type: "string" },
        series: { type: "string" },
      },
    });
  } catch (error) {
    throw new SetupError((error as Error).message);
  }
}
