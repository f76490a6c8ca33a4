/** Shared by the generators: writes a generated file, or with --check compares it with the file that is there. */
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

/** Writes `text` to `path` (from the project's root), or with --check on the command line exits 1 if it differs. */
export function publish(path: string, text: string): void {
  const target = new URL(`../../${path}`, import.meta.url);
  if (!process.argv.includes("--check")) {
    writeFileSync(target, text);
    return;
  }
  if (present(target) === text) return;
  console.error(`${path} is not up to date: run npx tsx ${relative(process.cwd(), process.argv[1] ?? "")}`);
  process.exit(1);
}

function present(target: URL): string | null {
  try {
    return readFileSync(target, "utf8");
  } catch {
    return null;
  }
}
