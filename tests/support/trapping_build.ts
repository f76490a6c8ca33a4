/** Compiles `tests/faults/trapping_module.ts`, with the options of the shipped module. Answers with the path of the result. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { BUILD_FOLDER, PROJECT_FOLDER } from "../../tools/project.ts";

export async function buildTrappingModule(): Promise<string> {
  const folder = join(BUILD_FOLDER, "faults");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "trapping.wasm");
  const compiler = join(PROJECT_FOLDER, "node_modules", "assemblyscript", "bin", "asc.js");
  const options = ["--config", "none", "--runtime", "incremental", "-O3", "--exportStart", "_initialize"];
  const { exitCode, output } = await runCommand(process.execPath, [
    compiler,
    join("tests", "faults", "trapping_module.ts"),
    ...options,
    ...["--use", "abort=assembly/host/abort/abort", "--outFile", file],
  ]);
  if (exitCode !== 0) throw new Error(`the trapping module does not compile:\n${output.slice(0, 3000)}`);
  return file;
}
