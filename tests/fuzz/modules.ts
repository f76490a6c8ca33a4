/**
 * The modules that are fuzzed: the built one, and the same sources with the same options once more, with counters in it that guide
 * the fuzzer. What is found with the second is judged on the first.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFilter } from "../../tools/build.ts";
import { MODULE_FILE } from "../../tools/project.ts";
import { COUNTERS_END, type Counted, withCounters } from "./counters.ts";

export function builtModule(): Uint8Array<ArrayBuffer> {
  if (!existsSync(MODULE_FILE)) throw new Error(`${MODULE_FILE} is not there: run "npm run build" first`);
  return Uint8Array.from(readFileSync(MODULE_FILE));
}

/** Takes as long as a build. */
export async function countedModule(): Promise<Counted> {
  const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  try {
    const file = join(folder, "counted.wasm");
    const failure = await compileFilter(file, undefined, ["--memoryBase", String(COUNTERS_END)]);
    if (failure !== null) throw new Error(failure);
    return withCounters(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
