/**
 * `npm run demo:affinity`: how many resumptions reach the server that issued the session, behind this filter and behind
 * what else there is. Four upstreams that share nothing, 40 clients by turns, two workers. Prints a Markdown table; exit
 * code 1 if this filter misses a target.
 *
 * `--attempts N` offers N sessions for each number (1,000 by default); `--small` measures this filter alone, in
 * fewer rows; `--rows TEXT` measures only the rows that have the text in their titles.
 */
import { build } from "../../build.ts";
import { type Column, HAPROXY } from "./balancers.ts";
import { ROUND_ROBIN, SOURCE_HASH, THIS_FILTER, THIS_FILTER_EXACT } from "./balancers.ts";
import { measureAffinity, type Row } from "./run.ts";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { haproxyVersion } from "../../proxies/haproxy.ts";
import { runTool } from "../../run_tool.ts";
import { SetupError } from "../../setup_error.ts";

await runTool(run);

async function run(args: string[]): Promise<number> {
  const isSmall = args.includes("--small");
  const at = args.indexOf("--attempts");
  const attempts = at < 0 ? 1000 : Number(args[at + 1]);
  if (!Number.isInteger(attempts) || attempts < 1) throw new SetupError("--attempts: expected a number, as in 1000");

  const rowsAt = args.indexOf("--rows");
  const titled = rowsAt < 0 ? "" : args[rowsAt + 1];
  if (titled === undefined) throw new SetupError("--rows: expected some text of their titles");

  await findEnvoy(console.error);
  console.error("building the filter ...");
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const columns = isSmall ? [THIS_FILTER] : [ROUND_ROBIN, SOURCE_HASH, ...haproxy(), THIS_FILTER, THIS_FILTER_EXACT];
  const newConnections = isSmall ? 400 : 4000;
  const rows = await measureAffinity({ attempts, newConnections, isSmall, titled, columns, progress: console.error });

  if (rows.length === 0) throw new SetupError(`--rows: no title has "${titled}" in it`);
  console.log(table(rows, columns));
  const missed = rows.flatMap((row) => row.missed);
  for (const line of missed) console.log(`\nmissed: ${line}`);
  return missed.length === 0 ? 0 : 1;
}

function haproxy(): Column[] {
  if (haproxyVersion() !== null) return [HAPROXY];
  console.error("haproxy is not installed: its column is left out");
  return [];
}

function table(rows: Row[], columns: Column[]): string {
  const head = ["resumed: newest session / always the first", ...columns.map(({ title }) => title), "target"];
  const lines = rows.map(({ title, cells, target }) => [
    title,
    ...columns.map(({ name }) => cells.get(name) ?? "-"),
    target,
  ]);
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
