/**
 * Makes what envoy.yaml needs under build/: the filter, compiled from assembly/ as asconfig.json says, and a demo certificate.
 * Each appears whole or not at all, so an Envoy that starts meanwhile never reads half of it. Run as `npm run build`.
 */
import { mkdirSync, renameSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { runCommand } from "./command.ts";
import { makeDemoCertificate } from "./proxies/demo_certificate.ts";
import { inlineMore } from "./inlining.ts";
import { BUILD_FOLDER, MODULE_FILE, PROJECT_FOLDER } from "./project.ts";
import { shortenLines } from "./shorten_lines.ts";

/** Null on success, else what the compiler said. */
export async function build(): Promise<string | null> {
  await makeDemoCertificate();
  return await buildFilter();
}

async function buildFilter(): Promise<string | null> {
  mkdirSync(BUILD_FOLDER, { recursive: true });
  const partial = join(BUILD_FOLDER, `partial-${process.pid}.wasm`);
  const failure = await compileFilter(partial);
  if (failure === null) renameSync(partial, MODULE_FILE);
  else rmSync(partial, { force: true });
  return failure;
}

/**
 * Compiles the sources in a folder, and inlines (`inlining.ts`); null on success, else what the compiler said. `options` are the
 * compiler's, beside ours.
 */
export async function compileFilter(
  outFile: string,
  folder = PROJECT_FOLDER,
  options: string[] = [],
): Promise<string | null> {
  const compiler = join(folder, "node_modules", "assemblyscript", "bin", "asc.js");
  const args = [compiler, "assembly/index.ts", "--target", "release", "--outFile", outFile, ...options];
  const { exitCode, output } = await runCommand(process.execPath, args, { folder });
  if (exitCode !== 0) return shortenLines(output) || "the compiler failed and said nothing";
  inlineMore(isAbsolute(outFile) ? outFile : join(folder, outFile));
  return null;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const failure = await build();
  if (failure !== null) console.error(failure);
  process.exitCode = failure === null ? 0 : 1;
}
