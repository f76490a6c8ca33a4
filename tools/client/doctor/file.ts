/**
 * The documents of a YAML file, each with the lines of its parts. An envoy.yaml inside a ConfigMap of Kubernetes' is a document of
 * its own.
 */
import { type Document, LineCounter, isMap, isNode, isScalar, parseAllDocuments } from "yaml";
import { UsageError } from "../client_error.ts";
import { onOneLine } from "../text.ts";
import { type Path, at, isMembers } from "./finding.ts";

export interface FileDocument {
  root: unknown;
  /** The line of a part, from 1; of the nearest part around it, if there is none at the path. */
  lineOf: (path: Path) => number;
}

export function documentsOf(text: string, file: string): FileDocument[] {
  return parsed(text, file, 0);
}

function parsed(text: string, file: string, linesBefore: number): FileDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document: Document) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const line = linesBefore + (error.linePos?.[0].line ?? 1);
      throw new UsageError(`${file}:${String(line)}: not YAML: ${onOneLine(error.message.split("\n")[0] ?? "")}`);
    }
    const root: unknown = document.toJS();
    const lineOf = (path: Path): number => linesBefore + lineIn(document, path, lines);
    const inner = innerTexts(root).flatMap(([name, value]) =>
      parsed(value, `${file} (${name})`, lineOf(["data", name])),
    );
    return [{ root, lineOf }, ...inner];
  });
}

function lineIn(document: Document, path: Path, lines: LineCounter): number {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const step = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const node = pair?.key ?? document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range != null) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function innerTexts(root: unknown): [string, string][] {
  const data = isMembers(root) && root["kind"] === "ConfigMap" ? at(root, ["data"]) : undefined;
  if (!isMembers(data)) return [];
  return Object.entries(data).flatMap(([name, value]) =>
    typeof value === "string" && /\.ya?ml$/.test(name) ? [[name, value] as [string, string]] : [],
  );
}
