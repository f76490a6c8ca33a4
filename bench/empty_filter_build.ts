/** Compiles the empty filter and holds it to the exports of the real module. Answers with the path of the result. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../tools/command.ts";
import { BUILD_FOLDER, MODULE_FILE, PROJECT_FOLDER } from "../tools/project.ts";

export async function buildEmptyFilter(): Promise<string> {
  const folder = join(BUILD_FOLDER, "bench");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "empty-filter.wasm");
  const compiler = join(PROJECT_FOLDER, "node_modules", "assemblyscript", "bin", "asc.js");
  const options = ["--config", "none", "--runtime", "stub", "-O3", "--exportStart", "_initialize", "--use", "abort="];
  const { exitCode, output } = await runCommand(process.execPath, [
    compiler,
    join("bench", "empty_filter", "index.ts"),
    ...options,
    "--outFile",
    file,
  ]);
  if (exitCode !== 0) throw new Error(`the empty filter does not compile:\n${output}`);
  const real = callbacksOf(MODULE_FILE);
  const empty = callbacksOf(file);
  if (real !== empty) throw new Error(`the empty filter exports\n  ${empty}\nand the module\n  ${real}`);
  return file;
}

function callbacksOf(file: string): string {
  return WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(file)))
    .map(({ name }) => name)
    .filter((name) => name.startsWith("proxy_"))
    .sort()
    .join(" ");
}
