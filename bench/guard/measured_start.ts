/**
 * One start of the measuring: a process of its own that measures both builds, in random order or interleaved, sends what it has
 * measured, and ends. `process.send` gives the parent a `StartReport`.
 */
import { readFileSync } from "node:fs";
import { measureInNode } from "../cache/lean_host.ts";
import { shuffled } from "../handshakes.ts";
import { measureModules } from "./module_times.ts";

export interface StartOrder {
  part: "callbacks" | "cache";
  /** Files of modules: base, head. */
  files: [string, string];
}

/** Nanoseconds by subject, for base and for head. */
export type StartReport = [Record<string, number>, Record<string, number>];

process.on("message", (order: StartOrder) => {
  const report = measure(order);
  process.send?.(report, () => process.disconnect());
});

function measure({ part, files }: StartOrder): StartReport {
  const times = part === "callbacks" ? callbackTimes(files) : cacheTimes(files);
  return times.map((ofOne) => Object.fromEntries(ofOne)) as StartReport;
}

function callbackTimes(files: [string, string]): Map<string, number>[] {
  const modules = files.map((file) => new WebAssembly.Module(readFileSync(file)));
  return measureModules(modules, { rounds: ROUNDS, handshakes: HANDSHAKES, warmUp: WARM_UP });
}

/** The host's own functions are compiled by a small run of both. */
function cacheTimes(files: [string, string]): Map<string, number>[] {
  const results: Map<string, number>[] = files.map(() => new Map());
  for (const sessions of [FEW_SESSIONS, SESSIONS]) {
    for (const index of shuffled([0, 1])) {
      const run = { sessions, maxMemoryMib: MEMORY_MIB, cacheSize: 0, hostOnly: false, removals: 0 };
      results[index] = measureInNode(run, files[index] as string).operations;
    }
  }
  return results;
}

const ROUNDS = 40;
const HANDSHAKES = 25;
const WARM_UP = 1_000;
const FEW_SESSIONS = 1_000;
const SESSIONS = 20_000;
const MEMORY_MIB = 256;
