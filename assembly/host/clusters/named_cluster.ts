/**
 * Reports whether the host lacks a cluster. The ABI has no such call, but `proxy_http_call` shows it: for a cluster that
 * this worker does not know, it returns "bad argument" at once (Envoy, `Context::httpCall` in
 * source/extensions/common/wasm/context.cc). After any other result the cluster is there, or the call is forbidden.
 *
 * A cluster of the type ORIGINAL_DST has no host for a call that belongs to no connection. Envoy 1.40 then answers the call
 * by itself, with a warning in its log and a 503 among that cluster's statistics, and connects to no host. So ask rarely.
 * The answer to the call is not awaited. For root contexts, as on their ticks. Allocates.
 */
import { HostResult } from "../abi";
import { callCluster } from "./cluster_call";

export function lacksCluster(name: string): bool {
  // Without any of these three, the host returns "bad argument" for every cluster.
  const headers = [":method", "HEAD", ":path", "/", ":authority", name];
  return callCluster(name, headers, 0, 0, TIMEOUT_MILLISECONDS) == HostResult.BAD_ARGUMENT;
}

const TIMEOUT_MILLISECONDS: u32 = 1;
