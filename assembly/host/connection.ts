/** Changing what goes over a connection, for network filters. */
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "./memory";
import { HostResult, proxy_close_stream, proxy_get_buffer_bytes, proxy_set_buffer_bytes, StreamType } from "./abi";

/** Copies `length` bytes of a buffer, from `offset` on, to `into`; false where that does not succeed. */
export function copyBytes(buffer: i32, offset: i32, length: i32, into: usize): bool {
  receiveInto(into, length);
  const result = proxy_get_buffer_bytes(buffer, offset, length, OUT_POINTER, OUT_LENGTH);
  return result == HostResult.OK && receivedLength() == length;
}

/** Puts bytes in the place of the first `length` bytes of a buffer. */
export function replaceBytes(buffer: i32, length: i32, bytes: usize, size: i32): void {
  proxy_set_buffer_bytes(buffer, 0, length, bytes, size);
}

/** Puts bytes before those of a buffer. */
export function prependBytes(buffer: i32, bytes: usize, size: i32): void {
  proxy_set_buffer_bytes(buffer, 0, 0, bytes, size);
}

/**
 * Takes the bytes of a buffer from `offset` on away. The host can only replace a beginning, so what is kept is put in
 * the place of all.
 */
export function truncateBytes(buffer: i32, offset: i32, length: i32): void {
  if (offset == 0) return replaceBytes(buffer, length, 0, 0);
  const kept = heap.alloc(offset);
  if (copyBytes(buffer, 0, offset, kept)) replaceBytes(buffer, length, kept, offset);
  heap.free(kept);
}

/** Closes the connection of the context at hand, after what is on its way to the client was sent. */
export function closeConnection(): void {
  proxy_close_stream(StreamType.DOWNSTREAM);
}
