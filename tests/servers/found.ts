/** Earlier findings, `tests/servers/found/*.json`: a case, a sentence as its name, and the servers that resume it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OPERATIONS } from "./mutations/cases.ts";
import type { Case } from "./mutations/step.ts";

export interface Found {
  /** The fault, as a sentence. */
  name: string;
  /** Servers, or ways to run them (`Lane.name`), that resume the case if nobody refuses it. */
  servers: string[];
  case: Case;
  /** Nothing is removed: the case resumes through the filter as it does directly. */
  bystander?: true;
}

const FOLDER = fileURLToPath(new URL("found/", import.meta.url));

export function foundBefore(): Found[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => readFound(join(FOLDER, file)));
}

export function readFound(file: string): Found {
  const found = JSON.parse(readFileSync(file, "utf8")) as Found;
  const unknown = found.case.steps.find(({ op }) => !OPERATIONS.some(({ name }) => name === op));
  if (unknown !== undefined) throw new Error(`${file}: no mutation is called ${unknown.op}`);
  return found;
}
