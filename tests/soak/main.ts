/**
 * `npm run soak -- --minutes N`: the filter in a real Envoy under all kinds of traffic and an operator's calls, for that long (30
 * where it is not said), then a judgement: memory flat, no traps, no lost updates, no revoked resumptions, sums that add up. Prints
 * a line for each, exit code 1 where one is not true. `--seed N` repeats the choices of another run.
 */
import { numberOf, printVerdicts } from "./report.ts";
import { describeMachine } from "../../tools/machine.ts";
import { soak } from "./run.ts";
import { build } from "../../tools/build.ts";
import { findEnvoy } from "../../tools/proxies/envoy_binary.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";

await runTool(run);

async function run(args: string[]): Promise<number> {
  const minutes = numberOf(args, "--minutes", 30);
  const seed = numberOf(args, "--seed", 1);
  const envoy = await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const { summary, verdicts } = await soak({ minutes, seed, progress: console.error });

  return printVerdicts([...(await describeMachine(envoy)), `${minutes} minutes, seed ${seed}`, ...summary], verdicts);
}
