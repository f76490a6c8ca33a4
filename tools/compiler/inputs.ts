/**
 * One hash of everything that a module is made from: the entry, its options, all of assembly/ and the entry's other imports, each
 * without its comments; asconfig.json; the compiler, its standard library and its optimiser; and this folder.
 *
 * A comment may change if the code around it stays in its lines and columns: an abort carries them into the module.
 */
import { createHash, type Hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { PROJECT_FOLDER } from "../project.ts";
import type { Compilation } from "./compile.ts";

export function inputsOf(compilation: Compilation): string {
  const { entry, options, isInlined = false, isIdentified = false, folder = PROJECT_FOLDER } = compilation;
  const hash = createHash("sha256").update(JSON.stringify([entry, options, isInlined, isIdentified]));
  for (const file of sourcesOf(folder, entry)) add(hash, file, codeOf(readFileSync(join(folder, file), "utf8")));
  for (const file of [join(folder, "asconfig.json"), ...configurationsIn(options, folder)]) {
    add(hash, relative(folder, file), existsSync(file) ? readFileSync(file) : "none");
  }
  return hash.update(toolHash()).digest("hex");
}

/** Blanks each comment, and keeps the line and the column of all else. */
export function codeOf(text: string): string {
  // In their order: a text, a comment in a block, one to the end of its line, a template. A template may hold anything.
  const tokens = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\/\*[^]*?\*\/|\/\/[^\n]*|`/g;
  let hasTemplate = false;
  const code = text.replace(tokens, (token) => {
    if (token === "`") hasTemplate = true;
    // Three slashes may be a directive to the compiler.
    const isComment = token.startsWith("/") && !token.startsWith("///");
    return isComment ? token.replace(/[^\n]/g, " ") : token;
  });
  return hasTemplate ? text : code.replace(/ +$/gm, "");
}

/** All of assembly/, and the entry's imports from elsewhere; relative to the folder, sorted. */
function sourcesOf(folder: string, entry: string): string[] {
  const found = new Set(filesIn(join(folder, "assembly")).map((file) => relative(folder, file)));
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    found.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:\bfrom|\bimport)\s*["'](\.[^"']*)["']/g)) {
      const target = join(dirname(file), path);
      const choices = [`${target}.ts`, join(target, "index.ts")];
      waiting.push(...choices.filter((choice) => !found.has(choice) && existsSync(join(folder, choice))));
    }
  }
  return [...found].sort();
}

function configurationsIn(options: string[], folder: string): string[] {
  const at = options.indexOf("--config");
  return at < 0 ? [] : [join(folder, options[at + 1] ?? "")];
}

let knownToolHash: string | null = null;

/** Of the compiler and the optimiser, which do not change while a program runs. */
function toolHash(): string {
  if (knownToolHash !== null) return knownToolHash;
  const hash = createHash("sha256");
  const modules = join(PROJECT_FOLDER, "node_modules");
  const folders = [
    "assemblyscript/bin",
    "assemblyscript/dist",
    "assemblyscript/std",
    "@solo-io/proxy-runtime/assembly",
  ];
  const files = [...folders.flatMap((name) => filesIn(join(modules, name))), join(modules, "binaryen", "index.js")];
  const own = filesIn(import.meta.dirname).filter((file) => !file.endsWith(".test.ts"));
  for (const file of [...files, ...own]) {
    add(hash, relative(PROJECT_FOLDER, file), readFileSync(file));
  }
  return (knownToolHash = hash.digest("hex"));
}

/** Sorted. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Lengths keep two lists of files apart that are the same when they are joined. */
function add(hash: Hash, name: string, content: string | Buffer): void {
  hash.update(`${JSON.stringify(name)} ${content.length}\n`).update(content);
}
