/**
 * The proxy-wasm ABI 0.2.1 as it is used here: the one place that says where its declarations come from.
 *
 * The raw declarations of @solo-io/proxy-runtime are used; its class layer is bypassed, because it walks all live
 * contexts for each new one, hides the compare-and-set of shared data, traps on "not found" and knows no network
 * filters. Two declarations are missing or wrong there and are made here: `proxy_set_buffer_bytes` and
 * `proxy_get_log_level`.
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

/** WASI, not proxy-wasm; 0 is success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(start: usize, length: usize): u32;

/** WASI; the time in nanoseconds goes to `time`; 0 is success. */
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: u32, precision: u64, time: usize): u32;

/** Results of host calls. */
export namespace HostResult {
  export const OK: u32 = 0;
  export const NOT_FOUND: u32 = 1;
  export const BAD_ARGUMENT: u32 = 2;
  export const CAS_MISMATCH: u32 = 8;
  /** What the host answers to a call that the configuration does not allow (`capability_restriction_config`). */
  export const INTERNAL_FAILURE: u32 = 10;
}

/** What a callback tells the host to do with the data or the stream. */
export namespace Action {
  export const CONTINUE: i32 = 0;
  export const STOP_ITERATION: i32 = 1;
  /** For the body of a request: the host forgets the piece that the module was shown (FilterDataStatus of Envoy). */
  export const STOP_ITERATION_NO_BUFFER: i32 = 3;
}

export namespace BufferType {
  export const HTTP_REQUEST_BODY: i32 = 0;
  export const DOWNSTREAM_DATA: i32 = 2;
  export const UPSTREAM_DATA: i32 = 3;
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
