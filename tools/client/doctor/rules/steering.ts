/** The fields of tcp_proxy and of its clusters without which steering has no effect. */
import { type Finding, listOf, membersOf, textOf } from "../finding.ts";
import { BUFFER_BYTES, EARLY_DATA_BYTES, HASH_POLICY } from "../pieces.ts";
import { linesOf } from "../repair.ts";
import { type Part, type Plugin, type Survey, clustersOf, isTcpProxy } from "../survey.ts";

export function steeringFindings(seen: Survey): Finding[] {
  return seen.plugins.flatMap((plugin) => {
    const mode = textOf(plugin.settings["steering"]);
    const proxy = plugin.chain?.filters.find(({ members }) => isTcpProxy(members));
    if (plugin.rootId !== "observer" || proxy === undefined || !["hash", "exact"].includes(mode)) return [];
    const isByHash = mode === "hash" || plugin.settings["steering_by_source"] === "always";
    return [...readFindings(plugin, proxy), ...(isByHash ? hashFindings(proxy, seen.clusters) : [])];
  });
}

/** A connection is held until its ClientHello is in, so Envoy must read before it connects. */
function readFindings({ chain }: Plugin, proxy: Part): Finding[] {
  const path = [...proxy.path, "typed_config"];
  const bytes = membersOf(proxy.members["typed_config"])["max_early_data_bytes"];
  if (bytes === undefined) {
    const fault = "max_early_data_bytes is not set, so steering has no effect: tcp_proxy connects before it reads";
    return [{ path, fault, yaml: [`max_early_data_bytes: ${String(EARLY_DATA_BYTES)}`] }];
  }
  const listener = chain?.listener;
  const limit = listener?.members["per_connection_buffer_limit_bytes"];
  if (listener === undefined || typeof limit !== "number" || limit > Number(bytes)) return [];
  const fault = `per_connection_buffer_limit_bytes is not above max_early_data_bytes (${String(bytes)}): a held ClientHello may fill that much`;
  return [{ path: listener.path, fault, yaml: [`per_connection_buffer_limit_bytes: ${String(BUFFER_BYTES)}`] }];
}

function hashFindings(proxy: Part, clusters: Part[]): Finding[] {
  const findings: Finding[] = [];
  const policies = listOf(membersOf(proxy.members["typed_config"])["hash_policy"]);
  const hashes = policies.some(
    (policy) => membersOf(membersOf(policy)["filter_state"])["key"] === "envoy.hashable_string",
  );
  if (!hashes) {
    const fault = "hash_policy does not hash the text that the filter sets, so steering has no effect";
    findings.push({ path: [...proxy.path, "typed_config"], fault, yaml: linesOf(HASH_POLICY) });
  }
  const used = clustersOf(proxy.members);
  for (const { path, members } of clusters) {
    const name = textOf(members["name"]);
    const policy = textOf(members["lb_policy"]) || "ROUND_ROBIN";
    if (!used.includes(name) || ["MAGLEV", "RING_HASH"].includes(policy) || members["load_balancing_policy"]) continue;
    const fault = `lb_policy ${policy} of cluster "${name}" does not hash, so steering by hash has no effect`;
    findings.push({ path, fault, yaml: ["lb_policy: MAGLEV"] });
  }
  return findings;
}
