/**
 * The shipped envoy.yaml with other ports, upstreams, module or plugin settings, and for another version of Envoy. Everything else
 * stays as it is written there, so what is tested and demonstrated is what is shipped. Throws if envoy.yaml has no such place
 * to change.
 */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { isMap, isScalar, isSeq, parseDocument, visit, type Document, type YAMLMap } from "yaml";
import { abilitiesOf, SHIPPED_FOR } from "./envoy_versions.ts";
import { ENVOY_CONFIG_FILE } from "../project.ts";

export type Settings = { [name: string]: unknown };

export interface EnvoyConfigOptions {
  tlsPort?: number;
  httpsPort?: number;
  adminPort?: number;
  envoyAdminPort?: number;
  /** `host:port` or `[v6]:port`. A host name makes the cluster resolve by DNS. */
  upstreams?: string[];
  modulePath?: string;
  /** A file with a certificate and its key, for HTTPS. */
  certificatePath?: string;
  /** Merged into the plugin configuration of the observer, the guard, the admin API, or (`cache`, where they must agree) of all. */
  observer?: Settings;
  guard?: Settings;
  admin?: Settings;
  cache?: Settings;
  /** Of the Envoy that will read it, which is not asked for abilities that it does not have. That of envoy.yaml if none is named. */
  envoyVersion?: string;
  /** Another file than the shipped envoy.yaml. */
  source?: string;
}

export function renderEnvoyConfig(options: EnvoyConfigOptions = {}): string {
  const source = options.source ?? ENVOY_CONFIG_FILE;
  const document = parseDocument(readFileSync(source, "utf8"));
  const broken = document.errors[0];
  if (broken !== undefined) throw new Error(`${source}: ${broken.message}`);

  if (options.tlsPort !== undefined) setPort(document, [...TLS_LISTENER, "address"], options.tlsPort);
  if (options.httpsPort !== undefined) setPort(document, [...HTTPS_LISTENER, "address"], options.httpsPort);
  if (options.adminPort !== undefined) setPort(document, [...ADMIN_LISTENER, "address"], options.adminPort);
  if (options.envoyAdminPort !== undefined) setPort(document, ["admin", "address"], options.envoyAdminPort);
  if (options.upstreams !== undefined) setUpstreams(document, options.upstreams);
  if (options.modulePath !== undefined) {
    for (const plugin of [OBSERVER, GUARD, ADMIN]) {
      setExisting(document, [...plugin, "vm_config", "code", "local", "filename"], options.modulePath);
    }
  }
  if (options.certificatePath !== undefined) {
    setExisting(document, [...CERTIFICATE, "certificate_chain", "filename"], options.certificatePath);
    setExisting(document, [...CERTIFICATE, "private_key", "filename"], options.certificatePath);
  }
  const version = options.envoyVersion ?? SHIPPED_FOR;
  mergeSettings(document, OBSERVER, { ...steeringFor(version), ...options.cache, ...options.observer });
  mergeSettings(document, GUARD, { ...options.cache, ...options.guard });
  mergeSettings(document, ADMIN, { ...options.cache, ...options.admin });
  fitFields(document, version);
  return document.toString({ lineWidth: 0 });
}

/** A configuration that was written for the version of envoy.yaml, with the fields that an Envoy of `version` knows. */
export function fittedTo(version: string, configuration: string): string {
  const document = parseDocument(configuration);
  return fitFields(document, version) ? document.toString({ lineWidth: 0 }) : configuration;
}

function steeringFor(version: string): Settings {
  const { bestSteering } = abilitiesOf(version);
  return bestSteering === abilitiesOf(SHIPPED_FOR).bestSteering ? {} : { steering: bestSteering };
}

/** Reports whether anything changed. Comments move along with their subjects. */
function fitFields(document: Document, version: string): boolean {
  const { listIsInVmConfig, readsBeforeItConnects, closesFromLua } = abilitiesOf(version);
  let changed = false;
  visit(document, {
    Map(_, node) {
      if (!listIsInVmConfig && moveCapabilityList(node)) changed = true;
      if (!readsBeforeItConnects && node.delete(EARLY_DATA)) changed = true;
    },
    Seq(_, node) {
      if (closesFromLua) return;
      const rest = node.items.filter((item) => !(isMap(item) && item.get("name") === CLOSES_BY_LUA));
      if (rest.length < node.items.length) changed = true;
      node.items = rest;
    },
  });
  return changed;
}

/** Out of the plugin's vm_config, to stand beside it. */
function moveCapabilityList(plugin: YAMLMap): boolean {
  const machine = plugin.get("vm_config");
  if (!isMap(machine)) return false;
  const at = machine.items.findIndex(({ key }) => isScalar(key) && key.value === CAPABILITY_LIST);
  const [pair] = at < 0 ? [] : machine.items.splice(at, 1);
  if (pair === undefined) return false;
  plugin.items.push(pair);
  return true;
}

