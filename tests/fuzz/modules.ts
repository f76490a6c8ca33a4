/**
 * The fuzzed modules: the built one, and a second one of the same sources and options, with counters that guide the fuzzer.
 * Findings of the second are judged on the first.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compileIfChanged, FILTER } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../../tools/project.ts";
import { COUNTERS_END, type Counted, withCounters } from "./counters.ts";

export function builtModule(): Uint8Array<ArrayBuffer> {
  if (!existsSync(MODULE_FILE)) throw new Error(`${MODULE_FILE} is not there: run "npm run build" first`);
  return Uint8Array.from(readFileSync(MODULE_FILE));
}

/** Takes a build's time if the sources have changed. */
export async function countedModule(): Promise<Counted> {
  const file = join(BUILD_FOLDER, "fuzz", "counted.wasm");
  const options = [...FILTER.options, "--memoryBase", String(COUNTERS_END)];
  const failure = await compileIfChanged(file, { ...FILTER, options });
  if (failure !== null) throw new Error(failure);
  return withCounters(readFileSync(file));
}
