/**
 * `npm run bench:contention`: what the one mutex of Envoy's shared data costs many workers, simulated (`simulation.ts`), as many
 * cores are not to be had everywhere. Prints one table.
 *
 * --workers N,N     1,2,8,32
 * --own N,N         microseconds of a worker for a connection, without the shared store: 200,0; 0 is a filter without a proxy around it
 * --workloads W,W   of mixed (3 of 10 connections make a session, the others resume one of many), new (all make one), same (all
 *                   resume the same one)
 * --hold N,N        factors of the times for which an access holds the mutex: 1,2
 * --seconds N       of virtual time, 0.5
 * --sessions N      in the cache at the beginning, 20000
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "../../tools/build.ts";
import { MODULE_FILE } from "../../tools/project.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { chosen } from "../options.ts";
import type { Workload } from "./messages.ts";
import { type HoldTimes, type SimulationResult, simulate } from "./simulation.ts";

/**
 * At most: the time of a whole call in Envoy 1.40 on one core, of which the mutex is held for the copying only. 1 KiB: a get of 0.9 us
 * and a set of 0.5 us in the midst of connections; 128 bytes in a loop: 0.3 and 0.17 us.
 */
const HOLDS: HoldTimes = { get: 250, getKibibyte: 650, set: 150, setKibibyte: 350 };
const HEAD =
  "| workload | own us | hold | workers | handshakes/s | times one worker | mutex held | workers wait | longest us | accesses | conflicts | of | accesses to |\n" +
  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |";
const WORKLOADS: Workload[] = ["mixed", "new", "same"];
const SHOWN_KINDS = 4;

await runTool(run);

async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      workers: { type: "string", default: "1,2,8,32" },
      own: { type: "string", default: "200,0" },
      workloads: { type: "string" },
      hold: { type: "string", default: "1,2" },
      seconds: { type: "string", default: "0.5" },
      sessions: { type: "string", default: "20000" },
    },
  });
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const module = new WebAssembly.Module(readFileSync(MODULE_FILE));
  const [seconds = NaN] = numbers("--seconds", values.seconds);
  const [sessions = NaN] = numbers("--sessions", values.sessions);
  const workerCounts = numbers("--workers", values.workers);
  console.log(HEAD);
  for (const workload of chosen("--workloads", values.workloads, WORKLOADS, WORKLOADS)) {
    for (const own of numbers("--own", values.own)) {
      for (const factor of numbers("--hold", values.hold)) {
        let single: SimulationResult | undefined;
        for (const workers of workerCounts) {
          const holds = scaled(HOLDS, factor);
          const options = { module, workers, workload, ownNanoseconds: own * 1000, sessions, seconds, holds };
          const result = await simulate(options);
          single ??= result;
          const scale = result.handshakesPerSecond / single.handshakesPerSecond;
          console.log(row([workload, own, factor, workers], result, scale));
        }
      }
    }
  }
}

function row(setting: readonly (string | number)[], result: SimulationResult, scale: number): string {
  const percent = (share: number): string => `${(share * 100).toFixed(share < 0.001 && share > 0 ? 3 : 1)} %`;
  const most = (counts: Map<string, number>): string =>
    [...counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, SHOWN_KINDS)
      .map(([kind, count]) => `${kind} ${count}`)
      .join(", ");
  const cells = [
    ...setting,
    Math.round(result.handshakesPerSecond).toLocaleString("en"),
    scale.toFixed(2),
    percent(result.heldShare),
    percent(result.waitingShare),
    result.longestWait.toFixed(0),
    result.accessesPerHandshake.toFixed(1),
    percent(result.conflictShare),
    most(result.conflicts),
    most(result.accesses),
  ];
  return `| ${cells.join(" | ")} |`;
}

function numbers(option: string, text: string): number[] {
  const values = text.split(",").map(Number);
  if (values.some((value) => !(value >= 0))) throw new SetupError(`${option}: expected numbers, as in 1,2`);
  return values;
}

function scaled({ get, getKibibyte, set, setKibibyte }: HoldTimes, factor: number): HoldTimes {
  return { get: get * factor, getKibibyte: getKibibyte * factor, set: set * factor, setKibibyte: setKibibyte * factor };
}