/** Throws on text that is not `host:port`. */
export function splitAddress(address: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const wellFormed =
    host !== undefined && port >= 1 && port <= 65535 && (bracketed === undefined || isIP(bracketed) === 6);
  if (!wellFormed) throw new Error(`"${address}" is not host:port`);
  return { host, port };
}

type Path = (string | number | { named: string })[];

function setPort(document: Document, path: Path, port: number): void {
  setExisting(document, [...path, "socket_address", "port_value"], port);
}

function setUpstreams(document: Document, upstreams: string[]): void {
  if (upstreams.length === 0) throw new Error("at least one upstream is needed");
  const addresses = upstreams.map(splitAddress);
  const endpoints = addresses.map(({ host, port }) => ({
    endpoint: { address: { socket_address: { address: host, port_value: port } } },
  }));
  setExisting(
    document,
    [...CLUSTER, "load_assignment", "endpoints", 0, "lb_endpoints"],
    document.createNode(endpoints),
  );
  if (addresses.some(({ host }) => isIP(host) === 0)) resolveByName(document);
}

function resolveByName(document: Document): void {
  const { parent: cluster, key } = locate(document, [...CLUSTER, "type"]);
  cluster.set(key, "STRICT_DNS");
  // Else Envoy tries the IPv6 address alone if a name has both, and localhost often has.
  cluster.set("dns_lookup_family", "ALL");
}

/** A setting of `undefined` takes the shipped one away. */
function mergeSettings(document: Document, plugin: Path, settings: Settings): void {
  if (Object.keys(settings).length === 0) return;
  const path = [...plugin, "configuration", "value"];
  const { parent, key } = locate(document, path);
  const text = parent.get(key);
  const shipped: unknown = typeof text === "string" ? JSON.parse(text) : undefined;
  if (!isSettings(shipped)) throw new Error(`envoy.yaml: ${describe(path)} is not JSON text`);
  parent.set(key, JSON.stringify(merged(shipped, settings)));
}

function merged(base: Settings, changes: Settings): Settings {
  const result = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const before = result[name];
    result[name] = isSettings(before) && isSettings(value) ? merged(before, value) : value;
  }
  return result;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function setExisting(document: Document, path: Path, value: unknown): void {
  const { parent, key } = locate(document, path);
  parent.set(key, value);
}

/** The mapping that holds the last step of a path which must exist already. */
function locate(document: Document, path: Path): { parent: YAMLMap; key: string } {
  const missing = (): Error => new Error(`envoy.yaml has no ${describe(path)}`);
  let node: unknown = document.contents;
  for (const step of path.slice(0, -1)) {
    if (typeof step === "object") {
      node = isSeq(node) ? node.items.find((item) => isMap(item) && item.get("name") === step.named) : undefined;
    } else {
      node = isMap(node) || isSeq(node) ? node.get(step, true) : undefined;
    }
  }
  const key = path.at(-1);
  if (!isMap(node) || typeof key !== "string") throw missing();
  const last = node.get(key, true);
  if (!isScalar(last) && !isSeq(last)) throw missing();
  return { parent: node, key };
}

function describe(path: Path): string {
  return path.map((step) => (typeof step === "object" ? step.named : step)).join(" > ");
}

const CAPABILITY_LIST = "capability_restriction_config";
const EARLY_DATA = "max_early_data_bytes";
/** The name of a filter in envoy.yaml. */
const CLOSES_BY_LUA = "close_when_refused";
const TLS_LISTENER: Path = ["static_resources", "listeners", { named: "tls_passthrough" }];
const HTTPS_LISTENER: Path = ["static_resources", "listeners", { named: "https" }];
const ADMIN_LISTENER: Path = ["static_resources", "listeners", { named: "session_admin" }];
const CLUSTER: Path = ["static_resources", "clusters", { named: "tls_upstreams" }];
const OBSERVER: Path = [
  ...TLS_LISTENER,
  ...["filter_chains", 0, "filters", { named: "tls_session_observer" }, "typed_config", "config"],
];
const HTTP_FILTERS: Path = [
  ...["filter_chains", 0, "filters", { named: "envoy.filters.network.http_connection_manager" }, "typed_config"],
  "http_filters",
];
const GUARD: Path = [...HTTPS_LISTENER, ...HTTP_FILTERS, ...[{ named: "tls_session_guard" }, "typed_config", "config"]];
const CERTIFICATE: Path = [
  ...HTTPS_LISTENER,
  ...["filter_chains", 0, "transport_socket", "typed_config", "common_tls_context", "tls_certificates", 0],
];
const ADMIN: Path = [...ADMIN_LISTENER, ...HTTP_FILTERS, ...[{ named: "tls_session_admin" }, "typed_config", "config"]];
