/**
 * Makes a configuration of Envoy one of a fleet: adds the fleet filter and the cluster of etcd, as they stand in `deploy/fleet/`.
 * Throws if the configuration has no admin listener.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { PROJECT_FOLDER } from "../project.ts";
import { renderEnvoyConfig, splitAddress } from "./envoy_config.ts";

export interface FleetSettings {
  /** The name of this proxy. */
  name: string;
  /** `host:port` of each etcd. */
  etcd: string[];
  /** More fields of `fleet`. */
  settings?: Record<string, unknown>;
  /** The name of the cache, if it is not `default`. */
  cache?: string;
  modulePath?: string;
  /** Files for mTLS; etcd is called without TLS if there are none. */
  tls?: FleetTls;
}

export interface FleetTls {
  authority: string;
  certificate: string;
  key: string;
}

/** The files that `deploy/fleet/certificates.sh` makes in a folder, for a proxy. */
export function filesOfCertificates(folder: string, name: string): FleetTls {
  return {
    authority: join(folder, "ca.pem"),
    certificate: join(folder, `${name}.pem`),
    key: join(folder, `${name}.key`),
  };
}

/** The shipped envoy.yaml as a proxy of a fleet on one host, with mTLS; its own ports are greater by `shift`. */
export function renderFleetConfig(name: string, shift: number, envoyVersion: string): string {
  const configuration = parseDocument(renderEnvoyConfig({ envoyVersion }));
  const listeners = configuration.getIn(["static_resources", "listeners"]);
  const places = isSeq(listeners) ? listeners.items.map((_, i) => ["static_resources", "listeners", i]) : [];
  for (const place of [...places, ["admin"]]) {
    const port = [...place, "address", "socket_address", "port_value"];
    configuration.setIn(port, Number(configuration.getIn(port)) + shift);
  }
  joinFleet(configuration, { name, etcd: ["127.0.0.1:2379"], tls: filesOfCertificates("build/fleet", name) });
  return configuration.toString({ lineWidth: 0 });
}

export function joinFleet(configuration: Document, fleet: FleetSettings): void {
  const filter = fragment("filter.yaml");
  const text = { cache: fleet.cache ?? "default", fleet: { cluster: "etcd", name: fleet.name, ...fleet.settings } };
  filter.setIn(["typed_config", "config", "configuration", "value"], JSON.stringify(text));
  if (fleet.modulePath !== undefined) {
    filter.setIn(["typed_config", "config", "vm_config", "code", "local", "filename"], fleet.modulePath);
  }
  httpFiltersOfAdmin(configuration).items.unshift(filter.contents as never);

  const cluster = clusterOfEtcd(fleet.tls);
  const endpoints = fleet.etcd.map(splitAddress).map(({ host, port }) => ({
    endpoint: { address: { socket_address: { address: host, port_value: port } } },
  }));
  cluster.setIn(["load_assignment", "endpoints", 0, "lb_endpoints"], cluster.createNode(endpoints));
  const clusters = configuration.getIn(["static_resources", "clusters"]);
  if (!isSeq(clusters)) throw new Error("the configuration has no clusters");
  clusters.items.push(cluster.contents);
}

function clusterOfEtcd(tls: FleetTls | undefined): Document {
  if (tls === undefined) return fragment("cluster.yaml");
  const cluster = fragment("cluster_mtls.yaml");
  const context = ["transport_socket", "typed_config", "common_tls_context"];
  const certificate = [...context, "tls_certificates", 0];
  cluster.setIn([...certificate, "certificate_chain", "filename"], tls.certificate);
  cluster.setIn([...certificate, "private_key", "filename"], tls.key);
  cluster.setIn([...context, "validation_context", "trusted_ca", "filename"], tls.authority);
  return cluster;
}

function fragment(file: string): Document {
  return parseDocument(readFileSync(join(PROJECT_FOLDER, "deploy/fleet", file), "utf8"));
}

function httpFiltersOfAdmin(configuration: Document): YAMLSeq {
  const listeners = configuration.getIn(["static_resources", "listeners"]);
  const isNamed = (item: unknown): item is YAMLMap => isMap(item) && item.get("name") === "session_admin";
  const listener = isSeq(listeners) ? listeners.items.find(isNamed) : undefined;
  const filters = listener?.getIn(["filter_chains", 0, "filters", 0, "typed_config", "http_filters"]);
  if (!isSeq(filters)) throw new Error("the configuration has no admin listener named session_admin");
  return filters;
}
