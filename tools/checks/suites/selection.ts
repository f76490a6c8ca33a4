/**
 * The arguments of `npm test`: names of checks, then words that choose among their test files.
 *
 * `npm test -- unit page table` runs each spec with one of these words in its path below tests/unit; a whole path, or a file's
 * name with its ending, chooses that file alone. A word that is the name of a check, too, needs a slash: `unit config/`.
 */
import { join, relative } from "node:path";
import { PROJECT_FOLDER } from "../../project.ts";

/** Test files from which words choose. */
export interface Suite {
  name: string;
  /** Relative to the project, as the files are. */
  folders: string[];
  files: string[];
}

export interface Selection {
  /** Empty if none is named. */
  checks: string[];
  /** The chosen files of each check that has files; empty if no word is given. */
  files: Map<string, string[]>;
}

/** Returns the complaint if an argument fits nothing. */
export function select(args: string[], checks: string[], suites: Suite[]): Selection | string {
  const names = args.filter((arg) => checks.includes(arg));
  const words = args.filter((arg) => !checks.includes(arg));
  if (words.length === 0) return { checks: names, files: new Map() };
  if (names.length === 0) {
    return `"${words[0]}" is not a check: ${checks.join(", ")}; files and words follow a check, as in: npm test -- unit page`;
  }
  const chosen = suites.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) return `${names.join(" and ")} has no files to choose from: leave out "${words.join(" ")}"`;
  for (const word of words) {
    if (chosen.some((suite) => filesOf(suite, [word]).length > 0)) continue;
    return `no test file has "${word}" in its path\n${chosen.map(listing).join("\n")}`;
  }
  const files = new Map(chosen.map((suite) => [suite.name, filesOf(suite, words)]));
  const empty = chosen.find(({ name }) => files.get(name)?.length === 0);
  if (empty !== undefined) return `no test file of ${empty.name} has "${words.join('" or "')}" in its path`;
  return { checks: names, files };
}

function filesOf(suite: Suite, words: string[]): string[] {
  return suite.files.filter((file) => words.some((word) => fits(suite, file, word)));
}

function fits(suite: Suite, file: string, word: string): boolean {
  const path = relative(PROJECT_FOLDER, join(PROJECT_FOLDER, word.replace(PROJECT_FOLDER, "")));
  if (ENDING.test(word)) return file === path || file.endsWith(`/${path}`);
  if (suite.folders.some((folder) => path === folder || path.startsWith(`${folder}/`))) return file.startsWith(path);
  return stem(suite, file).includes(word);
}

/** A path without its suite's folder and its ending: what a word is looked for in. */
function stem(suite: Suite, file: string): string {
  const folder = suite.folders.find((name) => file.startsWith(`${name}/`)) ?? "";
  return file.slice(folder.length + 1).replace(ENDING, "");
}

function listing(suite: Suite): string {
  return `${suite.name} has: ${suite.files.map((file) => stem(suite, file)).join(", ")}`;
}

const ENDING = /\.(?:test|spec)\.ts$/;
