/**
 * Mutated resumptions at real servers: a removed session that still resumes there must not resume through the filter.
 *
 *     npm run test:servers -- [--minutes 1] [--attempts 100000] [--seed N] [--servers openssl,node]
 *     npm run test:servers -- --replay FILE [--servers openssl]
 *     npm run test:servers -- --seed N --case "openssl, no tickets#17"
 *
 * Prints the counts of each server under each setting. Each of these pairs is one test, and so is each named case of
 * `tests/servers/found/`. Failing cases are made small and written under build/servers/. With --attempts and without
 * --minutes, the run ends when the attempts are done, however long that takes. The last line is
 * `N passed, N failed[, N skipped]`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { close, open } from "../fixtures/workbench.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";
import { SETTINGS, settingName } from "./envoy.ts";
import { type Found, foundBefore, readFound } from "./found.ts";
import type { Lane } from "./servers/lane.ts";
import { KINDS } from "./servers/kinds.ts";
import { type Started, startServers } from "./servers/start.ts";
import { caseOf, runSlice, type SliceResult } from "./slice.ts";
import { table, type Tally } from "./tally.ts";

interface Options {
  minutes: number;
  attempts: number;
  seed: number;
  servers: string[];
  replay: string | undefined;
  /** `lane name#index`, a case that the seed makes. */
  case: string | undefined;
}

async function main(options: Options): Promise<number> {
  let started: Started | undefined;
  const stop = (): void => {
    started?.stop();
    close();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stop();
      process.exit(130);
    });
  }
  try {
    open();
    started = await startServers(KINDS.filter(({ name }) => options.servers.includes(name)));
    return await runAll(options, started);
  } finally {
    stop();
  }
}

async function runAll(options: Options, { lanes, missing }: Started): Promise<number> {
  const outcome = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, reason] of missing) {
    const isRequired = KINDS.some((kind) => kind.name === name && kind.isRequired) && process.env.CI === "true";
    console.log(`${isRequired ? "FAILED" : "skipped"}: ${name}: ${reason}`);
    outcome[isRequired ? "failed" : "skipped"] += SETTINGS.length;
  }
  if (lanes.length === 0) return summary(outcome);
  const replayed = replayedCases(options, lanes);
  const found = replayed ?? foundBefore();
  console.log(
    `seed ${options.seed}, ${lanes.length} servers: ${[...new Set(lanes.map(({ name }) => name))].join("; ")}`,
  );

  const begun = Date.now();
  const nextIndex = new Map<string, number>();
  const results: SliceResult[] = [];
  let before = 0;
  for (const [index, setting] of SETTINGS.entries()) {
    const elapsed = (Date.now() - begun) / 1000;
    const left = SETTINGS.length - index;
    let printed = Date.now();
    let last = 0;
    const slice = runSlice({
      setting,
      lanes,
      seed: options.seed,
      nextIndex,
      found,
      seconds:
        replayed === undefined ? Math.max(MIN_SECONDS, (options.minutes * 60 - elapsed) / left - START_SECONDS) : 0,
      attempts: Math.ceil((options.attempts - before) / left),
      progress: (attempts) => {
        last = attempts;
        if (Date.now() - printed < PRINT_MILLISECONDS) return;
        printed = Date.now();
        const rate = Math.round((before + attempts) / ((Date.now() - begun) / 1000));
        console.log(`${settingName(setting)}: ${before + attempts} attempts, ${rate} a second`);
      },
    });
    try {
      results.push(await slice);
    } catch (error) {
      // For example, Envoy has ended, or the module has trapped.
      console.log(`FAILED: ${settingName(setting)}: ${String((error as Error).stack ?? error)}`);
      outcome.failed++;
    }
    before += last;
  }
  const seconds = (Date.now() - begun) / 1000;
  console.log(
    `${before} attempts in ${Math.round(seconds)} s, ${Math.round(before / seconds)} a second, seed ${options.seed}`,
  );
  reportNamed(results, found, outcome);
  if (replayed === undefined)
    reportTallies(
      results.flatMap(({ tallies }) => tallies),
      options.seed,
      outcome,
    );
  return summary(outcome);
}

/** The cases that the options name, instead of random ones. */
function replayedCases(options: Options, lanes: readonly Lane[]): Found[] | undefined {
  if (options.replay !== undefined) return [readFound(options.replay)];
  if (options.case === undefined) return undefined;
  const [name = "", index] = options.case.split("#");
  const lane = lanes.find((one) => one.name === name);
  if (lane === undefined) throw new Error(`no server is called ${name}`);
  const { one } = caseOf(options.seed, lane, Number(index));
  console.log(JSON.stringify(one));
  return [{ name: options.case, servers: [name], case: one }];
}

