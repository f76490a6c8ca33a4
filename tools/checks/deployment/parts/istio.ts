/**
 * What Envoy gets from Istio with the files of deploy/istio: a listener and a cluster in the shape of those of a Gateway that passes TLS
 * through, the TrafficExtension as a filter by ECDS, and the EnvoyFilters merged in. The extension is made as istiod makes it
 * (pilot/pkg/model/extensions.go); listener and cluster are written by hand. istiod itself has not run here.
 */
import { merge } from "./patches.ts";
import { at, documentOf, listAt, type Node, nodeAt, readDocuments } from "./yaml_tree.ts";

const CLUSTER = "outbound|443||shop.default.svc.cluster.local";
const WASM = "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm";

export interface IstioResources {
  listeners: Node[];
  clusters: Node[];
  /** Resources of ECDS, by name. */
  extensions: Map<string, Node>;
}

export function istioResources(): IstioResources {
  const extension = documentOf("istio/observer.yaml", "TrafficExtension");
  const name = `${String(at(extension, "metadata", "namespace"))}.${String(at(extension, "metadata", "name"))}`;
  const resources: IstioResources = {
    listeners: [listenerOf(name)],
    clusters: [cluster()],
    extensions: new Map([[name, observerOf(nodeAt(extension, "spec", "wasm"))]]),
  };
  for (const file of ["istio/steering.yaml", "istio/admin.yaml"]) {
    for (const document of readDocuments(file)) {
      for (const patch of listAt(document, "spec", "configPatches")) applyPatch(resources, patch);
    }
  }
  return resources;
}

function listenerOf(extension: string): Node {
  const [host = ""] = at(documentOf("istio/gateway.yaml", "Gateway"), "spec", "servers", 0, "hosts") as string[];
  return {
    name: "0.0.0.0_8443",
    address: { socket_address: { address: "0.0.0.0", port_value: 8443 } },
    traffic_direction: "OUTBOUND",
    listener_filters: [
      {
        name: "envoy.filters.listener.tls_inspector",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        },
      },
    ],
    filter_chains: [
      {
        filter_chain_match: { server_names: [host] },
        filters: [
          { name: extension, config_discovery: discovery(WASM) },
          {
            name: "envoy.filters.network.tcp_proxy",
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
              stat_prefix: CLUSTER,
              cluster: CLUSTER,
            },
          },
        ],
      },
    ],
  };
}

function discovery(type: string): Node {
  return { config_source: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" }, type_urls: [type] };
}

function cluster(): Node {
  return { name: CLUSTER, type: "STATIC", lb_policy: "LEAST_REQUEST", connect_timeout: "10s" };
}

/** As istiod's buildVMConfig and buildWasm: no vm_id, the configuration as JSON text. */
function observerOf(wasm: Node): Node {
  return {
    "@type": WASM,
    config: {
      name: "istio-ingress.tls-session-observer",
      root_id: at(wasm, "pluginName"),
      failure_policy: at(wasm, "failStrategy"),
      vm_config: {
        runtime: "envoy.wasm.runtime.v8",
        code: { remote: { http_uri: { uri: at(wasm, "url"), cluster: "_", timeout: "30s" } } },
      },
      configuration: {
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        value: JSON.stringify(at(wasm, "pluginConfig")),
      },
    },
  };
}

function applyPatch(resources: IstioResources, patch: Node): void {
  const operation = String(at(patch, "patch", "operation"));
  const value = nodeAt(patch, "patch", "value");
  const kind = String(patch.applyTo);
  switch (`${operation} ${kind}`) {
    case "ADD LISTENER":
      resources.listeners.push(value);
      return;
    case "ADD EXTENSION_CONFIG":
      resources.extensions.set(String(value.name), nodeAt(value, "typed_config"));
      return;
    case "MERGE CLUSTER": {
      const service = String(at(patch, "match", "cluster", "service"));
      const port = String(at(patch, "match", "cluster", "portNumber"));
      return mergeAll(resources.clusters, ({ name }) => name === `outbound|${port}||${service}`, value);
    }
    case "MERGE LISTENER":
      return mergeAll(resources.listeners, isAtPort(patch), value);
    case "MERGE NETWORK_FILTER": {
      const filter = at(patch, "match", "listener", "filterChain", "filter", "name");
      const filters = resources.listeners
        .filter(isAtPort(patch))
        .flatMap((listener) => listAt(listener, "filter_chains", 0, "filters"));
      return mergeAll(filters, ({ name }) => name === filter, value);
    }
    default:
      throw new Error(`a patch ${operation} ${kind} is not applied here`);
  }
}

function isAtPort(patch: Node): (listener: Node) => boolean {
  const port = at(patch, "match", "listener", "portNumber");
  return (listener) => at(listener, "address", "socket_address", "port_value") === port;
}

function mergeAll(nodes: Node[], matches: (node: Node) => boolean, value: Node): void {
  const found = nodes.filter(matches);
  if (found.length === 0) throw new Error(`a patch matches nothing: ${JSON.stringify(value)}`);
  for (const node of found) merge(node, value);
}
