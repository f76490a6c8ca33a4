/** A fault of a set-up as one line for operators: where, what is wrong, and what would be right. */
import { Fault, SteeringState } from "./steering_state";

export function faultText(state: SteeringState): string {
  switch (state.fault) {
    case Fault.NoEarlyData:
      return (
        at(state) +
        "tcp_proxy does not read before it connects, so no ClientHello arrived while connections were held; " +
        EARLY_DATA
      );
    case Fault.ServerFirst:
      return at(state) + "the servers speak before their clients, so they do not speak TLS; " + SERVER_FIRST;
    case Fault.OtherCluster:
      return at(state) + 'connections go to the cluster "' + state.argument + '" instead; ' + OTHER_CLUSTER;
    case Fault.NoHash:
      return at(state) + "the text that the filter sets does not decide where a connection goes; " + HASH;
    case Fault.NoExactCluster:
      return at(state) + 'Envoy has no cluster "' + state.argument + '", which exact_cluster names; ' + EXACT_CLUSTER;
    default:
      return "";
  }
}

function at(state: SteeringState): string {
  return state.cluster.length > 0 ? 'cluster "' + state.cluster + '": ' : "";
}

const EARLY_DATA: string = "set max_early_data_bytes: 16384 on tcp_proxy";
const SERVER_FIRST: string = 'set "steering": "off" in the observer of that listener';
const OTHER_CLUSTER: string = "set the observer's cluster to the one that tcp_proxy of its listener names";
const HASH: string =
  "set hash_policy: [{filter_state: {key: envoy.hashable_string}}] on tcp_proxy " +
  "and lb_policy MAGLEV or RING_HASH on its cluster, " +
  'with Envoy 1.38 or later, or set "steering": "exact"';
const EXACT_CLUSTER: string = "add a cluster of that name, of the type ORIGINAL_DST with lb_policy CLUSTER_PROVIDED";
