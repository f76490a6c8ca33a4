/**
 * Whether the host lacks a cluster of some name. The ABI has no such question, but `proxy_http_call` answers it: to a name that this
 * worker of the host does not know it says "bad argument" at once (Envoy, `Context::httpCall` in
 * source/extensions/common/wasm/context.cc). Whatever else it says, the cluster is there, or the call is not allowed.
 *
 * A cluster of the type ORIGINAL_DST has no host for a call that belongs to no connection: Envoy 1.40 answers the call by itself, with
 * a warning in its log and a 503 among that cluster's statistics, and connects to nobody. So ask rarely. What becomes of the call is
 * nobody's business. To be used from a root context, as on its ticks; allocates.
 */
import { HostResult, proxy_http_call } from "./abi";
import { encodePairs } from "./header_pairs";

export function lacksCluster(name: string): bool {
  const cluster = String.UTF8.encode(name);
  // Without one of these three, the host would say "bad argument" whatever the cluster.
  const headers = encodePairs([":method", "HEAD", ":path", "/", ":authority", name]);
  const result = proxy_http_call(
    changetype<usize>(cluster),
    cluster.byteLength,
    changetype<usize>(headers),
    headers.length,
    0,
    0,
    0,
    0,
    TIMEOUT_MILLISECONDS,
    OUT_TOKEN,
  );
  return result == HostResult.BAD_ARGUMENT;
}

const TIMEOUT_MILLISECONDS: u32 = 1;
const OUT_TOKEN: usize = memory.data(4, 4);
