/** A whole envoy.yaml with the pieces in it. Comments and all other fields stay. */
import { type Document, type YAMLMap, type YAMLSeq, isMap, isSeq, parseDocument } from "yaml";
import { UsageError } from "../client_error.ts";
import { type Members, type Path, membersOf, textOf } from "../doctor/finding.ts";
import { BUFFER_BYTES, EARLY_DATA_BYTES } from "../doctor/pieces.ts";
import { type Chain, type Survey, clustersOf, isTcpProxy, survey, typeOf } from "../doctor/survey.ts";
import { onOneLine } from "../text.ts";
import {
  type PieceOptions,
  adminListener,
  exactCluster,
  exactNameOf,
  guardFilters,
  observer,
  statsTags,
  tcpProxyFields,
} from "./pieces.ts";

export interface Wishes {
  pieces: PieceOptions;
  /** The listener in front of the servers; null for the only one with a tcp_proxy. */
  listener: string | null;
  /** The listener that terminates TLS and gets a guard; null for none. */
  guarded: string | null;
  /** Null without the admin API. */
  adminPort: number | null;
  hasLabels: boolean;
}

export interface Changed {
  text: string;
  /** Parts that the file does not have, so they are left to the caller. */
  warnings: string[];
}

export function changedFile(text: string, file: string, wishes: Wishes): Changed {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new UsageError(`${file}: not YAML: ${onOneLine(error.message.split("\n")[0] ?? "")}`);
  const seen = survey(document.toJS());
  const warnings = passthroughChains(seen, wishes.listener, file).flatMap((chain) =>
    addObserver(document, seen, chain, wishes.pieces),
  );
  if (wishes.guarded !== null) addGuard(document, seen, wishes.guarded, wishes.pieces, file);
  if (wishes.adminPort !== null) {
    putNamed(document, ["static_resources", "listeners"], adminListener(wishes.pieces, wishes.adminPort));
  }
  if (wishes.hasLabels) {
    for (const tag of statsTags()) putNamed(document, ["stats_config", "stats_tags"], tag, "tag_name");
  }
  return { text: document.toString({ lineWidth: 0 }), warnings };
}

function passthroughChains({ chains }: Survey, listener: string | null, file: string): Chain[] {
  const able = chains.filter(
    ({ filters, isTerminating }) => !isTerminating && filters.some(({ members }) => isTcpProxy(members)),
  );
  const names = [...new Set(able.map((chain) => textOf(chain.listener.members["name"])))];
  const chosen = listener ?? names[0];
  if (chosen === undefined) {
    throw new UsageError(`${file}: no listener has a tcp_proxy and leaves TLS alone, so there is nothing to watch`);
  }
  if (!names.includes(chosen) || (listener === null && names.length > 1)) {
    throw new UsageError(`${file}: name a listener with a tcp_proxy, one of ${names.join(", ")}: --listener NAME`);
  }
  return able.filter((chain) => textOf(chain.listener.members["name"]) === chosen);
}

function addObserver(document: Document, seen: Survey, chain: Chain, pieces: PieceOptions): string[] {
  const place = chain.filters.findIndex(({ members }) => isTcpProxy(members));
  const proxy = chain.filters[place];
  if (proxy === undefined) return [];
  const clusters = clustersOf(proxy.members);
  const cluster = clusters.length === 1 ? (clusters[0] ?? null) : null;
  const typed = [...proxy.path, "typed_config"];
  for (const [name, value] of Object.entries(tcpProxyFields(pieces))) set(document, [...typed, name], value);
  const limit = chain.listener.members["per_connection_buffer_limit_bytes"];
  if (pieces.steering !== "off" && typeof limit === "number" && limit <= EARLY_DATA_BYTES) {
    set(document, [...chain.listener.path, "per_connection_buffer_limit_bytes"], BUFFER_BYTES);
  }
  const warnings = pieces.steering === "hash" ? clusters.flatMap((name) => hashBy(document, seen, name)) : [];
  if (pieces.steering === "exact" && cluster !== null) {
    putNamed(document, ["static_resources", "clusters"], exactCluster(exactNameOf(cluster)));
  }
  putInFront(document, [...chain.path, "filters"], proxy.members, observer(pieces, cluster));
  return warnings;
}

function hashBy(document: Document, { clusters }: Survey, name: string): string[] {
  const found = clusters.find(({ members }) => members["name"] === name);
  if (found === undefined) return [`cluster "${name}" is not in this file: set its lb_policy to MAGLEV where it is`];
  if (found.members["load_balancing_policy"] !== undefined) {
    return [`cluster "${name}" has a load_balancing_policy: it must be Maglev or RingHash`];
  }
  if (found.members["lb_policy"] !== "RING_HASH") set(document, [...found.path, "lb_policy"], "MAGLEV");
  return [];
}

function addGuard(document: Document, seen: Survey, name: string, pieces: PieceOptions, file: string): void {
  const chains = seen.chains.filter(
    ({ listener, isTerminating }) => isTerminating && textOf(listener.members["name"]) === name,
  );
  if (chains.length === 0)
    throw new UsageError(`${file}: no listener "${name}" terminates TLS, so a guard sees nothing`);
  for (const chain of chains) {
    const manager = chain.filters.find(({ members }) => typeOf(members).endsWith("HttpConnectionManager"));
    if (manager === undefined) continue;
    const path = [...manager.path, "typed_config", "http_filters"];
    const router = listAt(document, path).items.at(-1);
    const members = isMap(router) ? membersOf(router.toJSON()) : {};
    for (const filter of guardFilters(pieces)) putInFront(document, path, members, filter);
    const socket = [...chain.path, "transport_socket", "typed_config", "disable_stateless_session_resumption"];
    set(document, socket, true);
  }
}

/** Puts a filter in front of another one. One of its name, which is there already, is replaced. */
function putInFront(document: Document, path: Path, other: Members, filter: Members): void {
  const list = listAt(document, path);
  list.items = list.items.filter((item) => !(isMap(item) && item.get("name") === filter["name"]));
  const place = list.items.findIndex((item) => isMap(item) && item.get("name") === other["name"]);
  list.items.splice(Math.max(0, place), 0, document.createNode(filter));
}

function putNamed(document: Document, path: Path, entry: Members, key = "name"): void {
  if (!isSeq(document.getIn(path, true))) document.setIn(path, document.createNode([]));
  const list = listAt(document, path);
  list.flow = false;
  const place = list.items.findIndex((item) => isMap(item) && item.get(key) === entry[key]);
  if (place < 0) list.items.push(document.createNode(entry));
  else list.items[place] = document.createNode(entry);
}

function set(document: Document, path: Path, value: unknown): void {
  document.setIn(path, document.createNode(value));
}

function listAt(document: Document, path: Path): YAMLSeq<YAMLMap | unknown> {
  const list = document.getIn(path, true);
  if (!isSeq(list)) throw new UsageError(`${path.join(".")} is not a list`);
  return list;
}
