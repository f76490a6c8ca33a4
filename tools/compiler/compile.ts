/**
 * Compiles AssemblyScript to WebAssembly: the filter, and the modules that tests and benchmarks need.
 *
 * Promises: a module appears whole or not at all, build identity (`identity.ts`) included, so an Envoy that starts meanwhile never
 * reads half of it. `compileIfChanged` keeps a module only if the same inputs (`inputs.ts`) made it, and if nobody has changed its
 * bytes since.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runCommand } from "../command.ts";
import { PROJECT_FOLDER } from "../project.ts";
import { shortenLines } from "../shorten_lines.ts";
import { hashOf, withIdentity } from "./identity.ts";
import { inlineMore } from "./inlining.ts";
import { inputsOf } from "./inputs.ts";

export interface Compilation {
  /** The file that imports all others, relative to the folder. */
  entry: string;
  /** The compiler's. */
  options: string[];
  /** Whether it is inlined further, as the filter is (`inlining.ts`). */
  isInlined?: boolean;
  /** Whether it shows its build identity, as the filter does; then it is refused if it has not exactly one place for that. */
  isIdentified?: boolean;
  /** Holds the sources and node_modules; the project's if it is not given. */
  folder?: string;
}

/** The module that is shipped. */
export const FILTER: Compilation = {
  entry: "assembly/index.ts",
  options: ["--target", "release"],
  isInlined: true,
  isIdentified: true,
};

/** Null on success, else the compiler's complaint; then a module that was there stays. The path must be absolute. */
export async function compile(outFile: string, compilation: Compilation): Promise<string | null> {
  const { entry, options, isInlined = false, isIdentified = false, folder = PROJECT_FOLDER } = compilation;
  mkdirSync(dirname(outFile), { recursive: true });
  const partial = outFile.replace(/(\.wasm)?$/, `.partial-${process.pid}.wasm`);
  const compiler = join(folder, "node_modules", "assemblyscript", "bin", "asc.js");
  const args = [compiler, entry, ...options, "--outFile", partial];
  const { exitCode, output } = await runCommand(process.execPath, args, { folder });
  if (exitCode !== 0) {
    rmSync(partial, { force: true });
    return shortenLines(output) || "the compiler failed and printed nothing";
  }
  if (isInlined) inlineMore(partial);
  const fault = isIdentified ? identify(partial) : null;
  if (fault !== null) {
    rmSync(partial, { force: true });
    return `the module cannot show its build identity: ${fault}`;
  }
  renameSync(partial, outFile);
  return null;
}

/** As `compile`, in a fraction of a second if the module is up to date. */
export async function compileIfChanged(outFile: string, compilation: Compilation): Promise<string | null> {
  const recordFile = `${outFile}.inputs`;
  const inputs = inputsOf(compilation);
  const record = (): string => `${inputs} ${hashOfFile(outFile)}\n`;
  if (textOf(recordFile) === record()) return null;
  rmSync(recordFile, { force: true });
  const failure = await compile(outFile, compilation);
  // A source that was saved meanwhile may be in the module or not: then the next call compiles again.
  if (failure === null && inputsOf(compilation) === inputs) writeFileSync(recordFile, record());
  return failure;
}

/** Writes the build identity into the file of a module; returns null, or why it cannot. */
function identify(file: string): string | null {
  const identified = withIdentity(readFileSync(file));
  if (typeof identified === "string") return identified;
  writeFileSync(file, identified);
  return null;
}

function hashOfFile(file: string): string {
  try {
    return hashOf(readFileSync(file));
  } catch {
    return "none";
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
