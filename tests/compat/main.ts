/**
 * `npm run test:compat`: the end-to-end tests on each Envoy of envoy_versions.ts, held to the differences that tests/compat/ names.
 * `-- --envoy 1.39` runs one version, file names behind it those files only. `-- --smoke` runs the basics (learn, resume, refuse, count,
 * all by the admin API) on the oldest version and one in the middle, in less than a minute.
 *
 * Promises: every file is told with its counts and seconds; a failure that no difference explains is shown in full, and so is a difference
 * that has gone; the last line is `N passed, N failed`, exit code 1 where anything failed.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { differencesOf } from "./differences.ts";
import { build } from "../../tools/build.ts";
import { stopCommands } from "../../tools/command.ts";
import { findEnvoy, releaseOf } from "../../tools/proxies/envoy_binary.ts";
import { RELEASES } from "../../tools/proxies/envoy_versions.ts";
import { PROJECT_FOLDER } from "../../tools/project.ts";
import { runTool } from "../../tools/run_tool.ts";
import { SetupError } from "../../tools/setup_error.ts";
import { shortenLines } from "../../tools/shorten_lines.ts";
import { runNodeTests, testFilesIn } from "../../tools/checks/suites/suites.ts";
import { judge, type Count } from "./judge.ts";

const FOLDER = "tests/e2e";
const OPTIONS = { envoy: { type: "string" }, smoke: { type: "boolean", default: false } } as const;
const SMOKE = ["operating/envoy_version.test.ts", "operating/shortest.test.ts", "watching/accounting.test.ts"];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    stopCommands();
    process.exit(signal === "SIGINT" ? 130 : 143);
  });
}

await runTool(async (args) => {
  const { versions, files } = chosen(args);
  const failure = await build();
  if (failure !== null) throw new SetupError(`the filter does not compile:\n${failure}`);
  const total: Count = { passed: 0, failed: 0, skipped: 0 };
  const lines: string[] = [];
  for (const version of versions) {
    const { passed, failed, skipped } = await runOn(version, files);
    lines.push(`   ${version}: ${passed} passed, ${skipped} that cannot pass there, ${failed} failed`);
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  console.log(`\n${lines.join("\n")}\n\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
});

function chosen(args: string[]): { versions: string[]; files: string[] } {
  const { values, positionals: files } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  for (const file of files) {
    if (file.endsWith(".test.ts") && existsSync(join(PROJECT_FOLDER, file))) continue;
    throw new SetupError(
      `"${file}" is no *.test.ts file: as in npm run test:compat -- --envoy 1.39 tests/e2e/admin/admin.test.ts`,
    );
  }
  const all = RELEASES.map(({ version }) => version);
  const few = all.filter((_, at) => at === 0 || at === all.length >> 1);
  const versions = values.envoy === undefined ? (values.smoke ? few : all) : [releaseOf(values.envoy).version];
  if (files.length > 0) return { versions, files };
  return { versions, files: values.smoke ? SMOKE.map((name) => join(FOLDER, name)) : testFilesIn(FOLDER) };
}

async function runOn(version: string, files: string[]): Promise<Count> {
  process.env["ENVOY_VERSION"] = version;
  process.env["ENVOY_BIN"] = "";
  const ENVOY_BIN = await findEnvoy((line) => console.log(`\n== ${line}`));
  const total: Count = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    const known = differencesOf(version).filter((difference) => difference.file === basename(file));
    const skip = known.find(({ skipFile }) => skipFile === true);
    if (skip !== undefined) {
      console.log(`   ${file}: not run, as ${skip.why}`);
      total.skipped++;
      continue;
    }
    const begun = Date.now();
    const result = await runNodeTests({ folder: FOLDER, files: [file], env: { ENVOY_BIN }, concurrency: 1 });
    const { count, complaints } = judge(result, known);
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.log(
      `   ${file}: ${count.passed} passed, ${count.skipped} that cannot, ${count.failed} failed (${seconds} s)`,
    );
    if (complaints.length > 0) console.log(shortenLines([result.output, ...complaints].join("\n")));
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped += count.skipped;
  }
  return total;
}
