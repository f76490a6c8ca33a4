/** A half-done set-up: its place, the fault in one line, and the YAML to put there. */

/** Keys and indexes from the root of a document down. */
export type Path = readonly (string | number)[];

export interface Finding {
  path: Path;
  fault: string;
  /** Lines of YAML that belong at the path. Empty if no line of the configuration mends it, as for a file that is missing. */
  yaml: string[];
}

/** A finding with its place in words. */
export interface PlacedFinding {
  /** The file, or the URL of a running Envoy. */
  source: string;
  /** From 1; null if the source has no lines. */
  line: number | null;
  place: string;
  fault: string;
  yaml: string[];
}

export type Members = Record<string, unknown>;

export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member as an object; empty if it is not one. */
export function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Follows a path; undefined if it leads nowhere. */
export function at(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) value = isMembers(value) || Array.isArray(value) ? (value as Members)[step] : undefined;
  return value;
}

/** The path as `listeners[tls] > filter_chains[0] > filters[envoy.filters.network.tcp_proxy]`. */
export function placeOf(root: unknown, path: Path): string {
  const words: string[] = [];
  for (const [index, step] of path.entries()) {
    if (typeof step === "string") {
      if (!UNSAID.has(step)) words.push(step);
      continue;
    }
    const name = nameOf(at(root, path.slice(0, index + 1)));
    words.push(`${words.pop() ?? ""}[${name === "" ? String(step) : name}]`);
  }
  return words.join(" > ") || "the document";
}

/** A config dump has the name of a listener or a cluster inside. */
function nameOf(value: unknown): string {
  const members = membersOf(value);
  const inner = [members, members["listener"], members["cluster"], membersOf(members["active_state"])["listener"]];
  return inner.map((one) => textOf(membersOf(one)["name"])).find((name) => name !== "") ?? "";
}

/** Steps that say nothing about a place. */
const UNSAID = new Set([
  "static_resources",
  "typed_config",
  "config",
  "configs",
  "active_state",
  "listener",
  "cluster",
]);
