/**
 * `npm run demo:fleet`: one cache over three proxies, and over restarts. Starts etcd, three Envoys and three servers on loopback,
 * with real clients: a session issued through one proxy resumes through the others; one removed on one is refused on all; then
 * etcd is killed, a proxy is killed, and everything starts again. Prints a Markdown table; exit code 1 if a removed session
 * resumed, or a client or a call failed.
 *
 * `--clients N`: N sessions of each kind in each scene, 10 if it is left out.
 */
import { build } from "../../build.ts";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { runTool } from "../../run_tool.ts";
import { SetupError } from "../../setup_error.ts";
import { fleetTable, runFleetDemo } from "./run.ts";

await runTool(run);

async function run(args: string[]): Promise<number> {
  const at = args.indexOf("--clients");
  const clients = at < 0 ? 10 : Number(args[at + 1]);
  if (!Number.isInteger(clients) || clients < 1) throw new SetupError("--clients: expected a number, as in 10");
  await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const result = await runFleetDemo({ clients, progress: console.error });
  console.log(fleetTable(result));
  for (const line of result.complaints) console.log(`\nwrong: ${line}`);
  return result.complaints.length === 0 ? 0 : 1;
}
