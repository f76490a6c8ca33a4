/**
 * Several copies of the shipped listener in one Envoy, each with a port, clusters and a cache of its own: what takes its time can
 * be measured side by side, and nothing that one copy learns reaches another.
 */
import { type Document, parseDocument } from "yaml";
import { renderEnvoyConfig } from "../../../tools/proxies/envoy_config.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import { type Stack, startStack } from "../../support/stack.ts";

export interface Cell {
  /** Letters, digits and hyphens; names its clusters and its cache. */
  name: string;
  steering: "off" | "hash" | "exact";
  /** `host:port` each. */
  upstreams: string[];
}

export interface Cells {
  readonly stack: Stack;
  /** Where the TLS clients of a cell connect to. */
  portOf(name: string): number;
}

/** `change` sees each cell's part: `listener`, and `clusters` with the balanced one first. */
export async function startCells(
  cells: readonly Cell[],
  { concurrency = 2, change }: { concurrency?: number; change?: (part: CellPart) => void } = {},
): Promise<Cells> {
  const ports = await freePorts(cells.length);
  const portOf = (name: string): number => ports[cells.findIndex((cell) => cell.name === name)] as number;
  const parts = cells.map((cell) => partOf(cell, portOf(cell.name)));
  for (const part of parts) change?.(part);
  const stack = await startStack({
    // Of the listener that is there anyway, and that nobody uses.
    upstreams: cells[0]?.upstreams ?? [],
    concurrency,
    change: (configuration: Document) => {
      for (const { listener, clusters } of parts) {
        configuration.addIn(["static_resources", "listeners"], listener);
        for (const cluster of clusters) configuration.addIn(["static_resources", "clusters"], cluster);
      }
    },
  });
  return { stack, portOf };
}

export interface CellPart {
  name: string;
  listener: Part;
  clusters: [Part, Part];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever YAML holds
export type Part = Record<string, any>;

/** What envoy.yaml has for TLS in passthrough, under names of the cell. */
function partOf({ name, steering, upstreams }: Cell, tlsPort: number): CellPart {
  const exact = `${name}_exact`;
  const observer = { cache: name, steering, cluster: name, exact_cluster: exact };
  const text = renderEnvoyConfig({ tlsPort, upstreams, modulePath: MODULE_FILE, observer });
  const { listeners, clusters } = (parseDocument(text).toJS() as Part).static_resources as {
    listeners: Part[];
    clusters: Part[];
  };
  const listener = listeners.find((one) => one.name === "tls_passthrough");
  const balanced = clusters.find((one) => one.name === "tls_upstreams");
  const named = clusters.find((one) => one.name === "tls_upstreams_exact");
  if (listener === undefined || balanced === undefined || named === undefined)
    throw new Error("envoy.yaml has changed");
  listener.name = name;
  const proxy = listener.filter_chains[0].filters[1].typed_config as Part;
  proxy.cluster = name;
  proxy.stat_prefix = name;
  balanced.name = balanced.load_assignment.cluster_name = name;
  named.name = exact;
  return { name, listener, clusters: [balanced, named] };
}
