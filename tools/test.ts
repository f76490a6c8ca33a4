/**
 * `npm test`: every check, the cheap ones first. `npm test -- lint unit` runs those two only; file names after them are handed
 * to the tests that run in Node.
 *
 * Promises: one check that fails hides no other; what failed is shown in full; the last line is `N passed, N failed` (and
 * `, N skipped` where there are any), exit code 1 where anything failed. A check without tests of its own counts as one.
 */
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.ts";
import { runCommand, stopCommands } from "./command.ts";
import { checkShippedConfiguration } from "./checks/compose_check.ts";
import { findEnvoy } from "./proxies/envoy_binary.ts";
import { checkPackages } from "./checks/packages_check.ts";
import { BUILD_FOLDER, PROJECT_FOLDER } from "./project.ts";
import { reproductionFaults } from "./checks/reproducible_check.ts";
import { SetupError } from "./setup_error.ts";
import { shortenLines } from "./shorten_lines.ts";
import { measureCoverage, runNodeTests, runUnits, testFilesIn, type SuiteResult } from "./checks/suites.ts";

interface Check {
  name: string;
  what: string;
  /** Runs without being asked for, because this check cannot do without it. */
  needs?: string;
  /** Its output is worth reading when it passes, too. */
  isReport?: boolean;
  /** Begins as soon as what it needs is there, on a core of its own beside the checks before it; told of in its turn. */
  isLong?: boolean;
  run: (files: string[] | undefined) => Promise<SuiteResult>;
}

const TOOLS_TESTS = ["tools", "tests/compat"].flatMap(testFilesIn);

const CHECKS: Check[] = [
  { name: "format", what: "Prettier", run: () => program("prettier", "bin/prettier.cjs", "--check", ".") },
  { name: "lint", what: "ESLint", run: () => program("eslint", "bin/eslint.js", ".", "--max-warnings", "0") },
  { name: "types", what: "TypeScript of tools and tests", run: () => program("typescript", "bin/tsc", "--noEmit") },
  { name: "generated", what: "generated sources", run: generatedSources },
  { name: "packages", what: "pins and licenses of what is installed", run: packages },
  {
    name: "tools",
    what: "the tools' own tests",
    run: (files) => runNodeTests({ folder: "tools", files: files ?? TOOLS_TESTS, concurrency: 1 }),
  },
  { name: "build", what: "AssemblyScript to WebAssembly", run: compiled },
  { name: "reproducible", what: "the same module from another folder", needs: "build", run: reproducible },
  { name: "config", what: "docker-compose.yml and envoy.yaml", needs: "build", run: configuration },
  { name: "unit", what: "as-pect", run: runUnits },
  { name: "coverage", what: "the units again, instrumented", run: measureCoverage, isReport: true },
  { name: "wasm", what: "the built module on a fake host", needs: "build", run: builtModule },
  { name: "differential", what: "the cache beside a real libssl's", needs: "build", isLong: true, run: differential },
  { name: "fuzz", what: "a minute of fuzzing, and what was found before", needs: "build", isLong: true, run: fuzzed },
  { name: "servers", what: "a minute of mutated resumptions at real servers", needs: "build", run: realServers },
  { name: "e2e", what: "a real Envoy with real TLS clients and servers", needs: "build", run: endToEnd },
];

const GENERATORS = "tools/generate";
const MISTAKES_GENERATOR = "tests/mistakes/generate_page.ts";

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopCommands();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}
process.exitCode = await runChecks(process.argv.slice(2));

