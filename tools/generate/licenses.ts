/**
 * Makes docs/build/licenses.md: every package that is installed to build and test, by license, from package-lock.json.
 *
 *   npx tsx tools/generate/licenses.ts           writes the file
 *   npx tsx tools/generate/licenses.ts --check   exits 1 if the file is not what would be written
 */
import { readFileSync } from "node:fs";
import { publish } from "./generated_file.ts";
import { type LockFile, licenseOf, lockedPackages } from "../checks/code/packages_check.ts";

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as LockFile;
const byLicense = new Map<string, Set<string>>();
for (const [path, locked] of lockedPackages(lock)) {
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const license = licenseOf(locked);
  byLicense.set(license, (byLicense.get(license) ?? new Set()).add(`${name} ${locked.version}`));
}
const sections = [...byLicense].sort().map(([license, packages]) => {
  const lines = [...packages].sort().map((line) => `- ${line}`);
  return `## ${license}\n\n${lines.join("\n")}\n`;
});

publish(
  "docs/build/licenses.md",
  `# Licenses of all packages

Nothing here is shipped: the filter is compiled from \`assembly/\` alone, with the runtime of the AssemblyScript compiler
(Apache-2.0) and the declarations of @solo-io/proxy-runtime (Apache-2.0). These packages build and test it. Some are installed on
other platforms only. \`npm test\` fails on a license that is not among these headings, or when a package changes its own.

Made from package-lock.json by tools/generate/licenses.ts.

${sections.join("\n")}`,
);
