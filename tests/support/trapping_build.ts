/** Compiles `tests/faults/trapping_module.ts` with the options of the shipped module. Returns the path of the result. */
import { join } from "node:path";
import { compileIfChanged } from "../../tools/compiler/compile.ts";
import { BUILD_FOLDER } from "../../tools/project.ts";

export async function buildTrappingModule(): Promise<string> {
  const file = join(BUILD_FOLDER, "faults", "trapping.wasm");
  const options = ["--config", "none", "--runtime", "incremental", "-O3", "--exportStart", "_initialize"];
  const failure = await compileIfChanged(file, {
    entry: "tests/faults/trapping_module.ts",
    options: [...options, "--use", "abort=assembly/host/abort/abort"],
  });
  if (failure !== null) throw new Error(`the trapping module does not compile:\n${failure.slice(0, 3000)}`);
  return file;
}
