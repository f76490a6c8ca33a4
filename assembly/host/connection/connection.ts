/** Changing what goes over a connection, for network filters. */
import { lastingBytes, OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "../memory";
import { HostResult, proxy_call_foreign_function, proxy_close_stream, proxy_continue_stream } from "../abi";
import { BufferType, proxy_get_buffer_bytes, proxy_set_buffer_bytes, StreamType } from "../abi";
import { proxy_get_shared_data, proxy_set_effective_context } from "../abi";

/** Copies `length` bytes of a buffer, from `offset` on, to `into`; false where that does not succeed. */
export function copyBytes(buffer: i32, offset: i32, length: i32, into: usize): bool {
  receiveInto(into, length);
  const result = proxy_get_buffer_bytes(buffer, offset, length, OUT_POINTER, OUT_LENGTH);
  return result == HostResult.OK && receivedLength() == length;
}

/** Puts bytes in the place of the first `length` bytes of a buffer; false where the host does not do it. */
export function replaceBytes(buffer: i32, length: i32, bytes: usize, size: i32): bool {
  return proxy_set_buffer_bytes(buffer, 0, length, bytes, size) == HostResult.OK;
}

/** Puts bytes before those of a buffer; false where the host does not do it. */
export function prependBytes(buffer: i32, bytes: usize, size: i32): bool {
  return replaceBytes(buffer, 0, bytes, size);
}

/** Lets a connection go on that was stopped before its first byte or at one. */
export function continueConnection(): void {
  proxy_continue_stream(StreamType.DOWNSTREAM);
}

/**
 * A filter state of Envoy's that says where a connection is to go. What the filter behind this one reads of it, it reads
 * when the connection goes on. Lives as long as the virtual machine.
 */
export class FilterState {
  private readonly key: usize;
  private readonly keyLength: i32;

  /** `key`: at most 63 characters. */
  constructor(key: string) {
    this.key = lastingBytes(key);
    this.keyLength = key.length;
  }

  /** Sets it for the connection of the context at hand, to at most 127 bytes. False where the host does not know the key. */
  set(value: usize, length: i32): bool {
    // The argument is a protobuf message: 1 key, 2 value, 3 span (2 = the downstream connection).
    let at = put(ARGUMENT, 0x0a, this.key, this.keyLength);
    at = put(at, 0x12, value, length);
    store<u16>(at, 0x0218);
    const size = at + 2 - ARGUMENT;
    receiveInto(0, 0);
    return (
      proxy_call_foreign_function(FUNCTION, FUNCTION_LENGTH, ARGUMENT, <i32>size, OUT_POINTER, OUT_LENGTH) ==
      HostResult.OK
    );
  }
}

/** Writes a field of a protobuf message whose length is below 128; answers where the next one goes. */
function put(at: usize, tag: u8, bytes: usize, length: i32): usize {
  store<u8>(at, tag);
  store<u8>(at, <u8>length, 1);
  memory.copy(at + 2, bytes, length);
  return at + 2 + <usize>length;
}

/**
 * Closes the connection of the context at hand, after what is on its way to the client was sent. False where the host does
 * not do it.
 */
export function closeConnection(): bool {
  return proxy_close_stream(StreamType.DOWNSTREAM) == HostResult.OK;
}

/**
 * Name of a call that refusing needs and that the configuration does not allow, empty where all are allowed. For start-up: the host
 * is asked to change and close nothing, and for a key that nobody writes.
 */
export function missingCapability(): string {
  if (isDenied(proxy_set_buffer_bytes(BufferType.UPSTREAM_DATA, 0, 0, 0, 0))) return "proxy_set_buffer_bytes";
  if (isDenied(proxy_close_stream(StreamType.DOWNSTREAM))) return "proxy_close_stream";
  if (isDenied(proxy_set_effective_context(NO_CONTEXT))) return "proxy_set_effective_context";
  receiveInto(0, 0);
  const read = proxy_get_shared_data(NO_KEY, NO_KEY_LENGTH, OUT_POINTER, OUT_LENGTH, MARK);
  return isDenied(read) ? "proxy_get_shared_data" : "";
}

function isDenied(result: i32): bool {
  return result == HostResult.INTERNAL_FAILURE;
}

const FUNCTION: usize = lastingBytes("set_envoy_filter_state");
const FUNCTION_LENGTH: i32 = 22;
const ARGUMENT: usize = memory.data(256);
/** No stream's: the host then keeps to the context at hand. */
const NO_CONTEXT: u32 = 0;
const NO_KEY: usize = lastingBytes("tls_session_cache/none");
const NO_KEY_LENGTH: i32 = 22;
const MARK: usize = memory.data(4, 4);
