/**
 * Fuzzes the filter for a given time.
 *
 *     npm run fuzz -- [--minutes 1] [--seed 1] [--only handshake,admin] [--threads 1] [--inputs N]
 *     npm run fuzz -- --replay FILE
 *
 * Prints inputs, inputs a second, the kept ones (those that reached something new), and how many blocks of the module were
 * reached. A failing case is made smaller and written under build/fuzz/, and the exit code is 1. `npm test` replays each
 * case in tests/fuzz/found/.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { failureOf } from "./fuzzer.ts";
import { fromText } from "./input.ts";
import { builtModule } from "./modules.ts";
import { fuzz, NAMES, type RunResult } from "./run.ts";
import { TARGETS } from "./targets/all.ts";
import { build } from "../../tools/build.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";

const KNOWN = {
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: NAMES.join(",") },
    threads: { type: "string", default: "1" },
    inputs: { type: "string" },
    replay: { type: "string" },
  },
} as const;
const values = given();

function given() {
  try {
    return parseArgs(KNOWN).values;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exit(2);
  }
}

async function run(): Promise<number> {
  const seconds = Number(values.minutes) * 60;
  const seed = Number(values.seed);
  const threads = Number(values.threads);
  const inputs = values.inputs === undefined ? Infinity : Number(values.inputs);
  const names = values.only.split(",");
  const isRight = seconds > 0 && Number.isInteger(seed) && seed >= 0 && threads >= 1 && threads <= 64 && inputs > 0;
  if (!isRight || names.some((name) => !NAMES.includes(name))) {
    console.error(
      `error: --minutes, --threads and --inputs are above 0, --seed is a whole number, --only some of ${NAMES.join(",")}`,
    );
    return 2;
  }
  const failure = await build();
  if (failure !== null) {
    console.error(failure);
    return 1;
  }
  console.log(`seed ${seed}, ${values.minutes} minutes, ${threads} thread(s): ${names.join(", ")}`);
  let begin = 0;
  let printed = 0;
  const progress = (counts: RunResult["counts"]): void => {
    begin ||= Date.now();
    if (Date.now() - printed < PRINT_MILLISECONDS) return;
    printed = Date.now();
    print(counts, (Date.now() - begin) / 1000);
  };
  const result = await fuzz({ seed, seconds, threads, inputs, names, progress });
  return report(result, seed);
}

function print(counts: RunResult["counts"], seconds: number): void {
  const inputs = counts.reduce((sum, one) => sum + one.inputs, 0);
  const rate = seconds < 1 ? "" : `, ${Math.round(inputs / seconds)} a second`;
  const each = counts.map(({ name, inputs: own, kept }) => `${name} ${own}${kept === 0 ? "" : ` (${kept} kept)`}`);
  console.log(`${Math.round(seconds)} s: ${inputs} inputs${rate}: ${each.join(", ")}`);
}

function report({ counts, counters, found }: RunResult, seed: number): number {
  for (const { name, inputs, kept, reached } of counts) {
    const guided = name === "parser" ? "" : `, ${kept} kept, ${reached} of ${counters} blocks reached`;
    console.log(`${name}: ${inputs} inputs${guided}`);
  }
  const inputs = counts.reduce((sum, one) => sum + one.inputs, 0);
  found.forEach(({ message, onBuilt, target, text }, index) => {
    const folder = join(BUILD_FOLDER, "fuzz");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${target}-${seed}-${index}.json`);
    writeFileSync(file, text);
    console.error(`found by ${target}, seed ${seed}: ${message}`);
    console.error(`${onBuilt ? "fails" : "does not fail"} on the built module; the case: ${file}`);
    console.error(text.length < MAX_SHOWN_LENGTH ? text : `(${text.length} characters)`);
  });
  console.log(`${inputs} inputs, seed ${seed}: ${found.length === 0 ? "nothing found" : `${found.length} found`}`);
  return found.length === 0 ? 0 : 1;
}

function replay(file: string): number {
  const found = fromText(readFileSync(file, "utf8"));
  const target = TARGETS.find(({ name }) => name === found.target);
  if (target === undefined) throw new Error(`${file} names no target`);
  const failure = failureOf(target, new WebAssembly.Module(builtModule()), found);
  console.log(failure ?? "passes");
  return failure === undefined ? 0 : 1;
}

const PRINT_MILLISECONDS = 10_000;
const MAX_SHOWN_LENGTH = 4000;

process.exitCode = values.replay === undefined ? await run() : replay(values.replay);
