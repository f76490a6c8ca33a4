/**
 * `npm run -s config -- --envoy 1.39`: the shipped envoy.yaml, comments and all, as an Envoy of that version reads it. Where none is
 * named, of the one that `npm start` would run. It goes to stdout, what does not work on that version to stderr.
 */
import { envoyVersion, findEnvoy } from "./proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "./proxies/envoy_config.ts";
import { isTooOld, limitsOf, SHIPPED_FOR } from "./proxies/envoy_versions.ts";
import { runTool } from "./run_tool.ts";
import { SetupError } from "./setup_error.ts";

await runTool(async (args) => {
  const version = await chosenVersion(args);
  if (isTooOld(version)) throw new SetupError(`Envoy ${version} is too old for the filter`);
  for (const limit of limitsOf(version)) console.error(`Envoy ${version} works without ${limit}`);
  process.stdout.write(renderEnvoyConfig({ envoyVersion: version }));
});

async function chosenVersion(args: string[]): Promise<string> {
  if (args.length === 0) return (await envoyVersion(await findEnvoy(console.error))) ?? SHIPPED_FOR;
  const [flag, version = ""] = args;
  if (args.length === 2 && flag === "--envoy" && /^1\.\d{1,3}(\.\d{1,3})?$/.test(version)) return version;
  throw new SetupError("say the version of Envoy, as in: npm run -s config -- --envoy 1.39");
}
