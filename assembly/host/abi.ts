/**
 * All host functions that this module imports: of proxy-wasm ABI 0.2.1, and of WASI.
 *
 * Most declarations are the raw ones of @solo-io/proxy-runtime. Its class layer is not used, because it walks all live
 * contexts for each new one, hides the compare-and-set of shared data, traps on "not found" and has no network filters.
 * Declared here: those that are missing or wrong there, `proxy_set_buffer_bytes`, `proxy_get_log_level`, `proxy_grpc_call` and
 * `proxy_grpc_stream` (ABI 0.2 added the initial metadata), and the four of WASI.
 */
export {
  proxy_call_foreign_function,
  proxy_close_stream,
  proxy_continue_stream,
  proxy_define_metric,
  proxy_get_buffer_bytes,
  proxy_get_current_time_nanoseconds,
  proxy_get_header_map_value,
  proxy_get_metric,
  proxy_get_property,
  proxy_get_shared_data,
  proxy_get_status,
  proxy_grpc_cancel,
  proxy_grpc_send,
  proxy_http_call,
  proxy_increment_metric,
  proxy_log,
  proxy_record_metric,
  proxy_send_local_response,
  proxy_set_effective_context,
  proxy_set_property,
  proxy_set_shared_data,
  proxy_set_tick_period_milliseconds,
} from "@solo-io/proxy-runtime/assembly/imports";

// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(type: i32, start: u32, length: u32, data: usize, size: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_get_log_level")
export declare function proxy_get_log_level(level: usize): u32;

/** Service: a serialized `envoy.config.core.v3.GrpcService`. Metadata: pairs as in `header_pairs.ts`; none if it is empty. */
// @ts-ignore: decorator
@external("env", "proxy_grpc_call")
export declare function proxy_grpc_call(
  service: usize,
  serviceLength: i32,
  serviceName: usize,
  serviceNameLength: i32,
  methodName: usize,
  methodNameLength: i32,
  initialMetadata: usize,
  initialMetadataLength: i32,
  message: usize,
  messageLength: i32,
  timeoutMilliseconds: u32,
  token: usize,
): u32;

// @ts-ignore: decorator
@external("env", "proxy_grpc_stream")
export declare function proxy_grpc_stream(
  service: usize,
  serviceLength: i32,
  serviceName: usize,
  serviceNameLength: i32,
  methodName: usize,
  methodNameLength: i32,
  initialMetadata: usize,
  initialMetadataLength: i32,
  token: usize,
): u32;

/** WASI: fills `length` bytes with random ones; 0 is success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(start: usize, length: usize): u32;

/** WASI: writes the time in nanoseconds to `time`; 0 is success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: u32, precision: u64, time: usize): u32;

/** WASI: writes the number of environment variables, and the size of all their texts; 0 is success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(count: usize, size: usize): u32;

/**
 * WASI: writes the address of each variable to `pointers`, and "NAME=value" with a zero byte behind each to `bytes`; 0 is
 * success.
 */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(pointers: usize, bytes: usize): u32;

/** Results of host calls. */
export namespace HostResult {
  export const OK: u32 = 0;
  export const NOT_FOUND: u32 = 1;
  export const BAD_ARGUMENT: u32 = 2;
  export const CAS_MISMATCH: u32 = 8;
  /** The configuration forbids the call (`capability_restriction_config`). */
  export const INTERNAL_FAILURE: u32 = 10;
}

/** Returned by a callback: what the host does next with the data or the stream. */
export namespace Action {
  export const CONTINUE: i32 = 0;
  export const STOP_ITERATION: i32 = 1;
  /** For a request's body: the host drops the piece that it has shown (Envoy's FilterDataStatus). */
  export const STOP_ITERATION_NO_BUFFER: i32 = 3;
}

export namespace BufferType {
  export const HTTP_REQUEST_BODY: i32 = 0;
  export const DOWNSTREAM_DATA: i32 = 2;
  export const UPSTREAM_DATA: i32 = 3;
  export const GRPC_RECEIVE_BUFFER: i32 = 5;
  export const PLUGIN_CONFIGURATION: i32 = 7;
}

export namespace StreamType {
  export const DOWNSTREAM: i32 = 2;
}

export namespace HeaderMapType {
  export const REQUEST_HEADERS: i32 = 0;
  export const HTTP_CALL_RESPONSE_HEADERS: i32 = 6;
}

export namespace MetricType {
  export const COUNTER: i32 = 0;
  export const GAUGE: i32 = 1;
}
