/**
 * The documents hold together: relative links and their anchors lead somewhere, files and scripts that are named exist, and
 * tables for users fit a screen. Each fault is one line, `file:line: what is wrong`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { PROJECT_FOLDER } from "../../project.ts";

/** Of a row of a table as it is shown, in README.md and docs/use. */
export const MAX_ROW_WIDTH = 120;

/** All documents of a folder. */
export function docsFaults(folder = PROJECT_FOLDER): string[] {
  const docs = readdirSync(join(folder, "docs"), { recursive: true, encoding: "utf8" }).map((name) => `docs/${name}`);
  const others = ["deploy/README.md"].filter((name) => existsSync(join(folder, name)));
  const files = [...readdirSync(folder), ...docs, ...others].filter((name) => name.endsWith(".md")).sort();
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { scripts: object };
  const context: Context = { folder, scripts: Object.keys(scripts), anchors: new Map() };
  return files.flatMap((file) => faultsIn(file, context));
}

interface Context {
  folder: string;
  scripts: string[];
  /** Of the documents that were asked for so far. */
  anchors: Map<string, Set<string>>;
}

function faultsIn(file: string, context: Context): string[] {
  const faults: string[] = [];
  for (const { text, number, isCode } of linesOf(readFileSync(join(context.folder, file), "utf8"))) {
    const found = [
      ...scriptFaults(text, context),
      ...(isCode ? [] : linkFaults(text, file, context)),
      ...(isCode || file === CHANGELOG ? [] : pathFaults(text, context)),
      ...(isCode || !isForUsers(file) ? [] : widthFaults(text)),
    ];
    faults.push(...found.map((fault) => `${file}:${number}: ${fault}`));
  }
  return faults;
}

interface Line {
  text: string;
  number: number;
  /** Inside of a fence. */
  isCode: boolean;
}

function linesOf(text: string): Line[] {
  let fence: string | null = null;
  return text.split("\n").map((line, index) => {
    const [, mark] = /^\s*(```+|~~~+)/.exec(line) ?? [];
    const isCode = fence !== null || mark !== undefined;
    if (fence === null) fence = mark ?? null;
    else if (mark?.startsWith(fence) === true) fence = null;
    return { text: line, number: index + 1, isCode };
  });
}

function scriptFaults(line: string, { scripts }: Context): string[] {
  return [...line.matchAll(/\bnpm run (?:(?:-s|--silent) )?([a-z][a-z0-9:_-]*)/g)]
    .filter(([, script = ""]) => !scripts.includes(script))
    .map(([command]) => `package.json has no script for "${command}"`);
}

function linkFaults(line: string, file: string, context: Context): string[] {
  const shown = line.replace(/`[^`]*`/g, "``");
  const inline = [...shown.matchAll(/\]\(([^()\s]*)\)/g)].map(([, target = ""]) => target);
  const [, defined] = /^\[[^\]]+\]:\s*(\S+)/.exec(shown) ?? [];
  return [...inline, ...(defined === undefined ? [] : [defined])].flatMap((target) => {
    if (/^[a-z][a-z+.-]*:/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const found = path === "" ? file : normalize(join(dirname(file), decodeURIComponent(path)));
    if (!existsSync(join(context.folder, found))) return [`${target}: there is no ${found}`];
    if (anchor === undefined || !found.endsWith(".md")) return [];
    return anchorsOf(found, context).has(anchor) ? [] : [`${target}: ${found} has no heading of that name`];
  });
}

/** As GitHub makes them of headings; the second of a name ends with -1. */
function anchorsOf(file: string, { anchors, folder }: Context): Set<string> {
  const known = anchors.get(file);
  if (known !== undefined) return known;
  const found = new Set<string>();
  for (const { text, isCode } of linesOf(readFileSync(join(folder, file), "utf8"))) {
    const [, heading] = (!isCode && /^#{1,6} +(.*?)[ #]*$/.exec(text)) || [];
    const [, id] = (!isCode && /<a (?:id|name)="([^"]+)"/.exec(text)) || [];
    if (id !== undefined) found.add(id);
    if (heading === undefined) continue;
    const name = plain(heading)
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-");
    let unique = name;
    for (let count = 1; found.has(unique); count++) unique = `${name}-${count}`;
    found.add(unique);
  }
  anchors.set(file, found);
  return found;
}

/** Files of the project in backticks, and folders with a slash at their end. */
function pathFaults(line: string, { folder }: Context): string[] {
  return [...line.matchAll(/`((?:assembly|bench|docs|tests|tools)\/(?:[\w./-]*(?:\/|\.[a-z]+))?)`/g)]
    .map(([, path = ""]) => path)
    .filter((path) => !existsSync(join(folder, path)))
    .map((path) => `there is no ${path}`);
}

function widthFaults(line: string): string[] {
  if (!/^\s*\|.*\|\s*$/.test(line) || /^[\s|:-]+$/.test(line)) return [];
  const cells = line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/);
  const shown = cells.map((cell) => plain(cell.trim())).join(" | ");
  if (shown.length <= MAX_ROW_WIDTH) return [];
  return [`a row of ${shown.length} characters, more than ${MAX_ROW_WIDTH}: ${shown.slice(0, 40)}...`];
}

/** The text that a reader sees. */
function plain(markdown: string): string {
  return markdown
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/`/g, "")
    .replace(/\*\*?|(?<![\p{L}\p{N}])_(?=\S)|(?<=\S)_(?![\p{L}\p{N}])/gu, "")
    .replace(/\\([|\\_*])/g, "$1");
}

function isForUsers(file: string): boolean {
  return file === "README.md" || file.startsWith("docs/use/");
}

/** Tells of files that are no longer there. */
const CHANGELOG = "CHANGELOG.md";
