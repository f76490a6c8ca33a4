/** `proxy_http_call`: a request to a cluster of the host, by its name. For root contexts, as on their ticks. Allocates. */
import { proxy_http_call } from "../abi";
import { encodePairs } from "../header_pairs";

/**
 * Sends headers, which are names and values in turn, and a body of `length` bytes. Returns a `HostResult` at once; after OK
 * the call is under way, and `callToken` returns its number.
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

/** Returns the number of the last call that is under way. */
export function callToken(): u32 {
  return load<u32>(OUT_TOKEN);
}

const OUT_TOKEN: usize = memory.data(4, 4);
