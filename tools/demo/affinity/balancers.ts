/**
 * What `npm run demo:affinity` compares: the shipped envoy.yaml with this filter steering, the same without steering, plain Envoy
 * that hashes the source address, and HAProxy with its recipe for SSL session IDs, where it is installed.
 *
 * Each starts cold and, while it runs, may be told other upstreams (not HAProxy).
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { findEnvoy } from "../../proxies/envoy_binary.ts";
import { renderEnvoyConfig, type Settings, splitAddress } from "../../proxies/envoy_config.ts";
import { startEnvoy } from "../../proxies/envoy_process.ts";
import { MODULE_FILE } from "../../project.ts";
import { SetupError } from "../../setup_error.ts";
import { answers, freePorts } from "../../proxies/free_ports.ts";

export interface Balancer {
  readonly port: number;
  /** Of the filter's admin API, where the variant has it: with DEMO_TOKEN. */
  readonly adminPort: number | null;
  /** Returns when the balancer knows these upstreams and no others. */
  change(addresses: string[]): Promise<void>;
  stop(): Promise<void>;
}

export type Steering = "hash" | "exact";
/** The configuration's `steering_by_source`. */
export type BySource = boolean | "always";

/** What is not as shipped in a column of this filter. */
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
  /** How this filter steers in it; null for what there is without it. Targets are for what steers. */
  readonly steering: Steering | null;
  start(addresses: string[]): Promise<Balancer>;
}

export const ROUND_ROBIN: Column = {
  name: "round_robin",
  title: "plain Envoy",
  steering: null,
  start: (addresses) => startWithEnvoy(addresses, (configuration) => balance(configuration, "ROUND_ROBIN")),
};

export const SOURCE_HASH: Column = {
  name: "source_hash",
  title: "source hashing",
  steering: null,
  start: (addresses) =>
    startWithEnvoy(addresses, (configuration) => {
      balance(configuration, "MAGLEV");
      configuration.setIn([...TCP_PROXY, "hash_policy"], [{ source_ip: {} }]);
    }),
};

export const THIS_FILTER: Column = steeringColumn("hash");
export const THIS_FILTER_EXACT: Column = steeringColumn("exact");

export const HAPROXY: Column = { name: "haproxy", title: "HAProxy", steering: null, start: startHaproxy };

export function isHaproxyInstalled(): boolean {
  return spawnSync("haproxy", ["-v"], { stdio: "ignore" }).status === 0;
}

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
      const trap = envoy
        .log()
        .split("\n")
        .find((line) => TRAP.test(line));
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
  throw new Error(`Envoy was told the hosts ${wanted}, but has ${seen || "none"}`);
}

/** HAProxy's documented recipe for SSL session IDs, with `res.payload_lv` and the delay without which it stores nothing. */
async function startHaproxy(addresses: string[]): Promise<Balancer> {
  const [port] = (await freePorts(1)) as [number];
  const folder = mkdtempSync(join(tmpdir(), "affinity-"));
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread ${WORKERS}
defaults
  mode tcp
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  retries 3
  option redispatch
frontend tls
  bind 127.0.0.1:${port}
  default_backend servers
backend servers
  balance roundrobin
  stick-table type binary len 32 size 100k expire 30m
  acl clienthello req.ssl_hello_type 1
  acl serverhello res.ssl_hello_type 2
  tcp-request inspect-delay 5s
  tcp-request content accept if clienthello
  tcp-response inspect-delay 2s
  tcp-response content accept if serverhello
  stick on req.payload_lv(43,1) if clienthello
  stick store-response res.payload_lv(43,1) if serverhello
${addresses.map((address, i) => `  server s${i} ${address}`).join("\n")}
`,
  );
  const haproxy = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  const ended = once(haproxy, "exit");
  const kill = (): void => void haproxy.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    haproxy.kill("SIGTERM");
    await ended;
    process.removeListener("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + 5000; !(await answers(port)); await sleep(50)) {
    if (Date.now() < deadline && haproxy.exitCode === null) continue;
    await stop();
    throw new SetupError("HAProxy does not start");
  }
  return {
    port,
    adminPort: null,
    change: () => Promise.reject(new Error("HAProxy's servers are not changed here")),
    stop,
  };
}

/** The admin API's, where a balancer has one. */
export const DEMO_TOKEN = "demo-token";

let versions = 0;

const WORKERS = 2;
const HOSTS_SECONDS = 10;
const CLUSTER_NAME = "tls_upstreams";
const FILTERS = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
const TCP_PROXY = [...FILTERS, 1, "typed_config"];
const CLUSTER = ["static_resources", "clusters", 0];
const TRAP = /RuntimeError|VM failed|Wasm VM|abort:|wasm.*unreachable|in fail-closed state/i;
