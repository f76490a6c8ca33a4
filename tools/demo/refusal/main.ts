/**
 * `npm run demo:refusal`: removed sessions do not resume, and nobody else is disturbed. Two workers, clients that offer
 * sessions of every kind again and again while these are removed one after the other, and bystanders whose sessions are not.
 * Once with four servers and steering, where a removed session goes to another server; once with one server, where its
 * client sees an alert. Prints a Markdown table; exit code 1 if a session resumed after it was removed, if a client saw
 * anything but an alert or a full handshake, or if a bystander was disturbed.
 *
 * `--attempts N` counts N attempts on removed sessions in each of the two, and as many of bystanders (10,000 where it is not
 * said).
 */
import { build } from "../../build.ts";
import { measureRefusal, refusalTable } from "./run.ts";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { runTool } from "../../run_tool.ts";
import { SetupError } from "../../setup_error.ts";

await runTool(run);

async function run(args: string[]): Promise<number> {
  const at = args.indexOf("--attempts");
  const attempts = at < 0 ? 10_000 : Number(args[at + 1]);
  if (!Number.isInteger(attempts) || attempts < 1) throw new SetupError("--attempts: expected a number, as in 10000");

  await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const results = [];
  for (const steering of ["hash", "off"] as const) {
    results.push(await measureRefusal({ attempts, steering, progress: console.error }));
  }
  console.log(refusalTable(results));
  const complaints = results.flatMap((result) => result.complaints);
  for (const line of complaints) console.log(`\nwrong: ${line}`);
  return complaints.length === 0 ? 0 : 1;
}
