/**
 * The parts of an Envoy configuration that matter here: listeners with their filter chains, clusters, and the filters of the
 * session cache. The configuration may be a whole file, a piece of one, or Envoy's config dump, as plain values.
 */
import { type Members, type Path, at, isMembers, listOf, membersOf, textOf } from "./finding.ts";

/** A part and its place. */
export interface Part {
  path: Path;
  members: Members;
}

export interface Chain {
  path: Path;
  listener: Part;
  filters: Part[];
  /** Whether Envoy ends TLS in front of its filters. */
  isTerminating: boolean;
}

export type Kind = "network" | "http";

/** A filter of the session cache. */
export interface Plugin {
  kind: Kind;
  /** Of the `config` of its typed_config. */
  path: Path;
  config: Members;
  rootId: string;
  vmId: string;
  /** The text of `configuration`; null for a form that is not known. */
  text: string | null;
  /** As JSON; empty if it is not JSON. */
  settings: Members;
  /** The filters of its own kind, of which it is number `index`; empty for a piece without them. */
  siblings: Part[];
  index: number;
  chain: Chain | null;
}

export interface Survey {
  root: unknown;
  /** Whether listeners and clusters of the same Envoy can be looked for here. */
  isComplete: boolean;
  /** Whether all clusters stand here, too. */
  hasAllClusters: boolean;
  listeners: Part[];
  clusters: Part[];
  chains: Chain[];
  plugins: Plugin[];
}

export const ROOT_IDS = ["observer", "guard", "admin"];

export function survey(root: unknown): Survey {
  const listeners: Part[] = [];
  const clusters: Part[] = [];
  const loose: Part[] = [];
  walk(root, [], (part) => {
    if (Array.isArray(part.members["filter_chains"]) || isMembers(part.members["default_filter_chain"])) {
      listeners.push(part);
    } else if (isCluster(part)) clusters.push(part);
    else if (isWasm(part.members)) loose.push(part);
  });
  const chains = listeners.flatMap(chainsOf);
  const plugins = chains.flatMap(pluginsOf);
  for (const part of loose) {
    if (plugins.some(({ path }) => path.join("/").startsWith(part.path.join("/")))) continue;
    plugins.push(pluginOf(part, kindOf(part.members), [], 0, null));
  }
  const isDump = isMembers(root) && Array.isArray(root["configs"]);
  const isComplete = isDump || isMembers(at(root, ["static_resources"]));
  const hasClusterService = at(root, ["dynamic_resources", "cds_config"]) !== undefined;
  return {
    root,
    isComplete,
    hasAllClusters: isComplete && !hasClusterService,
    listeners,
    clusters,
    chains,
    plugins: plugins.filter(isOurs),
  };
}

/** The member of a filter's typed_config, whose path is that of the filter. */
export function typeOf(filter: Members): string {
  return textOf(membersOf(filter["typed_config"])["@type"]);
}

export function isTcpProxy(filter: Members): boolean {
  return typeOf(filter).endsWith("tcp_proxy.v3.TcpProxy");
}

/** The clusters that a tcp_proxy leads to. */
export function clustersOf(tcpProxy: Members): string[] {
  const config = membersOf(tcpProxy["typed_config"]);
  const weighted = listOf(membersOf(config["weighted_clusters"])["clusters"]);
  return [textOf(config["cluster"]), ...weighted.map((one) => textOf(membersOf(one)["name"]))].filter(
    (name) => name !== "",
  );
}

/** In a dump a cluster or a listener stands twice: in the bootstrap, and as it runs. */
function walk(value: unknown, path: Path, see: (part: Part) => void): void {
  if (path.length > MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, [...path, index], see);
  } else if (isMembers(value)) {
    if (textOf(value["@type"]).endsWith("BootstrapConfigDump")) return;
    see({ path, members: value });
    for (const [name, member] of Object.entries(value)) walk(member, [...path, name], see);
  }
}

function isCluster({ path, members }: Part): boolean {
  const parent = path.at(-1) === "cluster" || (typeof path.at(-1) === "number" && path.at(-2) === "clusters");
  return parent && textOf(members["name"]) !== "" && members["weight"] === undefined;
}

function isWasm(filter: Members): boolean {
  return typeOf(filter).endsWith(".wasm.v3.Wasm");
}

function kindOf(filter: Members): Kind {
  return typeOf(filter).includes(".filters.http.") ? "http" : "network";
}

function chainsOf(listener: Part): Chain[] {
  const one = listener.members["default_filter_chain"];
  const places: [Path, unknown][] = listOf(listener.members["filter_chains"]).map((chain, index) => [
    ["filter_chains", index],
    chain,
  ]);
  if (isMembers(one)) places.push([["default_filter_chain"], one]);
  return places.map(([steps, chain]) => {
    const path = [...listener.path, ...steps];
    const socket = membersOf(membersOf(membersOf(chain)["transport_socket"])["typed_config"]);
    return {
      path,
      listener,
      filters: partsOf(membersOf(chain)["filters"], [...path, "filters"]),
      isTerminating: textOf(socket["@type"]).endsWith("DownstreamTlsContext"),
    };
  });
}

function pluginsOf(chain: Chain): Plugin[] {
  return chain.filters.flatMap((filter, index) => {
    if (isWasm(filter.members)) return [pluginOf(filter, kindOf(filter.members), chain.filters, index, chain)];
    const path = [...filter.path, "typed_config", "http_filters"];
    const filters = partsOf(membersOf(filter.members["typed_config"])["http_filters"], path);
    return filters.flatMap((inner, place) =>
      isWasm(inner.members) ? [pluginOf(inner, kindOf(inner.members), filters, place, chain)] : [],
    );
  });
}

function partsOf(list: unknown, path: Path): Part[] {
  return listOf(list).map((item, index) => ({ path: [...path, index], members: membersOf(item) }));
}

function pluginOf(filter: Part, kind: Kind, siblings: Part[], index: number, chain: Chain | null): Plugin {
  const config = membersOf(membersOf(filter.members["typed_config"])["config"]);
  const text = configurationText(config["configuration"]);
  return {
    kind,
    path: [...filter.path, "typed_config", "config"],
    config,
    rootId: textOf(config["root_id"]),
    vmId: textOf(membersOf(config["vm_config"])["vm_id"]),
    text,
    settings: settingsOf(text),
    siblings,
    index,
    chain,
  };
}

/** As Envoy hands it to the module: text as it is, a Struct as JSON. */
function configurationText(configuration: unknown): string | null {
  if (configuration === undefined || configuration === null) return "";
  const { "@type": type, value, ...members } = membersOf(configuration);
  const isText = textOf(type).endsWith("protobuf.StringValue");
  if (isText) return typeof value === "string" ? value : "";
  if (!textOf(type).endsWith("protobuf.Struct")) return null;
  return JSON.stringify(isMembers(value) ? value : members);
}

function settingsOf(text: string | null): Members {
  try {
    return membersOf(JSON.parse(text ?? ""));
  } catch {
    return {};
  }
}

/** A filter is of the session cache by its root_id, or else by a name that somebody has given it. */
function isOurs({ rootId, vmId, config, siblings, index }: Plugin): boolean {
  if (ROOT_IDS.includes(rootId)) return true;
  const names = [
    vmId,
    textOf(config["name"]),
    textOf(siblings[index]?.members["name"]),
    JSON.stringify(codeOf(config)),
  ];
  return names.some((name) => /tls[-_]session/i.test(name));
}

export function codeOf(config: Members): Members {
  return membersOf(membersOf(config["vm_config"])["code"]);
}

const MAX_DEPTH = 60;
