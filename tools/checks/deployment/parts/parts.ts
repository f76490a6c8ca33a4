/**
 * The Envoy parts of deploy/, each lifted out of its file and made a configuration that an Envoy on this machine can run: `--mode validate`
 * and the tests end to end take the same. Only places are changed: ports, addresses, servers and the file of the module.
 */
import { parse } from "yaml";
import { splitAddress } from "../../../proxies/envoy_config.ts";
import { envoyGatewayResources } from "./envoy_gateway.ts";
import { istioResources } from "./istio.ts";
import { at, documentOf, listAt, type Node, nodeAt, readDocuments, type Tree, walk } from "./yaml_tree.ts";

export interface Places {
  modulePath: string;
  /** `host:port` each, instead of the servers in the file. */
  upstreams: string[];
  tlsPort: number;
  adminPort: number;
  envoyAdminPort: number;
  metricsPort: number;
}

export interface Part {
  name: string;
  /** Under deploy/. */
  files: string[];
  steers: boolean;
  /** Serves /ready and /stats/prometheus at a port of its own. */
  servesMetrics: boolean;
  read: () => Node;
}

export const PARTS: readonly Part[] = [
  {
    name: "systemd",
    files: ["systemd/envoy.yaml"],
    steers: true,
    servesMetrics: false,
    read: () => readDocuments("systemd/envoy.yaml")[0] ?? {},
  },
  {
    name: "xds",
    files: ["xds/bootstrap.yaml", "xds/listeners.yaml", "xds/clusters.yaml"],
    steers: true,
    servesMetrics: false,
    read: xds,
  },
  {
    name: "kubernetes daemonset",
    files: ["kubernetes/daemonset.yaml"],
    steers: true,
    servesMetrics: true,
    read: () => fromConfigMap("kubernetes/daemonset.yaml"),
  },
  {
    name: "kubernetes sidecar",
    files: ["kubernetes/sidecar.yaml"],
    steers: false,
    servesMetrics: true,
    read: () => fromConfigMap("kubernetes/sidecar.yaml"),
  },
  {
    name: "istio",
    files: ["istio/gateway.yaml", "istio/observer.yaml", "istio/steering.yaml", "istio/admin.yaml"],
    steers: true,
    servesMetrics: false,
    read: istio,
  },
  {
    name: "envoy gateway",
    files: ["envoy-gateway/gateway.yaml", "envoy-gateway/session-cache.yaml"],
    steers: true,
    servesMetrics: false,
    read: envoyGateway,
  },
];

/** The configuration of a part, fitted to places of this machine. */
export function configurationOf(part: Part, places: Places): Node {
  const configuration = part.read();
  fitPlaces(configuration, places);
  return configuration;
}

/** Changes listeners, clusters and modules anywhere in a tree. */
export function fitPlaces(tree: Tree, places: Places): void {
  const ports: Record<number, number> = {
    10443: places.tlsPort,
    8443: places.tlsPort,
    10080: places.adminPort,
    10901: places.envoyAdminPort,
    10902: places.metricsPort,
  };
  walk(tree, (node) => {
    if (isCluster(node) && node.name !== "envoy_admin") return placeServers(node, places.upstreams);
    if ("code" in node) node.code = { local: { filename: places.modulePath } };
    const address = node.socket_address as Node | undefined;
    if (address === undefined || places.upstreams.includes(`${String(address.address)}:${String(address.port_value)}`))
      return;
    address.address = "127.0.0.1";
    address.port_value = ports[Number(address.port_value)] ?? address.port_value ?? 0;
  });
}

/** A cluster has a timeout of connecting; nothing else in these files does. */
function isCluster(node: Node): boolean {
  return "connect_timeout" in node;
}

function placeServers(cluster: Node, upstreams: string[]): void {
  const endpoints = upstreams.map(splitAddress).map(({ host, port }) => ({
    endpoint: { address: { socket_address: { address: host, port_value: port } } },
  }));
  cluster.type = "STATIC";
  cluster.load_assignment = { cluster_name: at(cluster, "name"), endpoints: [{ lb_endpoints: endpoints }] };
}

/** The two files of the control plane as static resources. */
function xds(): Node {
  const [bootstrap = {}] = readDocuments("xds/bootstrap.yaml");
  const resources = (file: string): Node[] =>
    listAt(readDocuments(file)[0], "resources").map(({ "@type": _, ...resource }) => resource as Node);
  const { dynamic_resources: _, ...rest } = bootstrap;
  return {
    ...rest,
    static_resources: { listeners: resources("xds/listeners.yaml"), clusters: resources("xds/clusters.yaml") },
  } as Node;
}

function fromConfigMap(file: string): Node {
  return parse(String(at(documentOf(file, "ConfigMap"), "data", "envoy.yaml"))) as Node;
}

/** With the extensions in the places of their filters, as they are when they have come. */
function istio(): Node {
  const { listeners, clusters, extensions } = istioResources();
  walk(listeners, (node) => {
    if (!("config_discovery" in node)) return;
    const extension = extensions.get(String(node.name));
    if (extension === undefined) throw new Error(`no extension is named ${String(node.name)}`);
    delete node.config_discovery;
    node.typed_config = extension;
  });
  return { admin: ADMIN(), static_resources: { listeners, clusters } };
}

function envoyGateway(): Node {
  const { listeners, clusters, bootstrap } = envoyGatewayResources();
  return { ...bootstrap, admin: ADMIN(), static_resources: { listeners, clusters } };
}

/** Envoy's own admin, which Istio and Envoy Gateway put elsewhere. */
const ADMIN = (): Node => ({ address: { socket_address: { address: "127.0.0.1", port_value: 10901 } } });

/** The container of a pod, or of its init containers, by its name. */
export function containerOf(file: string, kind: string, name: string): Node {
  const pod = nodeAt(documentOf(file, kind), "spec", "template", "spec");
  const all = [...listAt(pod, "containers"), ...((pod.initContainers as Node[] | undefined) ?? [])];
  const found = all.find((container) => container.name === name);
  if (found === undefined) throw new Error(`${file} has no container ${name}`);
  return found;
}
