/**
 * A wasm filter that does nothing: the callbacks that the real module exports, each answering "continue" at once. What it costs
 * is what Envoy charges for any filter in wasm; what the real one costs more is the filter's own.
 *
 * It calls nothing of the host and allocates nothing. The benchmark refuses to run where its exports and the module's differ.
 */
export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return 0;
}

export function proxy_on_vm_start(rootContext: u32, configurationLength: i32): i32 {
  return 1;
}

export function proxy_on_configure(rootContext: u32, length: i32): i32 {
  return 1;
}

export function proxy_on_context_create(context: u32, parent: u32): void {}

export function proxy_on_tick(rootContext: u32): void {}

export function proxy_on_grpc_receive(context: u32, call: u32, size: i32): void {}

export function proxy_on_grpc_close(context: u32, call: u32, status: i32): void {}

export function proxy_on_http_call_response(
  rootContext: u32,
  token: u32,
  headers: i32,
  bodyLength: i32,
  trailers: i32,
): void {}

export function proxy_on_new_connection(context: u32): i32 {
  return CONTINUE;
}

export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return CONTINUE;
}

export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  return CONTINUE;
}

export function proxy_on_downstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_upstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_request_headers(context: u32, headers: i32, endOfStream: i32): i32 {
  return CONTINUE;
}

export function proxy_on_request_body(context: u32, length: i32, endOfStream: i32): i32 {
  return CONTINUE;
}

export function proxy_on_request_trailers(context: u32, trailers: i32): i32 {
  return CONTINUE;
}

export function proxy_on_done(context: u32): i32 {
  return 1;
}

export function proxy_on_log(context: u32): void {}

export function proxy_on_delete(context: u32): void {}

const CONTINUE: i32 = 0;
