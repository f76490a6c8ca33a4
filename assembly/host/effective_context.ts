/** The context that host calls are about, and how often the host ticks. */
import { HostResult, proxy_set_effective_context, proxy_set_tick_period_milliseconds } from "./abi";

/** Makes a connection, a stream or a root the one that host calls are about. False if the host refuses. */
export function enter(context: u32): bool {
  return proxy_set_effective_context(context) == HostResult.OK;
}

/** Sets the time between ticks. Call it in the context of the root that is to tick. */
export function tickEvery(milliseconds: u32): void {
  proxy_set_tick_period_milliseconds(milliseconds);
}
