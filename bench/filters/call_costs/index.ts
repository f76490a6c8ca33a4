/**
 * A filter that measures the cost of the host's calls at the place where they are made: once for each connection, in the midst of all that
 * Envoy and the kernel do for it, with caches as cold as they are then. A loop would show a quarter of it.
 *
 * For each connection it makes one call of each kind and adds up the time by the host's clock (whole microseconds; sums of many are
 * exact all the same). A call that took LONGEST_NANOSECONDS or more was interrupted and is left out. On a tick it logs one line:
 * "call costs", then "count sum" in nanoseconds for each kind in the order of `Kind`, and starts again.
 */
import { ARGUMENT, ARGUMENT_LENGTH, FUNCTION, FUNCTION_LENGTH } from "../filter_state";

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

// @ts-ignore: decorator
@external("env", "proxy_get_metric")
declare function readMetric(metric: u32, value: usize): u32;

// @ts-ignore: decorator
@external("env", "proxy_call_foreign_function")
declare function foreignFunction(
  name: usize,
  nameLength: u32,
  argument: usize,
  argumentLength: u32,
  pointer: usize,
  size: usize,
): u32;

// @ts-ignore: decorator
@external("env", "proxy_log")
declare function log(level: i32, text: usize, length: u32): u32;

// @ts-ignore: decorator
@external("env", "proxy_set_tick_period_milliseconds")
declare function tickEvery(milliseconds: u32): u32;

/** In the order of the line that is logged; `bench/call_costs.ts` has their names. */
namespace Kind {
  export const NOTHING: i32 = 0;
  export const CLOCK: i32 = 1;
  export const CLIENT_BYTES: i32 = 2;
  export const SERVER_BYTES: i32 = 3;
  export const UPSTREAM_ADDRESS: i32 = 4;
  export const READ_SMALL: i32 = 5;
  export const READ_PAGE: i32 = 6;
  export const WRITE_PAGE: i32 = 7;
  export const INCREMENT: i32 = 8;
  export const READ_METRIC: i32 = 9;
  export const CHOOSE: i32 = 10;
  export const KINDS: i32 = 11;
}

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
  tickEvery(1000);
  return 1;
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  store<u8>(placeOf(context), 0);
}

export function proxy_on_new_connection(context: u32): i32 {
  return CONTINUE;
}

/** The first bytes of the client. */
export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  if (load<u8>(placeOf(context)) != 0 || length == 0) return CONTINUE;
  store<u8>(placeOf(context), 1);
  // The clock itself is cold the first time.
  currentTime(BEGIN);
  currentTime(VALUE);
  begin();
  end(Kind.NOTHING);
  begin();
  currentTime(VALUE);
  end(Kind.CLOCK);
  begin();
  bufferBytes(DOWNSTREAM, 0, length, POINTER, LENGTH);
  end(Kind.CLIENT_BYTES);
  begin();
  foreignFunction(FUNCTION, FUNCTION_LENGTH, ARGUMENT, ARGUMENT_LENGTH, POINTER, LENGTH);
  end(Kind.CHOOSE);
  return CONTINUE;
}

/** The first bytes of the server. */
export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  if (load<u8>(placeOf(context)) != 1 || length == 0) return CONTINUE;
  store<u8>(placeOf(context), 2);
  begin();
  bufferBytes(UPSTREAM, 0, length, POINTER, LENGTH);
  end(Kind.SERVER_BYTES);
  begin();
  property(PATH, PATH_LENGTH, POINTER, LENGTH);
  end(Kind.UPSTREAM_ADDRESS);
  begin();
  sharedData(SMALL_KEY, 4, POINTER, LENGTH, MARK);
  end(Kind.READ_SMALL);
  begin();
  sharedData(PAGE_KEY, 4, POINTER, LENGTH, MARK);
  end(Kind.READ_PAGE);
  begin();
  setSharedData(PAGE_KEY, 4, ROOM, PAGE_SIZE, load<u32>(MARK));
  end(Kind.WRITE_PAGE);
  begin();
  incrementMetric(metric, 1);
  end(Kind.INCREMENT);
  begin();
  readMetric(metric, VALUE);
  end(Kind.READ_METRIC);
  return CONTINUE;
}

export function proxy_on_downstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_upstream_connection_close(context: u32, closeType: i32): void {}

export function proxy_on_tick(rootContext: u32): void {
  if (load<u64>(COUNTS) == 0) return;
  let at = write(TEXT, PREFIX, PREFIX_LENGTH);
  for (let kind = 0; kind < Kind.KINDS; kind++) {
    at = writeNumber(at, load<u64>(COUNTS + ((<usize>kind) << 3)));
    at = writeNumber(at, load<u64>(SUMS + ((<usize>kind) << 3)));
  }
  memory.fill(COUNTS, 0, Kind.KINDS << 3);
  memory.fill(SUMS, 0, Kind.KINDS << 3);
  log(WARN, TEXT, <u32>(at - TEXT));
}

export function proxy_on_done(context: u32): i32 {
  return 1;
}

export function proxy_on_log(context: u32): void {}

export function proxy_on_delete(context: u32): void {}

function begin(): void {
  currentTime(BEGIN);
}

function end(kind: i32): void {
  currentTime(VALUE);
  const nanoseconds = load<u64>(VALUE) - load<u64>(BEGIN);
  if (nanoseconds >= LONGEST_NANOSECONDS) return;
  const place = (<usize>kind) << 3;
  store<u64>(COUNTS + place, load<u64>(COUNTS + place) + 1);
  store<u64>(SUMS + place, load<u64>(SUMS + place) + nanoseconds);
}

/** Contexts that are alive at the same time have places of their own, as long as there are not very many. */
function placeOf(context: u32): usize {
  return PHASES + <usize>(context & (PHASE_COUNT - 1));
}

function write(at: usize, text: usize, length: i32): usize {
  memory.copy(at, text, length);
  return at + <usize>length;
}

/** A space and a number in decimal. */
function writeNumber(at: usize, value: u64): usize {
  let digits = 1;
  for (let rest = value / 10; rest > 0; rest /= 10) digits++;
  store<u8>(at, 0x20);
  for (let i = digits; i > 0; i--) {
    store<u8>(at + i, <u8>(0x30 + (value % 10)));
    value /= 10;
  }
  return at + 1 + <usize>digits;
}

const CONTINUE: i32 = 0;
const DOWNSTREAM: i32 = 2;
const UPSTREAM: i32 = 3;
const WARN: i32 = 3;
const LONGEST_NANOSECONDS: u64 = 20_000;
const SMALL_SIZE: u32 = 112;
const PAGE_SIZE: u32 = 1023;
const ROOM_SIZE: usize = 16384;
const ROOM: usize = memory.data(16384, 8);
const TEXT: usize = memory.data(1024);
const PHASE_COUNT: u32 = 65536;
const PHASES: usize = memory.data(65536);
const COUNTS: usize = memory.data(128, 8);
const SUMS: usize = memory.data(128, 8);
const BEGIN: usize = memory.data(8, 8);
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
/** "call costs" */
const PREFIX: usize = memory.data<u8>([0x63, 0x61, 0x6c, 0x6c, 0x20, 0x63, 0x6f, 0x73, 0x74, 0x73]);
const PREFIX_LENGTH: i32 = 10;
let metric: u32 = 0;
