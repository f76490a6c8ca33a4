/** The place of each filter among others, and the fields of Envoy's that it relies on there. */
import { type Finding, listOf, membersOf, textOf } from "../finding.ts";
import { SESSION_ID_FILTER } from "../pieces.ts";
import { linesOf } from "../repair.ts";
import { type Plugin, type Survey, isTcpProxy, typeOf } from "../survey.ts";

export function chainFindings(seen: Survey): Finding[] {
  return [...seen.plugins.flatMap(pluginFindings), ...portFindings(seen)];
}

function pluginFindings(plugin: Plugin): Finding[] {
  return [
    ...failureFindings(plugin),
    ...(plugin.rootId === "observer" ? observerFindings(plugin) : []),
    ...(plugin.rootId === "guard" ? guardFindings(plugin) : []),
    ...(plugin.rootId === "admin" ? adminFindings(plugin) : []),
  ];
}

function failureFindings({ config, path }: Plugin): Finding[] {
  const policy = textOf(config["failure_policy"]);
  if (policy === "FAIL_RELOAD") return [];
  const effect =
    policy === "FAIL_OPEN" || config["fail_open"] === true
      ? "after a fault of the module, connections pass unwatched, for good"
      : "after a fault of the module, no connection passes any more";
  return [
    { path, fault: `failure_policy is ${policy || "not set"}: ${effect}`, yaml: ["failure_policy: FAIL_RELOAD"] },
  ];
}

function observerFindings({ chain, path, index, siblings }: Plugin): Finding[] {
  if (chain === null) return [];
  const findings: Finding[] = [];
  const proxy = siblings.findIndex(({ members }) => isTcpProxy(members));
  if (proxy >= 0 && proxy < index) {
    const order = siblings.map(({ members }) => `- name: ${textOf(members["name"])}`);
    const [observer = ""] = order.splice(index, 1);
    order.splice(proxy, 0, observer);
    const fault = "the observer stands behind tcp_proxy, which must be the last filter";
    findings.push({ path, fault, yaml: ["filters: # in this order, each with its fields", ...order] });
  }
  if (chain.isTerminating) {
    const fault = "TLS is terminated in front of the observer, which sees no handshake then";
    const yaml = [
      "# no transport_socket in this filter chain; or the guard instead of the observer:",
      "root_id: guard",
    ];
    findings.push({ path: chain.path, fault, yaml });
  }
  return findings;
}

function guardFindings({ chain, path, index, siblings }: Plugin): Finding[] {
  const findings: Finding[] = [];
  const setsId = siblings
    .slice(0, index)
    .some(
      ({ members }) =>
        typeOf(members).endsWith("set_filter_state.v3.Config") &&
        listOf(membersOf(members["typed_config"])["on_request_headers"]).some(
          (rule) => membersOf(rule)["object_key"] === "tls_sid",
        ),
    );
  if (siblings.length > 0 && !setsId) {
    const fault = "no filter in front of the guard sets tls_sid, the session's ID, so the guard does nothing";
    findings.push({ path, fault, yaml: ["# in front of the guard", ...linesOf([SESSION_ID_FILTER])] });
  }
  const socket = membersOf(membersOf(membersOf(chainMembers(chain))["transport_socket"])["typed_config"]);
  if (chain?.isTerminating === true && socket["disable_stateless_session_resumption"] !== true) {
    const fault = "tickets are on: a session that resumes by a ticket shows an ID of its client's making";
    const place = [...chain.path, "transport_socket", "typed_config"];
    findings.push({ path: place, fault, yaml: ["disable_stateless_session_resumption: true"] });
  }
  return findings;
}

function chainMembers(chain: Plugin["chain"]): unknown {
  const index = chain?.path.at(-1);
  if (chain === null || chain === undefined) return {};
  const { members } = chain.listener;
  return typeof index === "number" ? listOf(members["filter_chains"])[index] : members["default_filter_chain"];
}

function adminFindings({ config, path }: Plugin): Finding[] {
  if (config["allow_on_headers_stop_iteration"] === true) return [];
  const fault = "allow_on_headers_stop_iteration is not set: a call with a body is answered 408";
  return [{ path, fault, yaml: ["allow_on_headers_stop_iteration: true"] }];
}

function portFindings({ listeners }: Survey): Finding[] {
  const taken = new Map<string, string>();
  return listeners.flatMap(({ path, members }) => {
    const { address, port_value: port } = membersOf(membersOf(members["address"])["socket_address"]);
    const name = textOf(members["name"]);
    if (typeof port !== "number" || port === 0) return [];
    const place = `${textOf(address)}:${String(port)}`;
    const other = taken.get(place);
    taken.set(place, name);
    if (other === undefined || other === name) return [];
    const fault = `listener "${name}" has the address of "${other}", ${place}`;
    const yaml = linesOf({ address: { socket_address: { address, port_value: port + 1 } } });
    return [{ path, fault, yaml }];
  });
}
