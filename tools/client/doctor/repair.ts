/** Settings of a filter that the module takes, made from those of which it complains. */
import { parseDocument, stringify } from "yaml";
import { type Members, membersOf } from "./finding.ts";
import type { Plugin } from "./survey.ts";
import { complaintsOf } from "./trial.ts";

/** The lines of `configuration`; empty if no change that is known here is enough. */
export function repairedConfiguration(module: WebAssembly.Module, plugin: Plugin, fault: string): string[] {
  // Text that is almost JSON, such as one with a comma too many, is good YAML.
  let settings = membersOf(parseDocument(plugin.text ?? "", { strict: false, uniqueKeys: false }).toJS());
  let complaint = fault;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    settings = repaired(settings, complaint);
    const text = JSON.stringify(settings);
    const [next] = complaintsOf(module, [{ ...plugin, text }]);
    if (next === undefined) return configurationLines(settings);
    complaint = next.fault;
  }
  return [];
}

export function configurationLines(settings: Members): string[] {
  const value = JSON.stringify(settings);
  return linesOf({ configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value } });
}

export function linesOf(value: unknown): string[] {
  return stringify(value, { lineWidth: 0, defaultStringType: "PLAIN", singleQuote: true }).trimEnd().split("\n");
}

/** Takes back one mistake; where its right value is not known, the field goes and its default comes. */
function repaired(settings: Members, complaint: string): Members {
  const [, wrong, right] = /"(\w+)": no such field; did you mean (\w+)\?/.exec(complaint) ?? [];
  if (wrong !== undefined && right !== undefined) return renamed(settings, wrong, right);
  const [, contradicted, theirs] = /: (\w+) is .* here and (.+) in another filter/.exec(complaint) ?? [];
  if (contradicted !== undefined && theirs !== undefined) {
    return { ...settings, [contradicted]: valueOf(theirs) };
  }
  const [, unused] = /^without effect here: (.*); if this/.exec(complaint) ?? [];
  if (unused !== undefined) return without(settings, unused.match(/\w+/g) ?? []);
  if (complaint.startsWith("admin: no token configured"))
    return { ...settings, admin: { tokens_env: ["ADMIN_TOKEN"] } };
  if (/"exact" needs two clusters/.test(complaint)) {
    const { cluster = "my_servers", exact_cluster: exact } = settings;
    return { ...settings, cluster, exact_cluster: exact ?? `${String(cluster)}_exact` };
  }
  return without(settings, /^\w+/.exec(complaint.replace(/^"/, "")) ?? []);
}

function renamed(settings: Members, from: string, to: string): Members {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name === from ? to : name, value]));
}

function without(settings: Members, names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !names.includes(name)));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const MAX_ROUNDS = 5;