interface Counted {
  passed: number;
  failed: number;
  skipped: number;
}

function summary({ failed, passed, skipped }: Counted): number {
  console.log(`\n${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function reportNamed(results: SliceResult[], all: readonly Found[], outcome: Counted): void {
  let idle = 0;
  for (const one of all) {
    const parts = results.flatMap(({ named }) => named.get(one) ?? []);
    const failures = parts.flatMap((part) => part.failures);
    if (parts.length === 0) {
      console.log(`skipped: ${one.name}: none of ${one.servers.join(", ")} is running`);
      outcome.skipped++;
    } else if (parts.every(({ resumed }) => resumed.length === 0)) {
      // The installed release of a server may be stricter than the release of the finding.
      console.log(`skipped: ${one.name}: none of ${one.servers.join(", ")} resumes it in the installed release`);
      outcome.skipped++;
      idle++;
    } else if (failures.length > 0) {
      console.log(`FAILED: ${one.name}: ${failures.slice(0, 6).join("; ")}${failures.length > 6 ? "; ..." : ""}`);
      outcome.failed++;
    } else {
      outcome.passed++;
    }
  }
  if (idle * 2 > all.length) {
    console.log(`FAILED: ${idle} of ${all.length} named cases resume nowhere: they prove nothing`);
    outcome.failed++;
  }
}

function reportTallies(tallies: Tally[], seed: number, outcome: Counted): void {
  const sorted = tallies.sort((one, other) => one.server.localeCompare(other.server));
  const folder = join(BUILD_FOLDER, "servers");
  mkdirSync(folder, { recursive: true });
  for (const tally of sorted) {
    outcome[tally.hasFailed() ? "failed" : "passed"]++;
    const weakness = tally.weakness();
    if (weakness !== undefined) console.log(`FAILED: ${tally.server} (${tally.setting}): ${weakness}`);
    tally.failures.forEach((failure, index) => {
      const name = `${failure.lane}, ${failure.case.base}: ${failure.what}`;
      const isBystander = failure.what === "disturbed";
      const found: Found = {
        name,
        servers: [failure.lane],
        case: failure.case,
        ...(isBystander ? { bystander: true } : {}),
      };
      const file = `${failure.lane}-${tally.setting}-${seed}-${index}.json`.replace(/[^\w.-]+/g, "_");
      writeFileSync(join(folder, file), `${JSON.stringify(found, null, 2)}\n`);
      if (index >= SHOWN) return;
      const where = `${failure.lane} (${tally.setting}), seed ${seed}, case ${failure.index}`;
      console.log(`FAILED: ${where}: ${failure.what} ${failure.detail}\n   ${JSON.stringify(failure.case)}`);
    });
  }
  for (const line of table(sorted)) console.log(line);
  const sum = (count: (tally: Tally) => number): number => sorted.reduce((total, tally) => total + count(tally), 0);
  console.log(
    `${sum(({ removed }) => removed)} attempts after a removal, ${sum(({ resumed }) => resumed)} resumed; ` +
      `${sum(({ bystanders }) => bystanders)} bystanders, ` +
      `${sum(({ plainBystanders }) => plainBystanders)} of them unmutated, ` +
      `${sum(({ disturbed }) => disturbed)} disturbed, ${sum(({ unfollowed }) => unfollowed)} unfollowed`,
  );
}

function readOptions(args: string[]): Options | string {
  const names = KINDS.map(({ name }) => name);
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string" },
      attempts: { type: "string" },
      seed: { type: "string" },
      servers: { type: "string", default: names.join(",") },
      replay: { type: "string" },
      case: { type: "string" },
    },
  });
  const attempts = values.attempts === undefined ? Infinity : Number(values.attempts);
  const minutes = Number(values.minutes ?? (attempts === Infinity ? "1" : "600"));
  // A new seed each day, and the same one all day.
  const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000));
  const servers = values.servers.split(",");
  const unknown = servers.find((name) => !names.includes(name));
  if (unknown !== undefined) return `no server is called ${unknown}: there are ${names.join(", ")}`;
  if (!(minutes > 0) || !(attempts > 0) || !Number.isSafeInteger(seed)) {
    return "--minutes and --attempts are above 0, --seed is a whole number";
  }
  return { minutes, attempts, seed, servers, replay: values.replay, case: values.case };
}

const PRINT_MILLISECONDS = 10_000;
/** About the time that an Envoy takes to start. */
const START_SECONDS = 2;
const MIN_SECONDS = 3;
const SHOWN = 3;

const options = readOptions(process.argv.slice(2));
if (typeof options === "string") {
  console.error(`error: ${options}`);
  process.exitCode = 2;
} else {
  process.exitCode = await main(options);
}
// Sockets that servers left open must not keep the process alive.
process.exit();
