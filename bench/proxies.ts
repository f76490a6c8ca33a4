/**
 * The proxies that the benchmark compares: the passthrough listener of the shipped envoy.yaml without a wasm filter; with an empty one; with an
 * empty one, with an Envoy that connects once the client has spoken, as it does if this filter steers; with one that makes the same calls
 * of the host and does nothing with them, in both ways; and with this one in three settings. And HAProxy, where it is
 * installed, without and with a stick table of SSL session IDs.
 *
 * All have one upstream, so that each resumption reaches its issuer whatever the balancing, and all do the same work. A proxy
 * ends with the process that started it.
 */
import { join } from "node:path";
import { type Document, parseDocument } from "yaml";
import { BUILD_FOLDER } from "../tools/project.ts";
import { type Settings, renderEnvoyConfig } from "../tools/proxies/envoy_config.ts";
import { startEnvoy } from "../tools/proxies/envoy_process.ts";
import { freePorts } from "../tools/proxies/free_ports.ts";
import { startHaproxy } from "../tools/proxies/haproxy.ts";
import { trapLines } from "../tools/proxies/trap_log.ts";

export type ProxyName =
  | "tcp_proxy"
  | "empty"
  | "empty_late"
  | "calls_only"
  | "calls_only_late"
  | "observe"
  | "refuse"
  | "steer"
  | "haproxy"
  | "haproxy_stick";

export interface Proxy {
  readonly name: ProxyName;
  readonly workers: number;
  readonly port: number;
  readonly pid: number;
  /** Its log so far. */
  log(): string;
  stop(): Promise<void>;
}

/** In the order of the tables. */
export const PROXY_TITLES: Record<ProxyName, string> = {
  tcp_proxy: "Envoy, tcp_proxy alone",
  empty: "Envoy, empty wasm filter",
  empty_late: "Envoy, empty wasm filter, connecting once the client has spoken",
  calls_only: "Envoy, wasm filter of the same calls only",
  calls_only_late: "Envoy, the same, with those of steering and refusing, held until the client has spoken",
  observe: "this filter, observing",
  refuse: "this filter, refusing what is removed",
  steer: "this filter, as shipped: steering and refusing",
  haproxy: "HAProxy",
  haproxy_stick: "HAProxy, SSL-ID stick table",
};

export interface ProxySetup {
  envoyBinary: string;
  /** The modules: this project's, and the one that does nothing. */
  filter: string;
  emptyFilter: string;
  callsOnly: string;
  upstream: string;
}

export function startProxy(name: ProxyName, workers: number, setup: ProxySetup): Promise<Proxy> {
  switch (name) {
    case "tcp_proxy":
      return startEnvoyProxy(name, workers, setup, {}, removeFilter);
    case "empty":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => setModule(configuration, setup.emptyFilter));
    case "empty_late":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => {
        setModule(configuration, setup.emptyFilter);
        connectLate(configuration);
      });
    case "calls_only":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => {
        setModule(configuration, setup.callsOnly);
        configurePlugin(configuration, "observing");
      });
    case "calls_only_late":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => {
        setModule(configuration, setup.callsOnly);
        configurePlugin(configuration, "steering");
      });
    case "observe":
      return startEnvoyProxy(name, workers, setup, { steering: "off", enforcement: "observe" });
    case "refuse":
      return startEnvoyProxy(name, workers, setup, { steering: "off", enforcement: "revoked" });
    case "steer":
      return startEnvoyProxy(name, workers, setup, { steering: "hash", enforcement: "revoked" });
    case "haproxy":
    case "haproxy_stick":
      return startHaproxyProxy(name, workers, setup);
  }
}

/** Takes the wasm filter out, so that tcp_proxy alone is left. */
export function removeFilter(configuration: Document): void {
  configuration.deleteIn([...FILTERS, 0]);
}

function setModule(configuration: Document, file: string): void {
  configuration.setIn([...MODULE, "local", "filename"], file);
}

/** Envoy connects once the client has spoken. */
function connectLate(configuration: Document): void {
  configuration.setIn([...FILTERS, 1, "typed_config", "upstream_connect_mode"], "ON_DOWNSTREAM_DATA");
}

function configurePlugin(configuration: Document, value: string): void {
  const type = "type.googleapis.com/google.protobuf.StringValue";
  configuration.setIn([...PLUGIN, "configuration"], { "@type": type, value });
}

async function startEnvoyProxy(
  name: ProxyName,
  workers: number,
  setup: ProxySetup,
  observer: Settings,
  adapt: (configuration: Document) => void = () => undefined,
): Promise<Proxy> {
  const started = await startPassthrough({
    name,
    workers,
    envoyBinary: setup.envoyBinary,
    filter: setup.filter,
    upstreams: [setup.upstream],
    observer,
    adapt,
  });
  return { name, workers, ...started };
}

export interface PassthroughOptions {
  name: string;
  workers: number;
  envoyBinary: string;
  /** The module. */
  filter: string;
  upstreams: string[];
  /** Settings of the observer. */
  observer: Settings;
  adapt: (configuration: Document) => void;
}

/** An Envoy that has the passthrough listener of the shipped envoy.yaml alone, as `adapt` changes it. */
export async function startPassthrough(options: PassthroughOptions): Promise<Omit<Proxy, "name" | "workers">> {
  const { name, workers, upstreams, observer } = options;
  const [tlsPort, envoyAdminPort] = (await freePorts(2)) as [number, number];
  const configuration = parseDocument(
    renderEnvoyConfig({ tlsPort, envoyAdminPort, upstreams, modulePath: options.filter, observer }),
  );
  // The other listeners have no part in a connection.
  const listeners = ["static_resources", "listeners"];
  while (configuration.hasIn([...listeners, 1])) configuration.deleteIn([...listeners, 1]);
  options.adapt(configuration);
  const envoy = await startEnvoy({
    binary: options.envoyBinary,
    configuration: configuration.toString(),
    envoyAdminPort,
    concurrency: workers,
    folder: join(BUILD_FOLDER, "bench", `${name}-${workers}`),
  });
  const stop = async (): Promise<void> => {
    await envoy.stop();
    const [trap] = trapLines(envoy.log());
    if (trap !== undefined) throw new Error(`${name}: ${trap}`);
  };
  return { port: tlsPort, pid: envoy.pid, log: () => envoy.log(), stop };
}

async function startHaproxyProxy(name: ProxyName, workers: number, { upstream }: ProxySetup): Promise<Proxy> {
  const haproxy = await startHaproxy({
    folder: join(BUILD_FOLDER, "bench", `${name}-${workers}`),
    workers,
    servers: [upstream],
    hasStickTable: name === "haproxy_stick",
    idleSeconds: 300,
    maxConnections: 9500,
  });
  return { name, workers, ...haproxy, log: () => "" };
}

const FILTERS = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
const PLUGIN = [...FILTERS, 0, "typed_config", "config"];
const MODULE = [...PLUGIN, "vm_config", "code"];
