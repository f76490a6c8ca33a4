/**
 * handshake_fuzz.ts, compiled as the release build is compiled: the parsers alone, a few hundred thousand inputs in a second. It changes and
 * feeds inside the module, each input twice; no counters guide it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { PROJECT_FOLDER } from "../../tools/project.ts";

/** Runs inputs from a seed; 0, or 1 plus the number of the one that failed. */
export type ParserFuzz = (seed: number, inputs: number) => number;

export async function parserModule(): Promise<Uint8Array<ArrayBuffer>> {
  const folder = mkdtempSync(join(tmpdir(), "fuzz-"));
  try {
    // Outside the project's own options, whose entry is the filter.
    const config = join(folder, "asconfig.json");
    const module = join(folder, "parser.wasm");
    writeFileSync(config, "{}");
    const compiler = join(PROJECT_FOLDER, "node_modules", "assemblyscript", "bin", "asc.js");
    const files = ["--config", relative(PROJECT_FOLDER, config), "--outFile", relative(PROJECT_FOLDER, module)];
    const args = [compiler, "tests/fuzz/handshake_fuzz.ts", "--runtime", "incremental", "-O3", ...files];
    const { exitCode, output } = await runCommand(process.execPath, args, { folder: PROJECT_FOLDER });
    if (exitCode !== 0) throw new Error(output);
    return Uint8Array.from(readFileSync(module));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function parserFuzz(wasm: WebAssembly.Module): ParserFuzz {
  const abort = (): never => {
    throw new Error("abort");
  };
  return new WebAssembly.Instance(wasm, { env: { abort } }).exports.fuzz as ParserFuzz;
}
