/**
 * Whether the installed packages that build and test are the documented ones: every package pinned to one version and to its bytes, under a
 * license of the list, and those that were chosen named in docs/build/dependencies.md.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../project.ts";

export interface LockedPackage {
  version?: string;
  integrity?: string;
  license?: string;
}

export interface LockFile {
  packages: Record<string, LockedPackage>;
}

export interface PackageFile {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** One line for each fault. `installedLicense` is null if a package is not installed, as for other platforms. */
export function packageFaults(
  { dependencies = {}, devDependencies = {} }: PackageFile,
  lock: LockFile,
  documentation: string,
  installedLicense: (path: string) => string | null,
): string[] {
  const faults: string[] = [];
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) faults.push(`package.json: ${name} is not pinned but "${version}"`);
    const row = documentation.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
    if (row?.includes(version) !== true) faults.push(`docs/build/dependencies.md: ${name} ${version} is not named`);
  }
  for (const [path, locked] of lockedPackages(lock)) {
    if (!/^sha512-/.test(locked.integrity ?? "")) faults.push(`package-lock.json: ${path} has no SHA-512`);
    for (const license of new Set([licenseOf(locked), installedLicense(path) ?? licenseOf(locked)])) {
      if (!ALLOWED.includes(license)) faults.push(`${path}: the license "${license}" is not allowed`);
    }
  }
  return faults;
}

export function checkPackages(): string[] {
  return packageFaults(
    JSON.parse(read("package.json")) as PackageFile,
    JSON.parse(read("package-lock.json")) as LockFile,
    read("docs/build/dependencies.md"),
    licenseInstalled,
  );
}

/** Without the project itself. */
export function lockedPackages(lock: LockFile): [string, LockedPackage][] {
  return Object.entries(lock.packages).filter(([path]) => path !== "");
}

export function licenseOf({ license }: LockedPackage): string {
  return license?.trim() ?? "none";
}

function licenseInstalled(path: string): string | null {
  const file = join(PROJECT_FOLDER, path, "package.json");
  if (!existsSync(file)) return null;
  const { license } = JSON.parse(readFileSync(file, "utf8")) as { license?: unknown };
  // Before there were SPDX names it was an object.
  return licenseOf({
    license: typeof license === "object" ? String((license as { type: string }).type) : String(license),
  });
}

function read(path: string): string {
  return readFileSync(join(PROJECT_FOLDER, path), "utf8");
}

/** SPDX names: compatible with Apache-2.0. All are permissive but MPL-2.0, which binds only who ships a package's own files. */
const ALLOWED = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MPL-2.0",
];
