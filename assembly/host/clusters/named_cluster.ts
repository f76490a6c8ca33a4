/**
 * Whether the host lacks a cluster of some name. The ABI has no such question, but `proxy_http_call` answers it: to a name that this
 * worker of the host does not know it says "bad argument" at once (Envoy, `Context::httpCall` in
 * source/extensions/common/wasm/context.cc). Whatever else it says, the cluster is there, or the call is not allowed.
 *
 * A cluster of the type ORIGINAL_DST has no host for a call that belongs to no connection: Envoy 1.40 answers the call by itself, with
 * a warning in its log and a 503 among that cluster's statistics, and connects to nobody. So ask rarely. What becomes of the call is
 * nobody's business. To be used from a root context, as on its ticks; allocates.
 */
import { HostResult } from "../abi";
import { callCluster } from "./cluster_call";

export function lacksCluster(name: string): bool {
  // Without one of these three, the host would say "bad argument" whatever the cluster.
  const headers = [":method", "HEAD", ":path", "/", ":authority", name];
  return callCluster(name, headers, 0, 0, TIMEOUT_MILLISECONDS) == HostResult.BAD_ARGUMENT;
}

const TIMEOUT_MILLISECONDS: u32 = 1;
