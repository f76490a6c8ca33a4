/**
 * Finds promtool and, beside it, Prometheus: `$PROMTOOL_BIN`, then PATH, then Debian's or Ubuntu's package `prometheus`, which apt
 * downloads (about 20 MB, once) and dpkg unpacks without installing anything; its two programs stay under .tools/.
 *
 * Returns the reason in words if this machine cannot have it. Only a PROMTOOL_BIN that does not work is an error.
 */
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { runCommand } from "../../command.ts";
import { PROJECT_FOLDER } from "../../project.ts";
import { SetupError } from "../../setup_error.ts";

export interface PrometheusTools {
  promtool: string;
  /** The server, if it lies beside promtool. */
  prometheus: string | null;
}

export async function findPrometheusTools(progress: (line: string) => void): Promise<PrometheusTools | string> {
  const named = process.env["PROMTOOL_BIN"] ?? "";
  if (named !== "") {
    if (isExecutable(named) && (await works(named))) return toolsBeside(named);
    throw new SetupError(`PROMTOOL_BIN=${named} is not a working promtool: set it to one, or unset it`);
  }
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "promtool"));
  for (const path of [...onPath, UNPACKED]) if (isExecutable(path) && (await works(path))) return toolsBeside(path);
  return await unpack(progress);
}

async function unpack(progress: (line: string) => void): Promise<PrometheusTools | string> {
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const partial = mkdtempSync(join(TOOLS_FOLDER, "partial-"));
  try {
    progress("downloading promtool into .tools (about 20 MB, once) ...");
    const downloaded = await runCommand("apt-get", ["download", "prometheus"], {
      folder: partial,
      timeoutSeconds: 120,
    });
    const [deb] = readdirSync(partial).filter((name) => name.endsWith(".deb"));
    if (downloaded.exitCode !== 0 || deb === undefined) return `apt-get cannot download prometheus: ${HINT}`;
    const unpacked = await runCommand("dpkg", ["-x", deb, "unpacked"], { folder: partial, timeoutSeconds: 60 });
    if (unpacked.exitCode !== 0) return `dpkg cannot unpack prometheus: ${HINT}`;
    if (!(await works(join(partial, "unpacked", "usr", "bin", "promtool"))))
      return `Debian's promtool does not run here: ${HINT}`;
    rmSync(PROMETHEUS_FOLDER, { recursive: true, force: true });
    renameSync(join(partial, "unpacked", "usr", "bin"), PROMETHEUS_FOLDER);
    return toolsBeside(UNPACKED);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function toolsBeside(promtool: string): PrometheusTools {
  const prometheus = join(dirname(promtool), "prometheus");
  return { promtool, prometheus: isExecutable(prometheus) ? prometheus : null };
}

async function works(promtool: string): Promise<boolean> {
  const { exitCode, output } = await runCommand(promtool, ["--version"], { timeoutSeconds: 20 });
  return exitCode === 0 && output.startsWith("promtool, version");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}

const TOOLS_FOLDER = join(PROJECT_FOLDER, ".tools");
const PROMETHEUS_FOLDER = join(TOOLS_FOLDER, "prometheus");
const UNPACKED = join(PROMETHEUS_FOLDER, "promtool");
const HINT = "install Prometheus and set PROMTOOL_BIN to its promtool";
