/**
 * What the benchmark compares: the passthrough listener of the shipped envoy.yaml without a wasm filter; with an empty one; with an
 * empty one where Envoy connects once the client has spoken, as it does where this filter steers; with one that makes the calls
 * of an observed resumption and does nothing with them; and with this one in three settings. And HAProxy, where it is
 * installed, without and with a stick table of SSL session IDs.
 *
 * All have one upstream, so that each resumption reaches its issuer whatever the balancing, and all do the same work. A proxy
 * ends with the process that started it.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { type Settings, renderEnvoyConfig } from "../tools/proxies/envoy_config.ts";
import { startEnvoy } from "../tools/proxies/envoy_process.ts";
import { BUILD_FOLDER } from "../tools/project.ts";
import { SetupError } from "../tools/setup_error.ts";
import { answers, freePorts } from "../tools/proxies/free_ports.ts";

export type ProxyName =
  "tcp_proxy" | "empty" | "empty_late" | "calls_only" | "observe" | "refuse" | "steer" | "haproxy" | "haproxy_stick";

export interface Proxy {
  readonly name: ProxyName;
  readonly workers: number;
  readonly port: number;
  readonly pid: number;
  /** What it has said so far. */
  log(): string;
  stop(): Promise<void>;
}

/** In the order of the tables. */
export const PROXY_TITLES: Record<ProxyName, string> = {
  tcp_proxy: "Envoy, tcp_proxy alone",
  empty: "Envoy, empty wasm filter",
  empty_late: "Envoy, empty wasm filter, connecting once the client has spoken",
  calls_only: "Envoy, wasm filter of the same calls only",
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
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => configuration.deleteIn([...FILTERS, 0]));
    case "empty":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => setModule(configuration, setup.emptyFilter));
    case "empty_late":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => {
        setModule(configuration, setup.emptyFilter);
        configuration.setIn([...FILTERS, 1, "typed_config", "upstream_connect_mode"], "ON_DOWNSTREAM_DATA");
      });
    case "calls_only":
      return startEnvoyProxy(name, workers, setup, {}, (configuration) => setModule(configuration, setup.callsOnly));
    case "observe":
      return startEnvoyProxy(name, workers, setup, { steering: "off", enforcement: "observe" });
    case "refuse":
      return startEnvoyProxy(name, workers, setup, { steering: "off", enforcement: "revoked" });
    case "steer":
      return startEnvoyProxy(name, workers, setup, { steering: "hash", enforcement: "revoked" });
    case "haproxy":
    case "haproxy_stick":
      return startHaproxy(name, workers, setup);
  }
}

function setModule(configuration: Document, file: string): void {
  configuration.setIn([...MODULE, "local", "filename"], file);
}

/** As `haproxy -v` says it; null where there is none. */
export function haproxyVersion(): string | null {
  const { status, stdout } = spawnSync("haproxy", ["-v"], { encoding: "utf8" });
  return status === 0 ? (/version (\S+)/.exec(stdout)?.[1] ?? "of an unknown version") : null;
}

async function startEnvoyProxy(
  name: ProxyName,
  workers: number,
  setup: ProxySetup,
  observer: Settings,
  adapt: (configuration: Document) => void = () => undefined,
): Promise<Proxy> {
  const [tlsPort, envoyAdminPort] = (await freePorts(2)) as [number, number];
  const configuration = parseDocument(
    renderEnvoyConfig({ tlsPort, envoyAdminPort, upstreams: [setup.upstream], modulePath: setup.filter, observer }),
  );
  // The other listeners have no part in a connection.
  const listeners = ["static_resources", "listeners"];
  while (configuration.hasIn([...listeners, 1])) configuration.deleteIn([...listeners, 1]);
  adapt(configuration);
  const envoy = await startEnvoy({
    binary: setup.envoyBinary,
    configuration: configuration.toString(),
    envoyAdminPort,
    concurrency: workers,
    folder: join(BUILD_FOLDER, "bench", `${name}-${workers}`),
  });
  const stop = async (): Promise<void> => {
    await envoy.stop();
    const complaint = envoy
      .log()
      .split("\n")
      .find((line) => COMPLAINT.test(line));
    if (complaint !== undefined) throw new Error(`${name}: ${complaint}`);
  };
  return { name, workers, port: tlsPort, pid: envoy.pid, log: () => envoy.log(), stop };
}

/** The recipe that HAProxy documents for SSL session IDs, with `res.payload_lv` and the delay without which it stores nothing. */
async function startHaproxy(name: ProxyName, workers: number, { upstream }: ProxySetup): Promise<Proxy> {
  const [port] = (await freePorts(1)) as [number];
  const folder = join(BUILD_FOLDER, "bench", `${name}-${workers}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "haproxy.cfg");
  const stickTable = name === "haproxy_stick" ? STICK_TABLE : "";
  writeFileSync(
    file,
    `global
  nbthread ${workers}
  maxconn 9500
defaults
  mode tcp
  timeout connect 1s
  timeout client 300s
  timeout server 300s
frontend tls
  bind 127.0.0.1:${port}
  default_backend servers
backend servers
${stickTable}  server upstream ${upstream}
`,
  );
  const haproxy = spawn("haproxy", ["-f", file, "-db"], { stdio: "ignore" });
  const ended = once(haproxy, "exit");
  const kill = (): void => void haproxy.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    haproxy.kill("SIGKILL");
    await ended;
    process.removeListener("exit", kill);
  };
  for (const deadline = Date.now() + START_SECONDS * 1000; !(await answers(port)); await sleep(50)) {
    if (Date.now() < deadline && haproxy.exitCode === null) continue;
    await stop();
    throw new SetupError(`HAProxy does not start: haproxy -f ${file} -db`);
  }
  if (haproxy.pid === undefined) throw new SetupError("HAProxy cannot be started");
  return { name, workers, port, pid: haproxy.pid, log: () => "", stop };
}

const START_SECONDS = 5;
const FILTERS = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
const MODULE = [...FILTERS, 0, "typed_config", "config", "vm_config", "code"];
const COMPLAINT = /RuntimeError|VM failed|Wasm VM|abort:|wasm.*unreachable|in fail-closed state/i;
const STICK_TABLE = `  stick-table type binary len 32 size 100k expire 30m
  acl clienthello req.ssl_hello_type 1
  acl serverhello res.ssl_hello_type 2
  tcp-request inspect-delay 5s
  tcp-request content accept if clienthello
  tcp-response inspect-delay 2s
  tcp-response content accept if serverhello
  stick on req.payload_lv(43,1) if clienthello
  stick store-response res.payload_lv(43,1) if serverhello
`;
