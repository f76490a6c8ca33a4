/**
 * `npm run soak:fleet -- --minutes N`: three proxies that share one cache, under 50 connections a second and an operator, for that long
 * (30 if it is not given), while etcd's leader is killed, etcd is frozen or compacted, proxies are killed or cut off from etcd, and
 * packets are lost. Prints a line for each condition; exit code 1 if one is not true.
 *
 * `--seed N` repeats the choices of another run; `--nodes N` of etcd, 3 if it is not given; `--rate N` connections a second;
 * `--clock-shift N` seconds by which one proxy's clock is ahead, 3600 if it is not given, which needs a C compiler; `--same-clocks` for
 * none.
 */
import { numberOf, printVerdicts } from "../report.ts";
import { build } from "../../../tools/build.ts";
import { describeMachine } from "../../../tools/machine.ts";
import { findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { runTool } from "../../../tools/run_tool.ts";
import { SetupError } from "../../../tools/setup_error.ts";
import { soakFleet } from "./run.ts";

await runTool(run);

async function run(args: string[]): Promise<number> {
  const minutes = numberOf(args, "--minutes", 30);
  const seed = numberOf(args, "--seed", 1);
  const nodes = numberOf(args, "--nodes", 3);
  const connectionsASecond = numberOf(args, "--rate", 50);
  const clockShiftSeconds = args.includes("--same-clocks") ? 0 : numberOf(args, "--clock-shift", 3600);
  const envoy = await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const { summary, verdicts } = await soakFleet({
    ...{ minutes, seed, nodes, connectionsASecond, clockShiftSeconds },
    progress: console.error,
  });
  const setup = `${minutes} minutes, seed ${seed}, 3 proxies, ${nodes} nodes of etcd, ${connectionsASecond} connections/s, clocks ${clockShiftSeconds} s apart`;
  return printVerdicts([...(await describeMachine(envoy)), setup, ...summary], verdicts);
}
