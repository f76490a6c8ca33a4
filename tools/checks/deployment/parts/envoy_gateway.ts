/**
 * What Envoy gets from Envoy Gateway for the Gateway and the TLSRoute of deploy/envoy-gateway, with the EnvoyPatchPolicy applied. Listener and
 * cluster are those of internal/xds/translator/testdata/out/xds-ir/tls-route-passthrough in version 1.9.1, with the names of the
 * proto fields, by which patches go, and endpoints instead of EDS. Envoy Gateway itself has not run here.
 */
import { parse } from "yaml";
import { applyJsonPatch } from "./patches.ts";
import { at, documentOf, listAt, type Node, type Tree } from "./yaml_tree.ts";

export interface EnvoyGatewayResources {
  listeners: Node[];
  clusters: Node[];
  /** To be merged into Envoy's bootstrap. */
  bootstrap: Node;
}

export function envoyGatewayResources(): EnvoyGatewayResources {
  const route = "tlsroute/default/shop";
  const listeners: Node[] = [
    {
      name: "default/shop/tls",
      address: { socket_address: { address: "0.0.0.0", port_value: 10443 } },
      per_connection_buffer_limit_bytes: 32768,
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
          name: route,
          filter_chain_match: { server_names: ["shop.example"] },
          filters: [
            {
              name: "envoy.filters.network.tcp_proxy",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                stat_prefix: "tls-passthrough-10443",
                cluster: `${route}/rule/-1`,
              },
            },
          ],
        },
      ],
    },
  ];
  const clusters: Node[] = [
    {
      name: `${route}/rule/-1`,
      type: "STATIC",
      connect_timeout: "10s",
      per_connection_buffer_limit_bytes: 32768,
      load_balancing_policy: {
        policies: [
          {
            typed_extension_config: {
              name: "envoy.load_balancing_policies.least_request",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest",
              },
            },
          },
        ],
      },
    },
  ];
  const policy = documentOf("envoy-gateway/session-cache.yaml", "EnvoyPatchPolicy");
  for (const { type, name, operation } of listAt(policy, "spec", "jsonPatches")) {
    const all = String(type).endsWith(".Listener") ? listeners : clusters;
    const { op, path, value } = operation as Node & { op: string; path: string; value: Tree };
    if (path === "") all.push(value as Node);
    else {
      const target = all.find((one) => one.name === name);
      if (target === undefined) throw new Error(`a patch is for ${String(name)}, which Envoy Gateway does not make`);
      applyJsonPatch(target, op, path, value);
    }
  }
  const proxy = documentOf("envoy-gateway/gateway.yaml", "EnvoyProxy");
  return { listeners, clusters, bootstrap: parse(String(at(proxy, "spec", "bootstrap", "value"))) as Node };
}
