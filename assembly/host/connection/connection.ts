/** The bytes of the current connection, and its end, for network filters. */
import { BufferType, HostResult, proxy_close_stream, proxy_continue_stream, StreamType } from "../abi";
import {
  proxy_get_buffer_bytes,
  proxy_get_shared_data,
  proxy_set_buffer_bytes,
  proxy_set_effective_context,
} from "../abi";
import { LastingText } from "../lasting_text";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "../memory";

/** Copies `length` bytes of a buffer, from `offset` on, to `into`; false if the host does not give them all. */
export function copyBytes(buffer: i32, offset: i32, length: i32, into: usize): bool {
  receiveInto(into, length);
  const result = proxy_get_buffer_bytes(buffer, offset, length, OUT_POINTER, OUT_LENGTH);
  return result == HostResult.OK && receivedLength() == length;
}

/** Replaces the first `length` bytes of a buffer by `size` others; false if the host refuses. */
export function replaceBytes(buffer: i32, length: i32, bytes: usize, size: i32): bool {
  return proxy_set_buffer_bytes(buffer, 0, length, bytes, size) == HostResult.OK;
}

/** Removes the first `length` bytes of a buffer; false if the host refuses. */
export function removeBytes(buffer: i32, length: i32): bool {
  return replaceBytes(buffer, length, 0, 0);
}

/** Inserts bytes in front of those of a buffer; false if the host refuses. */
export function prependBytes(buffer: i32, bytes: usize, size: i32): bool {
  return replaceBytes(buffer, 0, bytes, size);
}

/** Lets a stopped connection go on. */
export function continueConnection(): void {
  proxy_continue_stream(StreamType.DOWNSTREAM);
}

/** Closes the connection once the bytes on their way to the client were sent; false if the host refuses. */
export function closeConnection(): bool {
  return proxy_close_stream(StreamType.DOWNSTREAM) == HostResult.OK;
}

/**
 * Returns the name of a host call that refusing needs and the configuration forbids, "" if all are allowed. For start-up: it
 * changes no bytes, closes no connection, and reads a key that nobody writes.
 */
export function missingCapability(): string {
  if (isDenied(proxy_set_buffer_bytes(BufferType.UPSTREAM_DATA, 0, 0, 0, 0))) return "proxy_set_buffer_bytes";
  if (isDenied(proxy_close_stream(StreamType.DOWNSTREAM))) return "proxy_close_stream";
  if (isDenied(proxy_set_effective_context(NO_CONTEXT))) return "proxy_set_effective_context";
  receiveInto(0, 0);
  const read = proxy_get_shared_data(UNUSED_KEY.start, UNUSED_KEY.length, OUT_POINTER, OUT_LENGTH, MARK);
  return isDenied(read) ? "proxy_get_shared_data" : "";
}

/**
 * The same for host calls that holding connections needs until a tick lets them go on. For start-up: a root has no connection to
 * continue.
 */
export function missingForHolding(): string {
  if (isDenied(proxy_set_effective_context(NO_CONTEXT))) return "proxy_set_effective_context";
  return isDenied(proxy_continue_stream(StreamType.DOWNSTREAM)) ? "proxy_continue_stream" : "";
}

function isDenied(result: i32): bool {
  return result == HostResult.INTERNAL_FAILURE;
}

/** The number of no context: the host then keeps to the current one. */
const NO_CONTEXT: u32 = 0;
const UNUSED_KEY = new LastingText("tls_session_cache/none");
const MARK: usize = memory.data(4, 4);
