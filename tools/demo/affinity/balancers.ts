/**
 * The balancers that `npm run demo:affinity` compares: the shipped envoy.yaml with this filter steering, the same without steering, plain Envoy
 * that hashes the source address, and HAProxy with its recipe for SSL session IDs, if it is installed.
 *
 * Each starts cold and, while it runs, may be given other upstreams (not HAProxy).
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig, type Settings, splitAddress } from "../../proxies/envoy_config.ts";
import { startEnvoy } from "../../proxies/envoy_process.ts";
import { MODULE_FILE } from "../../project.ts";
import { freePorts } from "../../proxies/free_ports.ts";
import { startHaproxy } from "../../proxies/haproxy.ts";
import { trapLines } from "../../proxies/trap_log.ts";

export interface Balancer {
  readonly port: number;
  /** Of the filter's admin API, if the variant has it: with DEMO_TOKEN. */
  readonly adminPort: number | null;
  /** Returns when the balancer knows these upstreams and no others. */
  change(addresses: string[]): Promise<void>;
  stop(): Promise<void>;
}

export type Steering = "hash" | "exact";
/** The configuration's `steering_by_source`. */
export type BySource = boolean | "always";

/** The differences of a column of this filter from the shipped configuration. */
export interface Variant {
  /** Settings of the observer. */
  settings?: { steering_by_source?: BySource; steering_balance_factor?: number };
  /** The cluster's `hash_balance_factor`, in per cent of the average load. */
  hashBalanceFactor?: number;
  /** Whether the filter's admin API is there, too. */
  hasAdmin?: boolean;
}

export interface Column {
  readonly name: string;
  readonly title: string;
  /** How this filter steers in it; null without this filter. Only a column that steers has targets. */
  readonly steering: Steering | null;
  start(addresses: string[]): Promise<Balancer>;
}

export const ROUND_ROBIN: Column = {
  name: "round_robin",
  title: "plain Envoy",
  steering: null,
  start: (addresses) => startWithEnvoy(addresses, balanceByTurns),
};

export const SOURCE_HASH: Column = {
  name: "source_hash",
  title: "source hashing",
  steering: null,
  start: (addresses) => startWithEnvoy(addresses, balanceBySource),
};

export const THIS_FILTER: Column = steeringColumn("hash");
export const THIS_FILTER_EXACT: Column = steeringColumn("exact");

export const HAPROXY: Column = { name: "haproxy", title: "HAProxy", steering: null, start: startWithHaproxy };

export function steeringColumn(steering: Steering, variant: Variant = {}): Column {
  return {
    name: steering,
    title: `this filter, ${steering}`,
    steering,
    start: (addresses) =>
      // As shipped, but for how it steers.
      startWithEnvoy(
        addresses,
        (configuration) => {
          setObserver(configuration, { steering, ...variant.settings });
          if (variant.hashBalanceFactor === undefined) return;
          const place = [...CLUSTER, "common_lb_config", "consistent_hashing_lb_config", "hash_balance_factor"];
          configuration.setIn(place, variant.hashBalanceFactor);
        },
        variant.hasAdmin,
      ),
  };
}

/** Round robin, with the observer observing only. */
export function balanceByTurns(configuration: Document): void {
  balance(configuration, "ROUND_ROBIN");
}

/** A hash of the source address, with the observer observing only. */
export function balanceBySource(configuration: Document): void {
  balance(configuration, "MAGLEV");
  configuration.setIn([...TCP_PROXY, "hash_policy"], [{ source_ip: {} }]);
}

function balance(configuration: Document, policy: string): void {
  setObserver(configuration, { steering: "off" });
  configuration.setIn([...CLUSTER, "lb_policy"], policy);
  for (const name of ["hash_policy", "max_early_data_bytes"]) configuration.deleteIn([...TCP_PROXY, name]);
}

function setObserver(configuration: Document, changes: Settings): void {
  const plugin = [...FILTERS, 0, "typed_config", "config", "configuration", "value"];
  const settings = JSON.parse(String(configuration.getIn(plugin))) as Settings;
  configuration.setIn(plugin, JSON.stringify({ ...settings, ...changes }));
}

