/**
 * Whether an envoy.yaml is shut as SECURITY.md says: listeners on loopback, Envoy's guide "Configuring Envoy as an edge proxy"
 * followed where it applies, the filters restricted, no secret in the file.
 */
import { parse } from "yaml";

interface Address {
  socket_address?: { address?: string };
}

interface Named {
  name?: string;
  address?: Address;
  per_connection_buffer_limit_bytes?: number;
  typed_config?: Record<string, unknown>;
  triggers?: { name?: string }[];
}

interface Configuration {
  static_resources?: { listeners?: Named[]; clusters?: Named[] };
  admin?: { address?: Address };
  overload_manager?: { resource_monitors?: Named[]; actions?: Named[] };
}

type Fields = Record<string, unknown>;

/** One line for each thing that is wrong. */
export function edgeFaults(envoyConfig: string): string[] {
  const configuration = parse(envoyConfig) as Configuration;
  const { listeners = [], clusters = [] } = configuration.static_resources ?? {};
  const faults = [
    ...listeners.flatMap(({ name, address }) => exposure(`listener ${name}`, address)),
    ...exposure("Envoy's own admin", configuration.admin?.address),
    ...[...listeners, ...clusters].flatMap(bufferFaults),
    ...overloadFaults(configuration),
  ];
  walk(configuration, (node) => {
    const type = String(node["@type"] ?? "");
    if (type.endsWith(".HttpConnectionManager")) faults.push(...httpFaults(node));
    if ("root_id" in node) faults.push(...pluginFaults(node));
  });
  return faults;
}

function exposure(what: string, address: Address | undefined): string[] {
  const host = address?.socket_address?.address;
  return host === "127.0.0.1" ? [] : [`${what} is on ${host}, not on loopback`];
}

function bufferFaults(place: Named): string[] {
  const limit = place.per_connection_buffer_limit_bytes;
  if (limit === undefined || limit > MOST_BUFFERED_BYTES) return [`${place.name} has no buffer limit, or a large one`];
  let early = 0;
  walk(place, (node) => {
    early = Math.max(early, Number(node["max_early_data_bytes"] ?? 0));
  });
  // The held bytes, and those that show that they are too many, must both fit.
  return limit >= 2 * early ? [] : [`${place.name} buffers less than twice its max_early_data_bytes`];
}

function overloadFaults({ overload_manager: overload }: Configuration): string[] {
  const names = [...(overload?.resource_monitors ?? []), ...(overload?.actions ?? [])].map(({ name }) => name);
  return OVERLOAD.filter((name) => !names.includes(name)).map((name) => `there is no ${name}`);
}

function httpFaults(manager: Fields): string[] {
  const prefix = String(manager.stat_prefix);
  return Object.entries(HTTP).flatMap(([path, wanted]) => {
    let value: unknown = manager;
    for (const step of path.split(".")) value = (value as Fields | undefined)?.[step];
    const good = wanted === ANY ? value !== undefined : value === wanted;
    return good ? [] : [`${prefix}: ${path} is ${JSON.stringify(value) ?? "not said"}`];
  });
}

function pluginFaults(plugin: Fields): string[] {
  const faults: string[] = [];
  const machine = plugin.vm_config as Fields;
  // Beside vm_config, which is the place that an Envoy before 1.40 reads.
  const restriction = machine.capability_restriction_config ?? plugin.capability_restriction_config;
  const list = (restriction as Fields | undefined)?.allowed_capabilities;
  // To Envoy, an empty list does not restrict anything.
  if (Object.keys(list ?? {}).length === 0) faults.push(`${String(plugin.name)} may call everything`);
  // FAIL_OPEN would let later connections pass unseen.
  if (plugin.failure_policy !== "FAIL_RELOAD") faults.push(`${String(plugin.name)} does not reload when it fails`);
  const settings = JSON.parse((plugin.configuration as { value: string }).value) as { admin?: Fields };
  const { admin = {} } = settings;
  if ("tokens" in admin || "read_tokens" in admin) faults.push(`${String(plugin.name)} ships a token`);
  if (admin.allow_unauthenticated === true) faults.push(`${String(plugin.name)} asks for no token`);
  return faults;
}

function walk(node: unknown, see: (node: Fields) => void): void {
  if (typeof node !== "object" || node === null) return;
  if (!Array.isArray(node)) see(node as Fields);
  for (const value of Object.values(node)) walk(value, see);
}

const ANY = Symbol("any value, but said");
const HTTP: Record<string, unknown> = {
  use_remote_address: true,
  normalize_path: ANY,
  path_with_escaped_slashes_action: ANY,
  request_headers_timeout: ANY,
  request_timeout: ANY,
  stream_idle_timeout: ANY,
  "common_http_protocol_options.idle_timeout": ANY,
  "common_http_protocol_options.headers_with_underscores_action": "REJECT_REQUEST",
  "http2_protocol_options.max_concurrent_streams": 100,
  "http2_protocol_options.initial_stream_window_size": 65536,
  "http2_protocol_options.initial_connection_window_size": 1048576,
};
const OVERLOAD = [
  "envoy.resource_monitors.global_downstream_max_connections",
  "envoy.resource_monitors.fixed_heap",
  "envoy.overload_actions.shrink_heap",
  "envoy.overload_actions.stop_accepting_connections",
];
const MOST_BUFFERED_BYTES = 131072;
