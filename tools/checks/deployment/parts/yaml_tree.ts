/** Trees of parsed YAML: how the files under deploy/ are read and changed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { PROJECT_FOLDER } from "../../../project.ts";

export type Tree = string | number | boolean | null | Tree[] | Node;
export interface Node {
  [name: string]: Tree;
}

export const DEPLOY_FOLDER = join(PROJECT_FOLDER, "deploy");

/** All documents of a file under deploy/. Throws on broken YAML. */
export function readDocuments(file: string): Node[] {
  return parseAllDocuments(readFileSync(join(DEPLOY_FOLDER, file), "utf8")).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new Error(`${file}: ${error.message}`);
    return document.toJS() as Node;
  });
}

/** The first document of a kind. */
export function documentOf(file: string, kind: string): Node {
  const found = readDocuments(file).find((document) => document.kind === kind);
  if (found === undefined) throw new Error(`${file} has no ${kind}`);
  return found;
}

/** The node at a path. Throws if there is none. */
export function at(tree: Tree | undefined, ...path: (string | number)[]): Tree {
  let node = tree;
  for (const step of path) node = (node as Node | undefined)?.[step as string];
  if (node === undefined) throw new Error(`there is no ${path.join("/")}`);
  return node;
}

export function nodeAt(tree: Tree | undefined, ...path: (string | number)[]): Node {
  return at(tree, ...path) as Node;
}

export function listAt(tree: Tree | undefined, ...path: (string | number)[]): Node[] {
  return at(tree, ...path) as Node[];
}

/** Sees every node, the outer ones first. */
export function walk(tree: Tree, see: (node: Node) => void): void {
  if (typeof tree !== "object" || tree === null) return;
  if (!Array.isArray(tree)) see(tree);
  for (const value of Object.values(tree)) walk(value as Tree, see);
}