async function startWithEnvoy(
  addresses: string[],
  adapt: (configuration: Document) => void,
  hasAdmin = false,
): Promise<Balancer> {
  const [tlsPort, envoyAdminPort, adminPort] = (await freePorts(3)) as [number, number, number];
  const configuration = parseDocument(
    renderEnvoyConfig({ tlsPort, envoyAdminPort, adminPort, upstreams: addresses, modulePath: MODULE_FILE }),
  );
  adapt(configuration);
  // Only the passthrough listener is needed, for some rows the admin API's, and upstreams from a file, so that they can change.
  const listeners = ["static_resources", "listeners"];
  const wanted = hasAdmin ? [0, 1] : [0];
  configuration.setIn(
    listeners,
    wanted.map((number) => configuration.getIn([...listeners, number])),
  );
  const folder = mkdtempSync(join(tmpdir(), "affinity-"));
  const endpointsFile = join(folder, "endpoints.yaml");
  const writeEndpoints = (chosen: string[]): void => {
    writeFileSync(`${endpointsFile}.new`, JSON.stringify(endpoints(chosen)));
    renameSync(`${endpointsFile}.new`, endpointsFile);
  };
  writeEndpoints(addresses);
  configuration.setIn(["node"], { id: "demo", cluster: "demo" });
  configuration.setIn([...CLUSTER, "type"], "EDS");
  configuration.deleteIn([...CLUSTER, "load_assignment"]);
  configuration.setIn([...CLUSTER, "eds_cluster_config"], {
    eds_config: { resource_api_version: "V3", path_config_source: { path: endpointsFile } },
  });
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const envoy = await startEnvoy({
      binary: await findEnvoy(() => undefined),
      configuration: configuration.toString(),
      envoyAdminPort,
      concurrency: WORKERS,
      env: { ADMIN_TOKEN: DEMO_TOKEN },
      folder,
    });
    const stop = async (): Promise<void> => {
      await envoy.stop();
      const [trap] = trapLines(envoy.log());
      remove();
      if (trap !== undefined) throw new Error(`the module has failed: ${trap}`);
    };
    try {
      await untilHosts(envoyAdminPort, addresses);
    } catch (error) {
      await envoy.stop();
      throw error;
    }
    return {
      port: tlsPort,
      adminPort: hasAdmin ? adminPort : null,
      change: async (chosen) => {
        writeEndpoints(chosen);
        await untilHosts(envoyAdminPort, chosen);
      },
      stop,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function endpoints(addresses: string[]): unknown {
  const resource = {
    "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    cluster_name: CLUSTER_NAME,
    endpoints: [
      {
        lb_endpoints: addresses.map(splitAddress).map(({ host, port }) => ({
          endpoint: { address: { socket_address: { address: host, port_value: port } } },
        })),
      },
    ],
  };
  return { version_info: String(++versions), resources: [resource] };
}

/** Envoy's admin lists the hosts of the main thread; workers have them a moment later. */
async function untilHosts(adminPort: number, addresses: string[]): Promise<void> {
  const wanted = [...addresses].sort().join(" ");
  let seen = "";
  for (const deadline = Date.now() + HOSTS_SECONDS * 1000; Date.now() < deadline; await sleep(50)) {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/clusters`)).text();
    const hosts = [...text.matchAll(new RegExp(`^${CLUSTER_NAME}::([0-9.:]+)::cx_total::`, "gm"))];
    seen = hosts
      .map(([, host]) => host)
      .sort()
      .join(" ");
    if (seen === wanted) return sleep(250);
  }
  throw new Error(`Envoy was given the hosts ${wanted}, but has ${seen || "none"}`);
}

async function startWithHaproxy(addresses: string[]): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), "affinity-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const haproxy = await startHaproxy({
      folder,
      workers: WORKERS,
      servers: addresses,
      hasStickTable: true,
      idleSeconds: 30,
    });
    return {
      port: haproxy.port,
      adminPort: null,
      change: () => Promise.reject(new Error("HAProxy's servers are not changed here")),
      stop: async () => {
        await haproxy.stop();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The admin API's, if a balancer has one. */
export const DEMO_TOKEN = "demo-token";

let versions = 0;

const WORKERS = 2;
const HOSTS_SECONDS = 10;
const CLUSTER_NAME = "tls_upstreams";
const FILTERS = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
const TCP_PROXY = [...FILTERS, 1, "typed_config"];
const CLUSTER = ["static_resources", "clusters", 0];
