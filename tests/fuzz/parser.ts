/**
 * handshake_fuzz.ts, compiled like the release build: the parsers alone, a few hundred thousand inputs a second. The module
 * itself makes the inputs and feeds each twice. No counters guide it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileIfChanged } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";

/** Runs inputs from a seed. Returns 0, or 1 plus the number of the failing input. */
export type ParserFuzz = (seed: number, inputs: number) => number;

export async function parserModule(): Promise<Uint8Array<ArrayBuffer>> {
  const file = join(BUILD_FOLDER, "fuzz", "parser.wasm");
  // Not the project's own options: their entry is the filter.
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
