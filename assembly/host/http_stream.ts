/** Reading a request and answering it, for HTTP filters. */
import { BufferType, HeaderMapType, HostResult } from "./abi";
import { proxy_get_buffer_bytes, proxy_get_header_map_value, proxy_send_local_response } from "./abi";
import { proxy_set_effective_context, proxy_set_tick_period_milliseconds } from "./abi";
import { encodePairs } from "./header_pairs";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "./memory";

/** A header of the request at hand, "" where there is none or where it is longer than MAX_HEADER_BYTES. */
export function requestHeader(name: string): string {
  const key = String.UTF8.encode(name);
  receiveInto(INBOX, MAX_HEADER_BYTES);
  const result = proxy_get_header_map_value(
    HeaderMapType.REQUEST_HEADERS,
    changetype<usize>(key),
    key.byteLength,
    OUT_POINTER,
    OUT_LENGTH,
  );
  return result == HostResult.OK ? String.UTF8.decodeUnsafe(INBOX, receivedLength()) : "";
}

/** Copies the `length` bytes of the request's body that the host has to `into`; false where that does not succeed. */
export function requestBody(into: usize, length: i32): bool {
  receiveInto(into, length);
  const result = proxy_get_buffer_bytes(BufferType.HTTP_REQUEST_BODY, 0, length, OUT_POINTER, OUT_LENGTH);
  return result == HostResult.OK && receivedLength() == length;
}

/** Answers the stream at hand. `headers` are names and values in turn. */
export function answer(status: i32, headers: string[], body: usize, bodyLength: i32): void {
  const pairs = encodePairs(headers);
  proxy_send_local_response(
    status,
    changetype<usize>(DETAILS),
    DETAILS.byteLength,
    body,
    bodyLength,
    changetype<usize>(pairs),
    pairs.length,
    NO_GRPC_STATUS,
  );
}

/** Makes a stream, or a root for its ticks, the one that host calls are about. False where the host does not do it. */
export function enter(context: u32): bool {
  return proxy_set_effective_context(context) == HostResult.OK;
}

export function tickEvery(milliseconds: u32): void {
  proxy_set_tick_period_milliseconds(milliseconds);
}

const NO_GRPC_STATUS: u32 = 0xffffffff;
const DETAILS: ArrayBuffer = String.UTF8.encode("tls_session_cache");
const MAX_HEADER_BYTES: i32 = 16384;
const INBOX: usize = memory.data(16384, 8);
