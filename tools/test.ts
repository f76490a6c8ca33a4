/**
 * `npm test`: every check, the cheap ones first. `npm test -- lint unit` runs those two only; words after them choose among
 * their test files (checks/suites/selection.ts).
 *
 * Promises: one check that fails hides no other; a failure is shown in full. The last line is `N passed, N failed` (and
 * `, N skipped` if there are any), after the lines that say how long each check took; the exit code is 1 if anything failed.
 * A check without tests of its own counts as one.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { findChromium } from "./browser.ts";
import { build } from "./build.ts";
import { runCommand, stopCommands } from "./command.ts";
import { checkShippedConfiguration } from "./checks/deployment/compose_check.ts";
import { fleetComposeFaults, fleetConfigurationFaults } from "./checks/deployment/fleet_compose_check.ts";
import { checkDeployments } from "./checks/deployment/deploy_check.ts";
import { findEnvoy } from "./proxies/envoy_binary.ts";
import { checkPackages } from "./checks/code/packages_check.ts";
import { BUILD_FOLDER, FLEET_COMPOSE_FILE, PROJECT_FOLDER } from "./project.ts";
import { reproductionFaults } from "./checks/code/reproducible_check.ts";
import { SetupError } from "./setup_error.ts";
import { docsFaults } from "./checks/documents/docs_check.ts";
import { durations } from "./checks/suites/durations.ts";
import { select, type Suite } from "./checks/suites/selection.ts";
import { shortenLines } from "./shorten_lines.ts";
import { measureCoverage, runNodeTests, runUnits, testFilesIn, type SuiteResult } from "./checks/suites/suites.ts";

interface Check {
  name: string;
  what: string;
  /** Runs unasked, because this check cannot do without it. */
  needs?: string;
  /** Its output is worth reading when it passes, too. */
  isReport?: boolean;
  /** Begins as soon as the check that it needs has passed, on a core of its own beside the others; reported in its turn. */
  isLong?: boolean;
  /** Folders of test files from which words may choose. */
  folders?: string[];
  /** `files` are all that there are unless words have chosen. */
  run: (files: string[]) => Promise<SuiteResult>;
}

