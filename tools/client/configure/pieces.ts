/** The pieces that an envoy.yaml needs, each in its shortest form that serves: every other field has its default. */
import { type Members, membersOf } from "../doctor/finding.ts";
import { HASH_POLICY, EARLY_DATA_BYTES, SESSION_ID_FILTER, capabilitiesOf } from "../doctor/pieces.ts";

export interface PieceOptions {
  /** The module's file, as Envoy sees it. */
  module: string;
  steering: "off" | "hash" | "exact";
  /** Whether the module may call only what it needs. */
  isRestricted: boolean;
  /** Whether that list is a field of vm_config. */
  listIsInVmConfig: boolean;
}

/** The filter in front of tcp_proxy. `cluster` is that of tcp_proxy; null if it has several. */
export function observer(options: PieceOptions, cluster: string | null): Members {
  const named = cluster === null ? {} : { cluster };
  const exact = options.steering === "exact" ? { cluster, exact_cluster: exactNameOf(cluster ?? "") } : named;
  const settings = options.steering === "off" ? null : { steering: options.steering, ...exact };
  const type = "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm";
  return wasm("observer", type, options, {}, {}, settings);
}

export function guard(options: PieceOptions): Members {
  return wasm("guard", HTTP_WASM, options, ofItsOwn("guard"), {}, null);
}

/** The filters of a listener that terminates TLS, in their order. */
export function guardFilters(options: PieceOptions): Members[] {
  return [SESSION_ID_FILTER, guard(options)];
}

export function adminListener(options: PieceOptions, port: number): Members {
  const variables = ["ADMIN_TOKEN", "ADMIN_READ_TOKEN"];
  const machine = { ...ofItsOwn("admin"), environment_variables: { host_env_keys: variables } };
  const settings = { admin: { tokens_env: ["ADMIN_TOKEN"], read_tokens_env: ["ADMIN_READ_TOKEN"] } };
  const admin = wasm("admin", HTTP_WASM, options, machine, { allow_on_headers_stop_iteration: true }, settings);
  const router = {
    name: "envoy.filters.http.router",
    typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
  };
  const routes = [{ match: { prefix: "/" }, direct_response: { status: 404 } }];
  const manager = {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    stat_prefix: ADMIN_LISTENER,
    request_headers_timeout: "10s",
    request_timeout: "30s",
    http_filters: [admin, router],
    route_config: { virtual_hosts: [{ name: ADMIN_LISTENER, domains: ["*"], routes }] },
  };
  const filter = { name: "envoy.filters.network.http_connection_manager", typed_config: manager };
  return {
    name: ADMIN_LISTENER,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    filter_chains: [{ filters: [filter] }],
  };
}

/** The fields of tcp_proxy that steering needs. */
export function tcpProxyFields({ steering }: PieceOptions): Members {
  if (steering === "off") return {};
  return { max_early_data_bytes: EARLY_DATA_BYTES, ...(steering === "hash" ? HASH_POLICY : {}) };
}

export function exactCluster(name: string): Members {
  return { name, type: "ORIGINAL_DST", lb_policy: "CLUSTER_PROVIDED", connect_timeout: "1s" };
}

export function exactNameOf(cluster: string): string {
  return `${cluster}_exact`;
}

/** Labels of metrics: each is cut out of the metric's name. */
export function statsTags(): Members[] {
  return LABELS.map(([name, value]) => ({
    tag_name: name,
    regex: `^wasmcustom\\.tls_session_cache_[^.]+(?:\\..+)?(\\.${name}\\.(${value}))`,
  }));
}

/** A text that no other filter has keeps it in a virtual machine of its own: a fault of one does not end the other. */
function ofItsOwn(text: string): Members {
  return { configuration: { "@type": TEXT, value: text } };
}

function wasm(
  rootId: string,
  type: string,
  options: PieceOptions,
  machine: Members,
  plugin: Members,
  settings: Members | null,
): Members {
  const name = `tls_session_${rootId}`;
  const list = { capability_restriction_config: { allowed_capabilities: membersOf(capabilitiesOf(rootId)) } };
  const { isRestricted, listIsInVmConfig } = options;
  const config = {
    name,
    root_id: rootId,
    failure_policy: "FAIL_RELOAD",
    ...plugin,
    vm_config: {
      vm_id: "tls_session_cache",
      runtime: "envoy.wasm.runtime.v8",
      code: { local: { filename: options.module } },
      ...machine,
      ...(isRestricted && listIsInVmConfig ? list : {}),
    },
    ...(isRestricted && !listIsInVmConfig ? list : {}),
    ...(settings === null ? {} : { configuration: { "@type": TEXT, value: JSON.stringify(settings) } }),
  };
  return { name, typed_config: { "@type": type, config } };
}

export const ADMIN_LISTENER = "session_admin";
const TEXT = "type.googleapis.com/google.protobuf.StringValue";
const HTTP_WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
/** As stats_config of envoy.yaml has them. */
const LABELS = [
  ["cache", "[^.]+"],
  ["protocol", "SSLv3|TLSv1(?:\\.[123])?"],
  ["outcome", "[^.]+"],
  ["kind", "[^.]+"],
  ["error", "[^.]+"],
  ["cause", "[^.]+"],
  ["build", "[^.]+"],
  ["version", ".+"],
] as const;
