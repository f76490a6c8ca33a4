/**
 * GrpcCalls of the host. For root contexts, as on their ticks.
 *
 * Envoy begins no call to a cluster that it does not know, or that has no host: it returns an error, and closes a token that
 * it never gave (Envoy, `Context::grpcCall` in source/extensions/common/wasm/context.cc). A stream that the server has ended
 * keeps an entry there with an address of the stream, which is gone soon; `proxy_grpc_cancel` within the callback removes it.
 */
import { ProtobufWriter } from "../../bytes/protobuf_writer";
import {
  BufferType,
  HostResult,
  proxy_get_buffer_bytes,
  proxy_get_status,
  proxy_grpc_call,
  proxy_grpc_cancel,
  proxy_grpc_send,
  proxy_grpc_stream,
} from "../abi";
import { LastingText } from "../lasting_text";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto, receiveOverflowed } from "../memory";
import { GrpcCalls } from "./grpc_calls";

export class HostGrpc extends GrpcCalls {
  /** `GrpcService { envoy_grpc: { cluster_name } }` */
  private readonly target: ProtobufWriter;
  private readonly text: usize = heap.alloc(TEXT_CAPACITY);

  constructor(cluster: string) {
    super();
    const name = new LastingText(cluster);
    const capacity = name.length + MAX_TARGET_OVERHEAD;
    const target = new ProtobufWriter(heap.alloc(capacity), capacity);
    const mark = target.begin(ENVOY_GRPC_FIELD);
    target.bytes(CLUSTER_NAME_FIELD, name.start, name.length);
    target.end(mark);
    this.target = target;
  }

  call(service: LastingText, method: LastingText, message: usize, length: i32, timeoutMilliseconds: u32): u32 {
    const result = proxy_grpc_call(
      this.target.start,
      this.target.length,
      service.start,
      service.length,
      method.start,
      method.length,
      0,
      0,
      message,
      length,
      timeoutMilliseconds,
      OUT_TOKEN,
    );
    return result == HostResult.OK ? load<u32>(OUT_TOKEN) : 0;
  }

  open(service: LastingText, method: LastingText): u32 {
    const result = proxy_grpc_stream(
      this.target.start,
      this.target.length,
      service.start,
      service.length,
      method.start,
      method.length,
      0,
      0,
      OUT_TOKEN,
    );
    return result == HostResult.OK ? load<u32>(OUT_TOKEN) : 0;
  }

  send(token: u32, message: usize, length: i32): bool {
    return proxy_grpc_send(token, message, length, 0) == HostResult.OK;
  }

  cancel(token: u32): void {
    proxy_grpc_cancel(token);
  }

  receive(buffer: usize, length: i32): bool {
    receiveInto(buffer, length);
    const result = proxy_get_buffer_bytes(BufferType.GRPC_RECEIVE_BUFFER, 0, length, OUT_POINTER, OUT_LENGTH);
    return result == HostResult.OK && !receiveOverflowed() && receivedLength() == length;
  }

  closedText(): string {
    receiveInto(this.text, TEXT_CAPACITY);
    store<i32>(OUT_LENGTH, 0);
    if (proxy_get_status(OUT_TOKEN, OUT_POINTER, OUT_LENGTH) != HostResult.OK || receiveOverflowed()) return "";
    const text = String.UTF8.decodeUnsafe(this.text, receivedLength());
    return text.endsWith(FROM_SERVER) ? text.substring(0, text.length - FROM_SERVER.length) : text;
  }

  free(): void {
    heap.free(this.target.start);
    heap.free(this.text);
  }
}

const ENVOY_GRPC_FIELD: u32 = 1;
const CLUSTER_NAME_FIELD: u32 = 1;
/** Two tags, and two lengths of at most three bytes. */
const MAX_TARGET_OVERHEAD: i32 = 8;
const TEXT_CAPACITY: i32 = 1024;
/** Envoy adds who ended the stream (`enhancedGrpcMessage` in source/common/grpc/async_client_impl.cc). */
const FROM_SERVER: string = "{via_upstream}";
const OUT_TOKEN: usize = memory.data(4, 4);
