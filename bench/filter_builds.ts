/** Compiles the benchmark's own filters. Each function returns the path of its module. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileIfChanged } from "../tools/compiler/compile.ts";
import { BUILD_FOLDER, MODULE_FILE } from "../tools/project.ts";

/** The filter that does nothing, held to the exports of the real module. */
export async function buildEmptyFilter(): Promise<string> {
  const file = await compiled("empty_filter");
  const real = callbacksOf(MODULE_FILE);
  const empty = callbacksOf(file);
  if (real !== empty) throw new Error(`the empty filter exports\n  ${empty}\nand the module\n  ${real}`);
  return file;
}

/** The filter that measures calls of the host. */
export function buildCallCosts(): Promise<string> {
  return compiled("call_costs");
}

/** The filter that makes the calls of a handshake of TLS 1.2, and does nothing with them. */
export function buildCallsOnly(): Promise<string> {
  return compiled("calls_only");
}

async function compiled(name: string): Promise<string> {
  const file = join(BUILD_FOLDER, "bench", `${name}.wasm`);
  const options = ["--config", "none", "--runtime", "stub", "-O3", "--exportStart", "_initialize", "--use", "abort="];
  const failure = await compileIfChanged(file, { entry: `bench/filters/${name}/index.ts`, options });
  if (failure !== null) throw new Error(`bench/filters/${name} does not compile:\n${failure}`);
  return file;
}

function callbacksOf(file: string): string {
  return WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file)))
    .map(({ name }) => name)
    .filter((name) => name.startsWith("proxy_"))
    .sort()
    .join(" ");
}
