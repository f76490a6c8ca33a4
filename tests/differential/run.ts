/**
 * Compares the cache of the built module with the cache of a real libssl after every step of random operations.
 * `npm run test:differential -- [--sequences N] [--operations N] [--seed N] [--replay FILE]`. FILE (- for standard input) is
 * a script of operations to replay, in the form that a failure prints (`operations.ts`).
 *
 * The last line is `N passed, N failed[, N skipped]`. Each sequence counts as one test. So does each deliberate difference
 * (`differences.ts`): it must occur, and docs/use/openssl.md must name it. Without a libssl the run is skipped; with CI=true
 * it fails.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Random } from "../support/random.ts";
import { DIFFERENCES, Occurrences } from "./differences.ts";
import { type Compiled, Libssl, compileLibssl } from "./libssl.ts";
import { parseScript, randomSequence } from "./operations.ts";
import { IDS, LARGE_IDS, type Mismatch, compare, compareLarge, describeMismatch, shrink } from "./sequence.ts";

interface Options {
  sequences: number;
  operations: number;
  seed: number;
  replay: string | undefined;
}

function main(args: string[]): number {
  const options = readOptions(args);
  if (typeof options === "string") {
    console.error(`error: ${options}`);
    return 2;
  }
  const compiled = compileLibssl();
  if (typeof compiled === "string") return skip(compiled);
  console.log(`the built module against ${compiled.version}`);
  const libssl = startLibssl(compiled, IDS);
  try {
    return options.replay === undefined ? runRandom(libssl, compiled, options) : replay(libssl, options.replay);
  } finally {
    libssl.close();
  }
}

function startLibssl({ program }: Compiled, ids: readonly Buffer[]): Libssl {
  return new Libssl(
    program,
    ids.map((id) => id.toString("hex")),
  );
}

function runRandom(libssl: Libssl, compiled: Compiled, { operations, seed, sequences }: Options): number {
  console.log(`${sequences} sequences of ${operations} operations, --seed ${seed}`);
  const occurrences = new Occurrences();
  const begin = performance.now();
  let failed = runLarge(compiled, occurrences, seed);
  let run = 0;
  for (; run < sequences && failed < MAX_FAILURES; run++) {
    const sequence = randomSequence(new Random((seed + run) >>> 0), operations);
    const mismatch = compare(sequence, libssl, occurrences);
    if (mismatch === undefined) continue;
    failed++;
    report(mismatch, libssl, `sequence ${run} (--seed ${seed + run} --sequences 1)`);
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`\n${run} sequences in ${seconds} s; how often each deliberate difference occurred:`);
  for (const line of occurrences.lines()) console.log(line);
  const wrong = wrongInDocument();
  for (const line of wrong) console.log(line);
  const never = run * operations >= ENOUGH_OPERATIONS ? occurrences.never() : [];
  for (const name of never) console.log(`the difference "${name}" never occurred: ${DIFFERENCES[name]}`);
  const met = Object.keys(DIFFERENCES).length - occurrences.never().length;
  console.log(`\n${run + LARGE_CACHES - failed + met} passed, ${failed + never.length + wrong.length} failed`);
  return failed + never.length + wrong.length === 0 ? 0 : 1;
}

/** Compares large caches, and returns how many fail. Their scripts are too long to be shortened. */
function runLarge(compiled: Compiled, occurrences: Occurrences, seed: number): number {
  const libssl = startLibssl(compiled, LARGE_IDS);
  let failed = 0;
  for (let i = 0; i < LARGE_CACHES; i++) {
    const mismatch = compareLarge(libssl, occurrences, new Random(seed + i));
    if (mismatch === undefined) continue;
    failed++;
    console.log(`\na cache above 256 (--seed ${seed + i}) fails at operation ${mismatch.operations.length}:`);
    for (const line of mismatch.lines) console.log(line.slice(0, 1000));
  }
  libssl.close();
  return failed;
}

/** Checks that docs/use/openssl.md names exactly the same differences. */
function wrongInDocument(): string[] {
  const text = readFileSync(new URL("../../docs/use/openssl.md", import.meta.url), "utf8");
  const list = /^## Deliberate differences$([\s\S]*?)^## /m.exec(text)?.[1] ?? "";
  const named = new Set([...list.matchAll(/^- \*\*`([a-z-]+)`\*\*/gm)].map(([, name]) => name ?? ""));
  const known = new Set(Object.keys(DIFFERENCES));
  return [
    ...[...known]
      .filter((name) => !named.has(name))
      .map((name) => `docs/use/openssl.md lacks the difference "${name}"`),
    ...[...named]
      .filter((name) => !known.has(name))
      .map((name) => `docs/use/openssl.md names "${name}", which is unknown`),
  ];
}

function replay(libssl: Libssl, file: string): number {
  const operations = parseScript(readFileSync(file === "-" ? 0 : file, "utf8"));
  const mismatch = compare(operations, libssl, new Occurrences());
  if (mismatch !== undefined) console.log(describeMismatch(mismatch));
  console.log(mismatch === undefined ? "1 passed, 0 failed" : "0 passed, 1 failed");
  return mismatch === undefined ? 0 : 1;
}

function report(mismatch: Mismatch, libssl: Libssl, name: string): void {
  const shortest = shrink(mismatch, (operations) => compare(operations, libssl, new Occurrences()));
  console.log(`\n${name} fails; the shortest failing script, for --replay:\n\n${describeMismatch(shortest)}`);
}

function skip(reason: string): number {
  const packages = "apt-get install gcc libc6-dev libssl-dev (or your system's C compiler and OpenSSL headers)";
  console.log(`no libssl to compare with: ${reason}; install it with ${packages}`);
  const required = process.env.CI === "true";
  console.log(required ? "0 passed, 1 failed" : "0 passed, 0 failed, 1 skipped");
  return required ? 1 : 0;
}

function readOptions(args: string[]): Options | string {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({ args, options: { sequences: text, operations: text, seed: text, replay: text } });
    const sequences = wholeNumber("--sequences", values.sequences ?? "2000");
    const operations = wholeNumber("--operations", values.operations ?? "200");
    const seed = wholeNumber("--seed", values.seed ?? String(DEFAULT_SEED));
    return { sequences, operations, seed, replay: values.replay };
  } catch (error) {
    return (error as Error).message;
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name}: expected a whole number, got "${text}"`);
  return Number(text);
}

/** The same in every run without --seed, so a failure in CI repeats at home. */
const DEFAULT_SEED = 20261123;
const MAX_FAILURES = 5;
const LARGE_CACHES = 3;
/** With fewer operations, a difference may be missing by chance. */
const ENOUGH_OPERATIONS = 40_000;

process.exitCode = main(process.argv.slice(2));