async function runChecks(args: string[]): Promise<number> {
  const names = args.filter((arg) => CHECKS.some(({ name }) => name === arg));
  const files = args.filter((arg) => !names.includes(arg));
  const wrong = files.find((file) => !file.endsWith(".test.ts"));
  if (wrong !== undefined) {
    console.error(
      `error: "${wrong}" is neither a check (${CHECKS.map(({ name }) => name).join(", ")}) nor a *.test.ts file`,
    );
    return 1;
  }

  if (files.length > 0 && names.length === 0) {
    console.error(
      "error: say which check the files belong to, as in: npm test -- e2e tests/e2e/watching/sessions.test.ts",
    );
    return 1;
  }

  removeOldTestFolders();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failedChecks = new Set<string>();
  const begun = new Map<Check, Promise<Timed>>();
  const checks = chosen(names);
  for (const check of checks) {
    if (check.needs !== undefined && failedChecks.has(check.needs)) {
      console.log(`\n== ${check.name}: not run, because ${check.needs} failed`);
      total.skipped++;
      continue;
    }
    console.log(`\n== ${check.name}: ${check.what}`);
    const chosenFiles = files.length === 0 ? undefined : files;
    const result = report(check, await (begun.get(check) ?? timed(check, chosenFiles)));
    if (result.failed > 0) failedChecks.add(check.name);
    else {
      for (const long of checks.filter(({ isLong, needs }) => isLong === true && needs === check.name)) {
        begun.set(long, timed(long, chosenFiles));
      }
    }
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  const skipped = total.skipped === 0 ? "" : `, ${total.skipped} skipped`;
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 ? 0 : 1;
}

function chosen(names: string[]): Check[] {
  if (names.length === 0) return CHECKS;
  const needed = new Set(names.flatMap((name) => [name, CHECKS.find((check) => check.name === name)?.needs]));
  return CHECKS.filter(({ name }) => needed.has(name));
}

interface Timed {
  result: SuiteResult;
  seconds: number;
}

/** Never rejects: what goes wrong is a failure of the check. */
async function timed({ run }: Check, files: string[] | undefined): Promise<Timed> {
  const begin = performance.now();
  let result: SuiteResult;
  try {
    result = await run(files);
  } catch (error) {
    const text = error instanceof SetupError ? error.message : String((error as Error).stack ?? error);
    result = outcome(false, text);
  }
  return { result, seconds: (performance.now() - begin) / 1000 };
}

function report({ name, isReport }: Check, { result, seconds }: Timed): SuiteResult {
  if (result.failed > 0) console.log(shortenLines(result.output));
  else if (isReport === true) console.log(`   ${result.output}`);
  const skipped = result.skipped === 0 ? "" : `, ${result.skipped} skipped`;
  console.log(`   ${name}: ${result.passed} passed, ${result.failed} failed${skipped} (${seconds.toFixed(1)} s)`);
  return result;
}

async function program(packageName: string, file: string, ...args: string[]): Promise<SuiteResult> {
  const path = join(PROJECT_FOLDER, "node_modules", packageName, file);
  const { exitCode, output } = await runCommand(process.execPath, [path, ...args]);
  return outcome(exitCode === 0, output);
}

async function generatedSources(): Promise<SuiteResult> {
  const generators = readdirSync(join(PROJECT_FOLDER, GENERATORS)).filter((name) => name !== "generated_file.ts");
  const complaints: string[] = [];
  for (const file of [...generators.map((name) => join(GENERATORS, name)), MISTAKES_GENERATOR]) {
    const { exitCode, output } = await runCommand(process.execPath, ["--import", "tsx", file, "--check"]);
    if (exitCode !== 0) complaints.push(output.trim() || `${file} failed and said nothing`);
  }
  return outcome(complaints.length === 0, complaints.join("\n"));
}

async function compiled(): Promise<SuiteResult> {
  const failure = await build();
  return outcome(failure === null, failure ?? "");
}

async function configuration(): Promise<SuiteResult> {
  const faults = await checkShippedConfiguration(await findEnvoy(progress));
  return outcome(faults.length === 0, faults.join("\n"));
}

async function packages(): Promise<SuiteResult> {
  const faults = checkPackages();
  return outcome(faults.length === 0, faults.join("\n"));
}

async function reproducible(): Promise<SuiteResult> {
  const faults = await reproductionFaults();
  return outcome(faults.length === 0, faults.join("\n"));
}

function builtModule(files: string[] | undefined): Promise<SuiteResult> {
  return runNodeTests({ folder: "tests/wasm", files, concurrency: 1 });
}

function fuzzed(files: string[] | undefined): Promise<SuiteResult> {
  return runNodeTests({ folder: "tests/fuzz", files, concurrency: 1 });
}

function differential(): Promise<SuiteResult> {
  return countedByItself("tests/differential/run.ts");
}

/** All servers at once: nothing else is measured beside it. */
async function realServers(): Promise<SuiteResult> {
  const ENVOY_BIN = await findEnvoy(progress);
  return await countedByItself("tests/servers/run.ts", { ...process.env, ENVOY_BIN });
}

/** Says itself what passed, in its last line. */
async function countedByItself(file: string, env = process.env): Promise<SuiteResult> {
  const { exitCode, output } = await runCommand(process.execPath, ["--import", "tsx", file], { env });
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(output) ?? [];
  const counted = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0), output };
  return exitCode !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

/** One file at a time: each starts an Envoy and measures what real clients see. */
async function endToEnd(files: string[] | undefined): Promise<SuiteResult> {
  const ENVOY_BIN = await findEnvoy(progress);
  return await runNodeTests({ folder: "tests/e2e", files, env: { ENVOY_BIN }, concurrency: 1 });
}

/** What earlier runs left for reading. Young folders stay: another run may be using them. */
function removeOldTestFolders(): void {
  const parent = join(BUILD_FOLDER, "test");
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    if (Date.now() - statSync(path).mtimeMs > 3_600_000) rmSync(path, { recursive: true, force: true });
  }
}

function progress(line: string): void {
  console.log(`   ${line}`);
}

function outcome(passed: boolean, output: string): SuiteResult {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0, output };
}
