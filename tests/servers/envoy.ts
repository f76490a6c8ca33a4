/**
 * One Envoy with the filter, as shipped, in front of all servers. Each server has its own listener and clusters; they share
 * the cache, its admin API and the enforcement.
 */
import { type Document, isMap, isSeq } from "yaml";
import { type Stack, startStack } from "../support/stack.ts";
import { freePorts } from "../../tools/proxies/free_ports.ts";
import { SetupError } from "../../tools/setup_error.ts";
import type { Lane } from "./servers/lane.ts";

export interface Setting {
  enforcement: "revoked" | "strict";
  steering: "hash" | "exact" | "off";
}

export const SETTINGS: readonly Setting[] = (["revoked", "strict"] as const).flatMap((enforcement) =>
  (["hash", "exact", "off"] as const).map((steering) => ({ enforcement, steering })),
);

export function settingName({ enforcement, steering }: Setting): string {
  return `${enforcement}, ${steering}`;
}

export interface Front {
  stack: Stack;
  /** The port at which the filter stands in front of each server. */
  ports: Map<Lane, number>;
}

export async function startFront(lanes: readonly Lane[], setting: Setting): Promise<Front> {
  // Another process may have taken one of these ports since they were found free.
  for (let turn = 1; ; turn++) {
    try {
      return await tryToStart(lanes, setting);
    } catch (error) {
      if (!(error instanceof SetupError) || turn === MAX_TURNS) throw error;
    }
  }
}

async function tryToStart(lanes: readonly Lane[], setting: Setting): Promise<Front> {
  const ports = await freePorts(lanes.length);
  const stack = await startStack({
    upstreams: [`127.0.0.1:${lanes[0]?.port ?? 0}`],
    steering: setting.steering,
    cache: { enforcement: setting.enforcement },
    change: (configuration) => lanes.forEach((lane, index) => addLane(configuration, lane, index, ports[index] ?? 0)),
  });
  return { stack, ports: new Map(lanes.map((lane, index) => [lane, ports[index] ?? 0])) };
}

interface Json {
  [name: string]: Json;
}

function addLane(configuration: Document, lane: Lane, index: number, port: number): void {
  const resources = (configuration.toJS() as Json).static_resources as unknown as {
    listeners: Json[];
    clusters: Json[];
  };
  const [listener] = resources.listeners.filter(({ name }) => String(name) === "tls_passthrough");
  const [cluster] = resources.clusters.filter(({ name }) => String(name) === "tls_upstreams");
  const [exact] = resources.clusters.filter(({ name }) => String(name) === "tls_upstreams_exact");
  if (listener === undefined || cluster === undefined || exact === undefined) throw new Error("envoy.yaml has changed");
  const own = JSON.parse(
    JSON.stringify({ listener, cluster, exact })
      .replaceAll("tls_upstreams_exact", `lane_${index}_exact`)
      .replaceAll("tls_upstreams", `lane_${index}`)
      .replaceAll("tls_passthrough", `lane_${index}`),
  ) as { listener: Json; cluster: Json; exact: Json };
  set(own.listener, ["address", "socket_address", "port_value"], port);
  const endpoint = ["load_assignment", "endpoints", "0", "lb_endpoints", "0", "endpoint"];
  set(own.cluster, [...endpoint, "address", "socket_address", "port_value"], lane.port);
  const listeners = configuration.getIn(["static_resources", "listeners"]);
  const clusters = configuration.getIn(["static_resources", "clusters"]);
  if (!isSeq(listeners) || !isSeq(clusters) || isMap(listeners)) throw new Error("envoy.yaml has changed");
  listeners.add(configuration.createNode(own.listener));
  clusters.add(configuration.createNode(own.cluster));
  clusters.add(configuration.createNode(own.exact));
}

function set(root: Json, path: string[], value: unknown): void {
  let node = root;
  for (const step of path.slice(0, -1)) {
    const next = node[step];
    if (next === undefined) throw new Error(`envoy.yaml has no ${path.join(" > ")}`);
    node = next;
  }
  (node as Record<string, unknown>)[path.at(-1) ?? ""] = value;
}

const MAX_TURNS = 3;
