/**
 * `npm run -s config -- --envoy 1.39`: the shipped envoy.yaml, comments and all, as an Envoy of that version reads it. Where none is
 * named, of the one that `npm start` would run. It goes to stdout, what does not work on that version to stderr.
 *
 * `--fleet NAME`: as a proxy of a fleet, with the pieces of deploy/fleet/ and certificates in build/fleet/ (docker-compose.fleet.yml).
 * `--shift-ports N`, for several proxies on one host: each port of its own is greater by N.
 */
import { envoyVersion, findEnvoy } from "./proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "./proxies/envoy_config.ts";
import { renderFleetConfig } from "./proxies/fleet_config.ts";
import { isTooOld, limitsOf, SHIPPED_FOR } from "./proxies/envoy_versions.ts";
import { runTool } from "./run_tool.ts";
import { SetupError } from "./setup_error.ts";

await runTool(async (args) => {
  const flags = readFlags(args);
  const version = flags.envoy ?? (await envoyVersion(await findEnvoy(console.error))) ?? SHIPPED_FOR;
  if (isTooOld(version)) throw new SetupError(`Envoy ${version} is too old for the filter`);
  for (const limit of limitsOf(version)) console.error(`Envoy ${version} works without ${limit}`);
  const text =
    flags.fleet === undefined
      ? renderEnvoyConfig({ envoyVersion: version })
      : renderFleetConfig(flags.fleet, flags.shiftPorts, version);
  process.stdout.write(text);
});

interface Flags {
  envoy?: string;
  fleet?: string;
  shiftPorts: number;
}

function readFlags(args: string[]): Flags {
  const flags: Flags = { shiftPorts: 0 };
  for (let i = 0; i < args.length; i += 2) {
    const [flag, value = ""] = args.slice(i, i + 2);
    if (flag === "--envoy" && /^1\.\d{1,3}(\.\d{1,3})?$/.test(value)) flags.envoy = value;
    else if (flag === "--fleet" && /^[\w-]{1,64}$/.test(value)) flags.fleet = value;
    else if (flag === "--shift-ports" && /^\d{1,5}$/.test(value)) flags.shiftPorts = Number(value);
    else throw new SetupError("say the version of Envoy, as in: npm run -s config -- --envoy 1.39");
  }
  const isForFleet = flags.fleet !== undefined;
  if (flags.shiftPorts > 0 && !isForFleet) throw new SetupError("--shift-ports needs --fleet with the name of a proxy");
  return flags;
}
