/** The ABI's callbacks for a filter's life: start, configuration, ticks, contexts. */
import { LogLevel } from "../../ports/log";
import { BufferType, HostResult, proxy_get_buffer_bytes } from "../abi";
import { addContext, findContext, removeContext } from "../contexts";
import { HostLog } from "../adapters/host_log";
import { tickEvery } from "../effective_context";
import { OUT_LENGTH, OUT_POINTER, receiveInto } from "../memory";
import { tellMissingCallback } from "../notices/missing_callback";
import { PropertyPath } from "../properties";
import { addRoot, findRoot, FINISHED, makeRoot, removeRoot, TICK_MILLISECONDS } from "../roots";

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_vm_start(rootContext: u32, configurationLength: i32): i32 {
  return 1;
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  // A root context gets its root when it is configured, as the plugin's root_id is known only then.
  if (parent == 0) return;
  const root = findRoot(parent);
  if (root) addContext(context, root);
  else if (!configured)
    tellMissingCallback("proxy_on_configure", "connections come to a filter without a configuration");
}

export function proxy_on_configure(rootContext: u32, length: i32): i32 {
  configured = true;
  const rootId = ROOT_ID.text();
  const root = makeRoot(rootId, rootContext);
  if (!root) {
    new HostLog().write(
      LogLevel.Error,
      'root_id "' + rootId + '" is unknown: write "observer", "guard", "admin" or "fleet"',
    );
    return 0;
  }
  const maxLength = root.maxConfigurationLength;
  if (length > maxLength) {
    const lengths = length.toString() + " bytes, more than " + maxLength.toString();
    new HostLog().write(LogLevel.Error, "the configuration has " + lengths + ": shorten it");
    return 0;
  }
  const text = heap.alloc(length + 1);
  receiveInto(text, length);
  const received =
    length == 0 ||
    proxy_get_buffer_bytes(BufferType.PLUGIN_CONFIGURATION, 0, length, OUT_POINTER, OUT_LENGTH) == HostResult.OK;
  // Before the root is configured, as it may want its first tick sooner.
  tickEvery(TICK_MILLISECONDS);
  const accepted = received && root.configure(text, length);
  heap.free(text);
  if (!accepted) return 0;
  addRoot(rootContext, root);
  return 1;
}

export function proxy_on_tick(rootContext: u32): void {
  const root = findRoot(rootContext);
  if (root) root.tick();
}

export function proxy_on_http_call_response(
  rootContext: u32,
  token: u32,
  headers: i32,
  bodyLength: i32,
  trailers: i32,
): void {
  const root = findRoot(rootContext);
  if (root) root.callAnswered(token);
}

export function proxy_on_done(context: u32): i32 {
  return 1;
}

export function proxy_on_log(context: u32): void {}

export function proxy_on_delete(context: u32): void {
  const stream = findContext(context);
  if (stream) {
    const state = stream.state;
    const root = stream.root;
    removeContext(context);
    if (state != FINISHED) root.connectionClosed(state);
    root.streamClosed(context);
    return;
  }
  const root = findRoot(context);
  if (!root) return;
  root.free();
  removeRoot(context);
}

/** Whether the host has ever asked for a root to be configured, with whatever success. */
let configured: bool = false;
const ROOT_ID = new PropertyPath("plugin_root_id");
