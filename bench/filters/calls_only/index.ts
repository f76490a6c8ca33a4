/**
 * A filter that makes the calls of the host which this project's filter makes for a resumption of TLS 1.2 by ticket, observing, in
 * the same callbacks, and nothing else: no parsing, no hash, no table. What it costs more than the empty filter is the floor of
 * any filter in wasm that reads both hellos and the end of the handshake, asks who answered, and keeps a record in shared data.
 *
 * The list is that of `npm run bench -- --only calls`. Bytes of other handshakes are answered with "continue".
 */
// @ts-ignore: decorator
@external("env", "proxy_get_current_time_nanoseconds")
declare function currentTime(time: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_get_buffer_bytes")
declare function bufferBytes(type: i32, start: u32, length: u32, pointer: usize, size: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_get_property")
declare function property(path: usize, length: u32, pointer: usize, size: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_get_shared_data")
declare function sharedData(key: usize, length: u32, pointer: usize, size: usize, mark: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_set_shared_data")
declare function setSharedData(key: usize, length: u32, value: usize, size: usize, mark: u32): u32;

// @ts-ignore: decorator
@external("env", "proxy_define_metric")
declare function defineMetric(type: i32, name: usize, length: u32, metric: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_increment_metric")
declare function incrementMetric(metric: u32, by: i64): u32;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return size <= ROOM_SIZE ? ROOM : 0;
}

export function proxy_on_vm_start(rootContext: u32, configurationLength: i32): i32 {
  return 1;
}

export function proxy_on_configure(rootContext: u32, length: i32): i32 {
  setSharedData(SMALL_KEY, 4, ROOM, SMALL_SIZE, 0);
  setSharedData(PAGE_KEY, 4, ROOM, PAGE_SIZE, 0);
  defineMetric(0, SMALL_KEY, 4, VALUE);
  metric = load<u32>(VALUE);
  return 1;
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  store<u8>(placeOf(context), 0);
}

export function proxy_on_new_connection(context: u32): i32 {
  return CONTINUE;
}

/** The ClientHello, then the end of the handshake. */
export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  const phase = load<u8>(placeOf(context));
  if (length == 0 || (phase != 0 && phase != 2)) return CONTINUE;
  store<u8>(placeOf(context), phase + 1);
  if (phase == 0) bufferBytes(DOWNSTREAM, 0, length, POINTER, LENGTH);
  incrementMetric(metric, 1);
  if (phase == 0) return CONTINUE;
  sharedData(PAGE_KEY, 4, POINTER, LENGTH, MARK);
  currentTime(VALUE);
  setSharedData(PAGE_KEY, 4, ROOM, PAGE_SIZE, 0);
  incrementMetric(metric, 1);
  incrementMetric(metric, 1);
  return CONTINUE;
}

/** The server's answer. */
export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  if (load<u8>(placeOf(context)) != 1 || length == 0) return CONTINUE;
  store<u8>(placeOf(context), 2);
  bufferBytes(UPSTREAM, 0, length, POINTER, LENGTH);
  if (answers++ % ONE_IN == 0) property(PATH, PATH_LENGTH, POINTER, LENGTH);
  sharedData(SMALL_KEY, 4, POINTER, LENGTH, MARK);
  incrementMetric(metric, 1);
  incrementMetric(metric, 1);
  return CONTINUE;
}

export function proxy_on_downstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_upstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_done(context: u32): i32 {
  return 1;
}

export function proxy_on_log(context: u32): void {}

export function proxy_on_delete(context: u32): void {}

/** Contexts that are alive at the same time have places of their own, as long as there are not very many. */
function placeOf(context: u32): usize {
  return PHASES + <usize>(context & (PHASE_COUNT - 1));
}

const CONTINUE: i32 = 0;
const DOWNSTREAM: i32 = 2;
const UPSTREAM: i32 = 3;
const SMALL_SIZE: u32 = 112;
const PAGE_SIZE: u32 = 1023;
const ROOM_SIZE: usize = 16384;
const ROOM: usize = memory.data(16384, 8);
const PHASE_COUNT: u32 = 65536;
const PHASES: usize = memory.data(65536);
const VALUE: usize = memory.data(8, 8);
const POINTER: usize = memory.data(4, 4);
const LENGTH: usize = memory.data(4, 4);
const MARK: usize = memory.data(4, 4);
/** "cst1", "cst2" */
const SMALL_KEY: usize = memory.data<u8>([0x63, 0x73, 0x74, 0x31]);
const PAGE_KEY: usize = memory.data<u8>([0x63, 0x73, 0x74, 0x32]);
/** "upstream", zero, "address" */
const PATH: usize = memory.data<u8>([
  0x75, 0x70, 0x73, 0x74, 0x72, 0x65, 0x61, 0x6d, 0, 0x61, 0x64, 0x64, 0x72, 0x65, 0x73, 0x73,
]);
const PATH_LENGTH: u32 = 16;
/** How many resumptions are asked who has answered, where many come. */
const ONE_IN: u32 = 8;
let metric: u32 = 0;
let answers: u32 = 0;
