/**
 * Runs a suite of tests and reads its counts: as-pect for the units in AssemblyScript, node:test for the rest. A suite that cannot be
 * counted, or counts to nothing, has failed: a suite that does not run must never look like one that passes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand, type CommandResult } from "../../command.ts";
import { BUILD_FOLDER, PROJECT_FOLDER } from "../../project.ts";

export interface SuiteResult {
  passed: number;
  failed: number;
  skipped: number;
  /** Shown if something failed. */
  output: string;
  /** Of tests that run in Node: which failed. */
  failures?: Failure[];
  /** Likewise, the names of those that passed. */
  passes?: string[];
}

export interface Failure {
  file: string;
  name: string;
}

/** As counting_reporter.mjs writes it. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Files that hold no test. */
  empty: string[];
  failures?: Failure[];
  passes?: string[];
}

/** The specs, relative to the project. */
export async function runUnits(files: string[]): Promise<SuiteResult> {
  return countUnits(await asPect("as-pect.config.js", { UNIT_SPECS: files.join(" ") }));
}

/** The units again, instrumented. Counts as one; `output` says the figure and which files no unit test reaches. */
export async function measureCoverage(): Promise<SuiteResult> {
  const result = await asPect("as-pect.coverage.config.js");
  const units = countUnits(result);
  if (units.failed > 0) return { ...units, passed: 0, failed: 1 };
  return judgeCoverage(result.output, sourceFiles());
}

/** Files that no unit test imports are not in as-covers' table: they are named, so that the figure hides nothing. */
export function judgeCoverage(output: string, sources: string[]): SuiteResult {
  const plain = withoutColours(output);
  const rows = [...plain.matchAll(/^│ (\S+)\s+│\s*([\d.]+|N\/A)%?\s+│/gm)];
  const total = Number(rows.find(([, name]) => name === "total")?.[2] ?? NaN);
  if (Number.isNaN(total))
    return { passed: 0, failed: 1, skipped: 0, output: `${plain}\nno coverage table was printed` };
  const reached = new Set(rows.map(([, name]) => name));
  const others = sources.filter((file) => !reached.has(file));
  const figure =
    `${total} % of the blocks, functions and expressions in the ${sources.length - others.length} files that units reach` +
    (others.length === 0 ? "" : `;\n   not reached by units (or nothing in them runs): ${others.join(", ")}`);
  if (total >= LEAST_COVERAGE_PERCENT) return { passed: 1, failed: 0, skipped: 0, output: figure };
  return {
    passed: 0,
    failed: 1,
    skipped: 0,
    output: `${plain}\n${figure}\nat least ${LEAST_COVERAGE_PERCENT} % is wanted`,
  };
}

function asPect(config: string, env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const program = join(PROJECT_FOLDER, "node_modules", "@as-pect", "cli", "bin", "asp.js");
  const args = [program, "--config", config, "--no-logo", "--summary"];
  return runCommand(process.execPath, args, { env: { ...process.env, ...env }, timeoutSeconds: UNIT_SECONDS });
}

function sourceFiles(): string[] {
  const names = readdirSync(join(PROJECT_FOLDER, "assembly"), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => `assembly/${name}`);
}

/** as-pect ends with `[Tests]: passed / all`, unless it crashed; then the lines of the files before it still count. */
export function countUnits({ exitCode, output }: Pick<CommandResult, "exitCode" | "output">): SuiteResult {
  const plain = withoutColours(output);
  const summary = [...plain.matchAll(/\[Tests\]:\s*(\d+) \/ (\d+)/g)];
  const counted = summary.length > 0 ? summary.slice(-1) : [...plain.matchAll(/ Pass: (\d+) \/ (\d+) /g)];
  let passed = 0;
  let all = 0;
  for (const [, passedText, allText] of counted) {
    passed += Number(passedText);
    all += Number(allText);
  }
  const failed = all - passed;
  const ranToItsEnd = summary.length > 0 && all > 0 && (exitCode === 0 || failed > 0);
  if (ranToItsEnd) return { passed, failed, skipped: 0, output: plain };
  const complaint = `as-pect did not run to its end (exit code ${exitCode})`;
  return { passed, failed: failed + 1, skipped: 0, output: `${plain}\n${complaint}` };
}

export interface NodeSuite {
  /** Under the project; every *.test.ts below it is run, or only `files`. */
  folder: string;
  files?: string[];
  env?: NodeJS.ProcessEnv;
  /** Test files at a time. */
  concurrency: number;
  /** Until the whole suite is stopped. */
  seconds?: number;
}

export async function runNodeTests({ folder, files, env, concurrency, seconds }: NodeSuite): Promise<SuiteResult> {
  const chosen = files ?? testFilesIn(folder);
  if (chosen.length === 0) return { passed: 0, failed: 1, skipped: 0, output: `${folder} holds no *.test.ts` };
  const resultFolder = join(BUILD_FOLDER, "test");
  mkdirSync(resultFolder, { recursive: true });
  const countsFile = join(resultFolder, `counts-${folder.replaceAll("/", "-")}-${process.pid}.json`);
  const reporter = join(import.meta.dirname, "counting_reporter.mjs");
  const { exitCode, output } = await runCommand(
    process.execPath,
    [
      ...["--import", "tsx", "--test", `--test-concurrency=${concurrency}`, `--test-timeout=${FILE_SECONDS * 1000}`],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${countsFile}`],
      ...chosen,
    ],
    { env: { ...process.env, ...env }, timeoutSeconds: seconds ?? SUITE_SECONDS },
  );
  const text = existsSync(countsFile) ? readFileSync(countsFile, "utf8") : "";
  rmSync(countsFile, { force: true });
  return countNodeTests({ exitCode, output }, text);
}

export function countNodeTests(
  { exitCode, output }: Pick<CommandResult, "exitCode" | "output">,
  text: string,
): SuiteResult {
  let counts: Counts = { passed: 0, failed: 0, skipped: 0, empty: [] };
  const complaints: string[] = [];
  try {
    counts = JSON.parse(text) as Counts;
  } catch {
    complaints.push("the tests did not run to their end");
  }
  for (const file of counts.empty) complaints.push(`${file} holds no test`);
  if (complaints.length === 0 && counts.passed + counts.failed === 0) complaints.push("no test ran");
  if (complaints.length === 0 && counts.failed === 0 && exitCode !== 0) complaints.push(`exit code ${exitCode}`);
  return {
    passed: counts.passed,
    failed: counts.failed + complaints.length,
    skipped: counts.skipped,
    output: [withoutColours(output), ...complaints].join("\n"),
    failures: [...(counts.failures ?? []), ...complaints.map((name) => ({ file: "", name }))],
    passes: counts.passes ?? [],
  };
}

/** Every *.test.ts or *.spec.ts below a folder of the project, sorted. */
export function testFilesIn(folder: string): string[] {
  const absolute = join(PROJECT_FOLDER, folder);
  if (!existsSync(absolute)) return [];
  const names = readdirSync(absolute, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => /\.(?:test|spec)\.ts$/.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function withoutColours(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}

const LEAST_COVERAGE_PERCENT = 80;
const UNIT_SECONDS = 600;
const FILE_SECONDS = 600;
const SUITE_SECONDS = 1500;
