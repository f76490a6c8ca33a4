/** `proxy_http_call`: a request to a cluster of the host's, by its name. To be used from a root context, as on its ticks; allocates. */
import { proxy_http_call } from "../abi";
import { encodePairs } from "../header_pairs";

/**
 * Sends headers, names and values by turns, and a body of `length` bytes at `body`, which may be none. Answers at once with a
 * `HostResult`; with OK the call is under way, and `callToken` is its number.
 */
export function callCluster(name: string, headers: string[], body: usize, length: i32, timeoutMilliseconds: u32): u32 {
  const cluster = String.UTF8.encode(name);
  const pairs = encodePairs(headers);
  return proxy_http_call(
    changetype<usize>(cluster),
    cluster.byteLength,
    changetype<usize>(pairs),
    pairs.length,
    body,
    length,
    0,
    0,
    timeoutMilliseconds,
    OUT_TOKEN,
  );
}

/** Of the call that is under way since last. */
export function callToken(): u32 {
  return load<u32>(OUT_TOKEN);
}

const OUT_TOKEN: usize = memory.data(4, 4);
