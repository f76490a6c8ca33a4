/** Names by which the filters of one cache find each other and their clusters. */
import { type Finding, membersOf, textOf } from "../finding.ts";
import { configurationLines } from "../repair.ts";
import { type Plugin, type Survey, clustersOf, isTcpProxy } from "../survey.ts";

export function nameFindings(seen: Survey): Finding[] {
  return seen.plugins.flatMap((plugin) => [
    ...rootIdFindings(plugin),
    ...lonelyFindings(plugin, seen.plugins),
    ...clusterFindings(plugin, seen),
  ]);
}

/** A filter in the wrong kind of chain. The module itself complains of names that it does not know. */
function rootIdFindings(plugin: Plugin): Finding[] {
  const { rootId, kind, path } = plugin;
  const isMisplaced = kind === "network" ? HTTP_ROOTS.includes(rootId) : rootId === "observer";
  if (!isMisplaced) return [];
  const fault = `root_id ${rootId} is among ${kind === "network" ? "network" : "HTTP"} filters, where it does nothing`;
  return [{ path, fault, yaml: rootIdLines(plugin) }];
}

/** The root_id that a filter probably needs in its place. */
export function rootIdLines({ kind, config, siblings }: Plugin): string[] {
  if (kind === "network") return ["root_id: observer"];
  const isAdmin = /admin/.test(textOf(config["name"])) || siblings.length === 2;
  return [`root_id: ${isAdmin ? "admin" : "guard"}`];
}

/** An admin filter that has no other filter of its cache beside it, although there are some. */
function lonelyFindings(plugin: Plugin, plugins: Plugin[]): Finding[] {
  const workers = plugins.filter(({ rootId }) => rootId === "observer" || rootId === "guard");
  const [other] = workers;
  if (plugin.rootId !== "admin" || other === undefined) return [];
  if (workers.some((one) => one.vmId === plugin.vmId && cacheOf(one) === cacheOf(plugin))) return [];
  const end = "so nobody refuses the sessions that are removed here";
  const sameCache = workers.find((one) => cacheOf(one) === cacheOf(plugin));
  if (sameCache !== undefined) {
    const fault = `no observer or guard has the vm_id "${plugin.vmId}" of this admin filter, ${end}`;
    return [{ path: [...plugin.path, "vm_config"], fault, yaml: [`vm_id: ${JSON.stringify(sameCache.vmId)}`] }];
  }
  const fault = `no observer or guard has the cache "${cacheOf(plugin)}" of this admin filter, ${end}`;
  return [{ path: plugin.path, fault, yaml: configurationLines({ ...plugin.settings, cache: cacheOf(other) }) }];
}

function cacheOf({ settings }: Plugin): string {
  return textOf(settings["cache"]) || "default";
}

function clusterFindings(plugin: Plugin, { clusters, hasAllClusters }: Survey): Finding[] {
  const { settings, chain, path } = plugin;
  const findings: Finding[] = [];
  const given = textOf(settings["cluster"]);
  const proxies = chain?.filters.filter(({ members }) => isTcpProxy(members)) ?? [];
  const used = proxies.flatMap(({ members }) => clustersOf(members));
  const [first] = used;
  if (plugin.rootId === "observer" && given !== "" && first !== undefined && !used.includes(given)) {
    const fault = `cluster "${given}" is not the one of tcp_proxy, "${first}": steering has no effect`;
    findings.push({ path, fault, yaml: configurationLines({ ...settings, cluster: first }) });
  }
  if (!hasAllClusters) return findings;
  const byName = new Map(clusters.map(({ members }) => [textOf(members["name"]), members]));
  const exact = textOf(settings["exact_cluster"]);
  if (exact !== "" && !byName.has(exact)) {
    const fault = `Envoy has no cluster "${exact}", which exact_cluster names`;
    findings.push({ path, fault, yaml: ["# under static_resources > clusters", ...exactCluster(exact)] });
  } else if (exact !== "" && textOf(byName.get(exact)?.["type"]) !== "ORIGINAL_DST") {
    const place = clusters.find(({ members }) => members["name"] === exact)?.path ?? path;
    const fault = `cluster "${exact}" is named by exact_cluster, and is not of the type ORIGINAL_DST`;
    findings.push({ path: place, fault, yaml: ["type: ORIGINAL_DST", "lb_policy: CLUSTER_PROVIDED"] });
  }
  const events = textOf(membersOf(settings["events"])["cluster"]);
  if (events !== "" && !byName.has(events)) {
    const fault = `Envoy has no cluster "${events}", which events.cluster names: no event is delivered`;
    findings.push({ path, fault, yaml: ["# under static_resources > clusters", ...eventsCluster(events)] });
  }
  return findings;
}

export function exactCluster(name: string): string[] {
  return [`- name: ${name}`, "  type: ORIGINAL_DST", "  lb_policy: CLUSTER_PROVIDED", "  connect_timeout: 1s"];
}

function eventsCluster(name: string): string[] {
  return [
    ...[`- name: ${name}`, "  type: STRICT_DNS", "  connect_timeout: 1s", "  load_assignment:"],
    ...[`    cluster_name: ${name}`, "    endpoints:", "      - lb_endpoints:"],
    "          - endpoint: { address: { socket_address: { address: your.collector, port_value: 80 } } }",
  ];
}

const HTTP_ROOTS = ["guard", "admin"];
