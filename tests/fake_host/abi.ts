/**
 * Numbers of the proxy-wasm ABI 0.2.1 that the fake host and its tests name.
 * Source: the published proxy-wasm specification and the host functions that Envoy 1.40 offers.
 */
export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  InternalFailure: 10,
  Unimplemented: 12,
} as const;

export const Action = { Continue: 0, StopIteration: 1, StopIterationNoBuffer: 3 } as const;

export const BufferKind = {
  HttpRequestBody: 0,
  DownstreamData: 2,
  UpstreamData: 3,
  GrpcReceiveBuffer: 5,
  VmConfiguration: 6,
  PluginConfiguration: 7,
} as const;

export const HeaderMapKind = { HttpRequestHeaders: 0 } as const;

export const StreamKind = { HttpRequest: 0, HttpResponse: 1, Downstream: 2, Upstream: 3 } as const;

export const MetricKind = { Counter: 0, Gauge: 1, Histogram: 2 } as const;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "critical"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every function that Envoy 1.40 gives to a module of this ABI. A module that imports any other fails to load there. */
export const HOST_FUNCTIONS: Record<string, readonly string[]> = {
  env: [
    "log",
    "get_log_level",
    "get_status",
    "set_property",
    "get_property",
    "send_local_response",
    "get_shared_data",
    "set_shared_data",
    "register_shared_queue",
    "resolve_shared_queue",
    "dequeue_shared_queue",
    "enqueue_shared_queue",
    "get_header_map_value",
    "add_header_map_value",
    "replace_header_map_value",
    "remove_header_map_value",
    "get_header_map_pairs",
    "set_header_map_pairs",
    "get_header_map_size",
    "get_buffer_status",
    "get_buffer_bytes",
    "set_buffer_bytes",
    "http_call",
    "grpc_call",
    "grpc_stream",
    "grpc_close",
    "grpc_cancel",
    "grpc_send",
    "set_tick_period_milliseconds",
    "get_current_time_nanoseconds",
    "define_metric",
    "increment_metric",
    "record_metric",
    "get_metric",
    "set_effective_context",
    "done",
    "call_foreign_function",
    "continue_stream",
    "close_stream",
    "clear_route_cache",
  ].map((name) => `proxy_${name}`),
  wasi_snapshot_preview1: [
    "fd_write",
    "fd_read",
    "fd_seek",
    "fd_close",
    "fd_fdstat_get",
    "environ_get",
    "environ_sizes_get",
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "random_get",
    "proc_exit",
    "path_open",
    "fd_prestat_get",
    "fd_prestat_dir_name",
  ],
};
