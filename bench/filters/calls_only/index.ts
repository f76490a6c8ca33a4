/**
 * A filter that makes the calls of the host which this project's filter makes for a handshake of TLS 1.2 by ticket in a rush,
 * in the same callbacks, and nothing else: no parsing, no hash, no table. The floor of any filter in wasm that reads both
 * hellos and the client's records behind them, and keeps a record of each new session in shared data.
 *
 * The plugin's configuration is "observing", or "steering" for the calls of steering and refusing. The list is that of
 * `npm run bench -- --only calls`. A handshake is full if the server's answer is long. Other bytes get "continue".
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
@external("env", "proxy_call_foreign_function")
declare function callForeign(
  name: usize,
  nameLength: u32,
  request: usize,
  length: u32,
  pointer: usize,
  size: usize,
): u32;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  return size <= ROOM_SIZE ? ROOM : 0;
}

export function proxy_on_vm_start(rootContext: u32, configurationLength: i32): i32 {
  return 1;
}

export function proxy_on_configure(rootContext: u32, length: i32): i32 {
  setSharedData(MARK_KEY, 4, ROOM, 0, 0);
  setSharedData(PAGE_KEY, 4, ROOM, PAGE_SIZE, 0);
  bufferBytes(CONFIGURATION, 0, length, POINTER, LENGTH);
  steers = length > 0 && load<u8>(ROOM) == FIRST_OF_STEERING;
  return 1;
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  store<u8>(placeOf(context), 0);
}

/** To steer, a connection is held until its ClientHello is in. */
export function proxy_on_new_connection(context: u32): i32 {
  return steers ? STOP_ITERATION : CONTINUE;
}

/** The ClientHello, the end of the client's side, and the header of its first record behind that. */
export function proxy_on_downstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  const place = placeOf(context);
  const phase = load<u8>(place);
  if (length == 0) return CONTINUE;
  if (phase == Phase.NEW) {
    bufferBytes(DOWNSTREAM, 0, length, POINTER, LENGTH);
    currentTime(VALUE);
    if (steers) choose();
    store<u8>(place, Phase.HELLO);
  } else if (phase == Phase.RESUMED || phase == Phase.FULL) {
    bufferBytes(DOWNSTREAM, 0, length, POINTER, LENGTH);
    store<u8>(place, phase == Phase.FULL ? Phase.CLIENT_DONE : Phase.DONE);
  } else if (phase == Phase.DONE) {
    bufferBytes(DOWNSTREAM, 0, 5, POINTER, LENGTH);
    store<u8>(place, Phase.FOLLOWED);
  }
  return CONTINUE;
}

/** The server's answer, and of a full handshake its ticket and Finished. */
export function proxy_on_upstream_data(context: u32, length: i32, endOfStream: i32): i32 {
  const place = placeOf(context);
  const phase = load<u8>(place);
  if (length == 0) return CONTINUE;
  if (phase == Phase.HELLO) {
    bufferBytes(UPSTREAM, 0, length, POINTER, LENGTH);
    sharedData(MARK_KEY, 4, POINTER, LENGTH, MARK);
    const isFull = length > MAX_ABBREVIATED;
    if (steers && !isFull) sharedData(PAGE_KEY, 4, POINTER, LENGTH, MARK);
    if (isFull || answers++ % ONE_IN == 0) property(PATH, PATH_LENGTH, POINTER, LENGTH);
    store<u8>(place, isFull ? Phase.FULL : Phase.RESUMED);
  } else if (phase == Phase.CLIENT_DONE) {
    bufferBytes(UPSTREAM, 0, length, POINTER, LENGTH);
    sharedData(MARK_KEY, 4, POINTER, LENGTH, MARK);
    sharedData(PAGE_KEY, 4, POINTER, LENGTH, MARK);
    setSharedData(EVENTS_KEY, 4, ROOM, PAGE_SIZE, 0);
    setSharedData(PAGE_KEY, 4, ROOM, PAGE_SIZE, 0);
    setSharedData(EVENTS_KEY, 4, ROOM, PAGE_SIZE, 0);
    currentTime(VALUE);
    store<u8>(place, Phase.DONE);
  }
  return CONTINUE;
}

/** Looks a session up, and sets the text by which Envoy's hash chooses. */
function choose(): void {
  sharedData(PAGE_KEY, 4, POINTER, LENGTH, MARK);
  callForeign(FUNCTION, FUNCTION_LENGTH, ARGUMENT, ARGUMENT_LENGTH, POINTER, LENGTH);
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

/** How far a handshake is: the last message that was seen. */
namespace Phase {
  export const NEW: u8 = 0;
  export const HELLO: u8 = 1;
  export const RESUMED: u8 = 2;
  export const FULL: u8 = 3;
  export const CLIENT_DONE: u8 = 4;
  export const DONE: u8 = 5;
  export const FOLLOWED: u8 = 6;
}

const CONTINUE: i32 = 0;
const STOP_ITERATION: i32 = 1;
const CONFIGURATION: i32 = 7;
/** "s" */
const FIRST_OF_STEERING: u8 = 0x73;
/** The longest answer, in bytes, that is taken for an abbreviated handshake's: one in full has a certificate. */
const MAX_ABBREVIATED: i32 = 400;
const DOWNSTREAM: i32 = 2;
const UPSTREAM: i32 = 3;
const PAGE_SIZE: u32 = 1023;
const ROOM_SIZE: usize = 16384;
const ROOM: usize = memory.data(16384, 8);
const PHASE_COUNT: u32 = 65536;
const PHASES: usize = memory.data(65536);
const VALUE: usize = memory.data(8, 8);
const POINTER: usize = memory.data(4, 4);
const LENGTH: usize = memory.data(4, 4);
const MARK: usize = memory.data(4, 4);
/** "cst1", "cst2", "cst3" */
const MARK_KEY: usize = memory.data<u8>([0x63, 0x73, 0x74, 0x31]);
const PAGE_KEY: usize = memory.data<u8>([0x63, 0x73, 0x74, 0x32]);
const EVENTS_KEY: usize = memory.data<u8>([0x63, 0x73, 0x74, 0x33]);
/** "upstream", zero, "address" */
const PATH: usize = memory.data<u8>([
  0x75, 0x70, 0x73, 0x74, 0x72, 0x65, 0x61, 0x6d, 0, 0x61, 0x64, 0x64, 0x72, 0x65, 0x73, 0x73,
]);
const PATH_LENGTH: u32 = 16;
/** How many resumptions are asked who has answered, where many come. */
const ONE_IN: u32 = 8;
let answers: u32 = 0;
let steers: bool = false;
