/** Compiles the benchmark's own filters. Each answers with the path of the result. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../tools/command.ts";
import { BUILD_FOLDER, MODULE_FILE, PROJECT_FOLDER } from "../tools/project.ts";

/** The filter that does nothing, held to the exports of the real module. */
export async function buildEmptyFilter(): Promise<string> {
  const file = await compile("empty_filter");
  const real = callbacksOf(MODULE_FILE);
  const empty = callbacksOf(file);
  if (real !== empty) throw new Error(`the empty filter exports\n  ${empty}\nand the module\n  ${real}`);
  return file;
}

/** The filter that measures calls of the host. */
export function buildCallCosts(): Promise<string> {
  return compile("call_costs");
}

/** The filter that makes the calls of an observed resumption, and does nothing with them. */
export function buildCallsOnly(): Promise<string> {
  return compile("calls_only");
}

async function compile(name: string): Promise<string> {
  const folder = join(BUILD_FOLDER, "bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.wasm`);
  const compiler = join(PROJECT_FOLDER, "node_modules", "assemblyscript", "bin", "asc.js");
  const options = ["--config", "none", "--runtime", "stub", "-O3", "--exportStart", "_initialize", "--use", "abort="];
  const source = join("bench", "filters", name, "index.ts");
  const { exitCode, output } = await runCommand(process.execPath, [compiler, source, ...options, "--outFile", file]);
  if (exitCode !== 0) throw new Error(`bench/filters/${name} does not compile:\n${output}`);
  return file;
}

function callbacksOf(file: string): string {
  return WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file)))
    .map(({ name }) => name)
    .filter((name) => name.startsWith("proxy_"))
    .sort()
    .join(" ");
}
