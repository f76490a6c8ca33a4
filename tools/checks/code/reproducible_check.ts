/**
 * Whether the module depends on its sources and packages alone: it is built once more from copies in another folder, whose path
 * has another length, and must be the same to the byte. It never keeps a module, so it would also find one that is out of date.
 * About ten seconds.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, FILTER } from "../../compiler/compile.ts";
import { MODULE_FILE, PROJECT_FOLDER } from "../../project.ts";

/** One line for each fault of the module that was built before. */
export async function reproductionFaults(): Promise<string[]> {
  const parent = mkdtempSync(join(tmpdir(), "reproduce-"));
  try {
    const folder = join(parent, "a folder", "of another name");
    mkdirSync(folder, { recursive: true });
    for (const source of ["assembly", "asconfig.json", "package.json"]) {
      cpSync(join(PROJECT_FOLDER, source), join(folder, source), { recursive: true });
    }
    symlinkSync(join(PROJECT_FOLDER, "node_modules"), join(folder, "node_modules"), "dir");
    const copy = join(folder, "copy.wasm");
    const failure = await compile(copy, { ...FILTER, folder });
    if (failure !== null) return [`the copy cannot be built: ${failure}`];
    return compareModules(readFileSync(MODULE_FILE), readFileSync(copy));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

export function compareModules(built: Uint8Array, copy: Uint8Array): string[] {
  const [first, second] = [built, copy].map((bytes) => createHash("sha256").update(bytes).digest("hex"));
  return first === second ? [] : [`two builds differ: SHA-256 ${first} here, ${second} in another folder`];
}
