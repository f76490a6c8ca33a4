/** How control planes change Envoy's resources: JSON Patch (RFC 6902), as Envoy Gateway applies it, and the merge of Istio's EnvoyFilter. */
import type { Node, Tree } from "./yaml_tree.ts";

/** Applies an "add" or "replace" of RFC 6902. Throws if its path leads nowhere. */
export function applyJsonPatch(target: Node, operation: string, path: string, value: Tree): void {
  const steps = path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = steps.pop();
  let node: Tree = target;
  for (const step of steps) node = childOf(node, step, path);
  if (last === undefined || typeof node !== "object" || node === null) throw new Error(`${path} leads nowhere`);
  if (operation === "replace") childOf(node, last, path);
  else if (operation !== "add") throw new Error(`${operation} is not done here`);
  if (!Array.isArray(node)) node[last] = value;
  else if (operation === "replace") node[Number(last)] = value;
  else node.splice(last === "-" ? node.length : Number(last), 0, value);
}

function childOf(node: Tree, step: string, path: string): Tree {
  const child = typeof node === "object" && node !== null ? (node as Node)[step] : undefined;
  if (child === undefined) throw new Error(`${path} leads nowhere`);
  return child;
}

/** Merges as protobuf does: fields one by one, lists one behind the other. */
export function merge(target: Node, value: Node): void {
  for (const [name, change] of Object.entries(value)) {
    const before = target[name];
    if (Array.isArray(before) && Array.isArray(change)) before.push(...change);
    else if (isNode(before) && isNode(change)) merge(before, change);
    else target[name] = change;
  }
}

function isNode(tree: Tree | undefined): tree is Node {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}
