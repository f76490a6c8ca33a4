/** The request of the current stream, and its answer, for HTTP filters. */
import { BufferType, HeaderMapType, HostResult } from "./abi";
import { proxy_get_buffer_bytes, proxy_get_header_map_value, proxy_send_local_response } from "./abi";
import { encodePairs } from "./header_pairs";
import { LastingText } from "./lasting_text";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "./memory";

/** Returns a header of the current request, "" if it has none or it is longer than HEADER_CAPACITY bytes. */
export function requestHeader(name: string): string {
  const key = String.UTF8.encode(name);
  receiveInto(HEADER, HEADER_CAPACITY);
  const result = proxy_get_header_map_value(
    HeaderMapType.REQUEST_HEADERS,
    changetype<usize>(key),
    key.byteLength,
    OUT_POINTER,
    OUT_LENGTH,
  );
  return result == HostResult.OK ? String.UTF8.decodeUnsafe(HEADER, receivedLength()) : "";
}

/** Copies the `length` bytes of the request's body that the host has to `into`; false if the host does not give them all. */
export function requestBody(into: usize, length: i32): bool {
  receiveInto(into, length);
  const result = proxy_get_buffer_bytes(BufferType.HTTP_REQUEST_BODY, 0, length, OUT_POINTER, OUT_LENGTH);
  return result == HostResult.OK && receivedLength() == length;
}

/** Answers the current request. `headers` are names and values in turn. */
export function answer(status: i32, headers: string[], body: usize, bodyLength: i32): void {
  const pairs = encodePairs(headers);
  proxy_send_local_response(
    status,
    DETAILS.start,
    DETAILS.length,
    body,
    bodyLength,
    changetype<usize>(pairs),
    pairs.length,
    NO_GRPC_STATUS,
  );
}

const NO_GRPC_STATUS: u32 = 0xffffffff;
const DETAILS = new LastingText("tls_session_cache");
const HEADER_CAPACITY: i32 = 16384;
const HEADER: usize = memory.data(HEADER_CAPACITY, 8);
