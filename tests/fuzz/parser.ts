/**
 * handshake_fuzz.ts, compiled as the release build is compiled: the parsers alone, a few hundred thousand inputs in a second. It changes and
 * feeds inside the module, each input twice; no counters guide it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileIfChanged } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";

/** Runs inputs from a seed; 0, or 1 plus the number of the one that failed. */
export type ParserFuzz = (seed: number, inputs: number) => number;

export async function parserModule(): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(BUILD_FOLDER, "fuzz", "parser.wasm");
  // Not with the project's own options, whose entry is the filter.
  const options = ["--config", "none", "--runtime", "incremental", "-O3"];
  const failure = await compileIfChanged(file, { entry: "tests/fuzz/handshake_fuzz.ts", options });
  if (failure !== null) throw new Error(failure);
  return Uint8Array.from(readFileSync(file));
}

export function parserFuzz(wasm: WebAssembly.Module): ParserFuzz {
  const abort = (): never => {
    throw new Error("abort");
  };
  return new WebAssembly.Instance(wasm, { env: { abort } }).exports.fuzz as ParserFuzz;
}
