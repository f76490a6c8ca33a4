/**
 * `npm run image`: the module as an OCI image in build/release/image (image.ts). `--push HOST/NAME:TAG` also pushes it to a registry that
 * asks for no password.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { build } from "../build.ts";
import { MODULE_FILE } from "../project.ts";
import { runTool } from "../run_tool.ts";
import { SetupError } from "../setup_error.ts";
import { imageOf, writeLayout } from "./image.ts";
import { push, targetOf } from "./push.ts";
import { IMAGE_FOLDER, releasedVersion } from "./files.ts";

await runTool(async (args) => {
  const { values } = parseArgs({ args, options: { push: { type: "string" } } });
  const target = values.push === undefined ? null : targetOf(values.push);
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const image = imageOf(readFileSync(MODULE_FILE), releasedVersion());
  writeLayout(image, IMAGE_FOLDER, releasedVersion());
  console.log(`${IMAGE_FOLDER}  ${image.index.digest}`);
  if (target === null) return;
  await push(image, target);
  console.log(`pushed to ${target.registry}/${target.name}:${target.tag}`);
});
