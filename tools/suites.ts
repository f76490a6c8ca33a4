/**
 * Runs a suite of tests and reads its counts: as-pect for the units in AssemblyScript, node:test for the rest. What cannot be
 * counted, or counts to nothing, is a failure: a suite that does not run must never look like one that passes.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runCommand, type CommandResult } from "./command.ts";
import { BUILD_FOLDER, PROJECT_FOLDER } from "./project.ts";

export interface SuiteResult {
  passed: number;
  failed: number;
  skipped: number;
  /** What to show where something failed. */
  output: string;
}

/** As tools/counting_reporter.mjs writes it. */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  /** Files that hold no test. */
  empty: string[];
}

export async function runUnits(): Promise<SuiteResult> {
  const program = join(PROJECT_FOLDER, "node_modules", "@as-pect", "cli", "bin", "asp.js");
  const args = [program, "--config", "as-pect.config.js", "--no-logo", "--summary"];
  return countUnits(await runCommand(process.execPath, args, { timeoutSeconds: UNIT_SECONDS }));
}

/** as-pect ends with `[Tests]: passed / all`, unless it crashed. */
export function countUnits({ exitCode, output }: Pick<CommandResult, "exitCode" | "output">): SuiteResult {
  const plain = withoutColours(output);
  const [, passedText, allText] = /\[Tests\]:\s*(\d+) \/ (\d+)/.exec(plain) ?? [];
  const passed = Number(passedText ?? 0);
  const failed = Number(allText ?? 0) - passed;
  const ranToItsEnd = allText !== undefined && passed + failed > 0 && (exitCode === 0 || failed > 0);
  if (ranToItsEnd) return { passed, failed, skipped: 0, output: plain };
  return {
    passed,
    failed: failed + 1,
    skipped: 0,
    output: `${plain}\nas-pect did not run to its end (exit code ${exitCode})`,
  };
}

export interface NodeSuite {
  /** Under the project; every *.test.ts below it is run, or only `files`. */
  folder: string;
  files?: string[];
  env?: NodeJS.ProcessEnv;
  /** Test files at a time. */
  concurrency: number;
}

export async function runNodeTests({ folder, files, env, concurrency }: NodeSuite): Promise<SuiteResult> {
  const chosen = files ?? testFilesIn(folder);
  if (chosen.length === 0) return { passed: 0, failed: 1, skipped: 0, output: `${folder} holds no *.test.ts` };
  const resultFolder = join(BUILD_FOLDER, "test");
  mkdirSync(resultFolder, { recursive: true });
  const countsFile = join(resultFolder, `counts-${folder.replaceAll("/", "-")}-${process.pid}.json`);
  const reporter = join(PROJECT_FOLDER, "tools", "counting_reporter.mjs");
  const { exitCode, output } = await runCommand(
    process.execPath,
    [
      ...["--import", "tsx", "--test", `--test-concurrency=${concurrency}`, `--test-timeout=${FILE_SECONDS * 1000}`],
      ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
      ...[`--test-reporter=${reporter}`, `--test-reporter-destination=${countsFile}`],
      ...chosen,
    ],
    { env: { ...process.env, ...env }, timeoutSeconds: SUITE_SECONDS },
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
  };
}

function testFilesIn(folder: string): string[] {
  const absolute = join(PROJECT_FOLDER, folder);
  if (!existsSync(absolute)) return [];
  const names = readdirSync(absolute, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".test.ts"))
    .sort()
    .map((name) => join(folder, name));
}

function withoutColours(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}

const UNIT_SECONDS = 600;
const FILE_SECONDS = 600;
const SUITE_SECONDS = 1500;