const CHECKS: Check[] = [
  { name: "format", what: "Prettier", run: () => program("prettier", "bin/prettier.cjs", "--check", ".") },
  { name: "lint", what: "ESLint", run: () => program("eslint", "bin/eslint.js", ".", "--max-warnings", "0") },
  { name: "types", what: "TypeScript of tools and tests", run: () => program("typescript", "bin/tsc", "--noEmit") },
  { name: "generated", what: "generated sources", run: generatedSources },
  { name: "docs", what: "links, names and tables of the documents", run: documents },
  { name: "packages", what: "pins and licenses of the installed packages", run: packages },
  {
    name: "tools",
    what: "the tools' and benchmarks' own tests",
    folders: ["tools", "bench", "tests/compat"],
    run: (files) => runNodeTests({ folder: "tools", files, concurrency: 1 }),
  },
  { name: "build", what: "AssemblyScript to WebAssembly", run: compiled },
  { name: "reproducible", what: "the same module from another folder", needs: "build", run: reproducible },
  {
    name: "config",
    what: "docker-compose.yml, docker-compose.fleet.yml and envoy.yaml",
    needs: "build",
    run: configuration,
  },
  { name: "deploy", what: "the examples of deploy/", needs: "build", run: deployments },
  { name: "unit", what: "as-pect", folders: ["tests/unit"], run: runUnits },
  { name: "coverage", what: "the units again, instrumented", run: measureCoverage, isReport: true },
  { name: "wasm", what: "the built module on a fake host", needs: "build", folders: ["tests/wasm"], run: builtModule },
  { name: "differential", what: "the cache beside a real libssl's", needs: "build", isLong: true, run: differential },
  {
    name: "fuzz",
    what: "a minute of fuzzing, and the inputs that once failed",
    needs: "build",
    isLong: true,
    folders: ["tests/fuzz"],
    run: fuzzed,
  },
  { name: "servers", what: "a minute of mutated resumptions at real servers", needs: "build", run: realServers },
  {
    name: "e2e",
    what: "a real Envoy with real TLS clients and servers",
    needs: "build",
    folders: ["tests/e2e"],
    run: endToEnd,
  },
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
  const suites = CHECKS.flatMap(({ name, folders }) => (folders === undefined ? [] : [suiteOf(name, folders)]));
  const selection = select(
    args,
    CHECKS.map(({ name }) => name),
    suites,
  );
  if (typeof selection === "string") {
    console.error(`error: ${selection}`);
    return 1;
  }
  const filesOf = ({ name }: Check): string[] =>
    selection.files.get(name) ?? suites.find((suite) => suite.name === name)?.files ?? [];

  removeOldTestFolders();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failedChecks = new Set<string>();
  const begun = new Map<Check, Promise<Timed>>();
  const took: [string, number][] = [];
  const checks = chosen(selection.checks);
  for (const check of checks) {
    if (check.needs !== undefined && failedChecks.has(check.needs)) {
      console.log(`\n== ${check.name}: not run, because ${check.needs} failed`);
      total.skipped++;
      continue;
    }
    console.log(`\n== ${check.name}: ${check.what}`);
    const done = await (begun.get(check) ?? timed(check, filesOf(check)));
    took.push([check.name, done.seconds]);
    const result = report(check, done);
    if (result.failed > 0) failedChecks.add(check.name);
    else {
      for (const long of checks.filter(({ isLong, needs }) => isLong === true && needs === check.name)) {
        begun.set(long, timed(long, filesOf(long)));
      }
    }
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  if (took.length > 1) console.log(`\n${durations(took)}`);
  const skipped = total.skipped === 0 ? "" : `, ${total.skipped} skipped`;
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 ? 0 : 1;
}

function chosen(names: string[]): Check[] {
  if (names.length === 0) return CHECKS;
  const needed = new Set(names.flatMap((name) => [name, CHECKS.find((check) => check.name === name)?.needs]));
  return CHECKS.filter(({ name }) => needed.has(name));
}

function suiteOf(name: string, folders: string[]): Suite {
  return { name, folders, files: folders.flatMap(testFilesIn) };
}

interface Timed {
  result: SuiteResult;
  seconds: number;
}

/** Never rejects: an exception is a failure of the check. */
async function timed({ run }: Check, files: string[]): Promise<Timed> {
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
  const envoy = await findEnvoy(progress);
  const compose = readFileSync(FLEET_COMPOSE_FILE, "utf8");
  const faults = [
    ...(await checkShippedConfiguration(envoy)),
    ...fleetComposeFaults(compose),
    ...(await fleetConfigurationFaults(envoy, compose)),
  ];
  return outcome(faults.length === 0, faults.join("\n"));
}

async function deployments(): Promise<SuiteResult> {
  return await checkDeployments(await findEnvoy(progress), progress);
}

async function documents(): Promise<SuiteResult> {
  const faults = docsFaults();
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

function builtModule(files: string[]): Promise<SuiteResult> {
  return runNodeTests({ folder: "tests/wasm", files, concurrency: 1 });
}

function fuzzed(files: string[]): Promise<SuiteResult> {
  return runNodeTests({ folder: "tests/fuzz", files, concurrency: 1 });
}

function differential(): Promise<SuiteResult> {
  return countedByItself("tests/differential/run.ts");
}

/** All servers at once: no other measurement runs beside it. */
async function realServers(): Promise<SuiteResult> {
  const ENVOY_BIN = await findEnvoy(progress);
  return await countedByItself("tests/servers/run.ts", { ...process.env, ENVOY_BIN });
}

/** Its last line has its counts. */
async function countedByItself(file: string, env = process.env): Promise<SuiteResult> {
  const { exitCode, output } = await runCommand(process.execPath, ["--import", "tsx", file], { env });
  const [, passed, failed, skipped] = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(output) ?? [];
  const counted = { passed: Number(passed ?? 0), failed: Number(failed ?? 0), skipped: Number(skipped ?? 0), output };
  return exitCode !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

/** One file at a time: each starts an Envoy and measures how real clients fare. */
async function endToEnd(files: string[]): Promise<SuiteResult> {
  const ENVOY_BIN = await findEnvoy(progress);
  const env = { ENVOY_BIN, ...(await browserFor(files)) };
  return await runNodeTests({ folder: "tests/e2e", files, env, concurrency: 1 });
}

/** Here an installation is shown, and takes nothing of the tests' time. Without a Chromium, the page's tests alone fail and say why. */
async function browserFor(files: string[]): Promise<{ CHROMIUM_BIN?: string }> {
  if (!files.some((file) => file.endsWith("page.test.ts"))) return {};
  try {
    return { CHROMIUM_BIN: await findChromium(progress) };
  } catch (error) {
    if (error instanceof SetupError) return {};
    throw error;
  }
}

/** Removes the logs of earlier runs. Young folders stay: another run may be using them. */
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
