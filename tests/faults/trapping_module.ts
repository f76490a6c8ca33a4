/**
 * The module as it is shipped, with two ways to make it trap, which the shipped one does not have: a request with the header
 * `x-trap` for the admin API, and a chunk of exactly TRAP_BYTES from a client for the observer. Compiled by `trapping_build.ts`.
 */
import { AdminFilter } from "../../assembly/filters/admin/admin_filter";
import { Observer } from "../../assembly/filters/observer/observer";
import { Roots } from "../../assembly/filters/roots";
import "../../assembly/host/abort";
import { requestHeader } from "../../assembly/host/http_stream";
import { registerRoots, Root } from "../../assembly/host/roots";

export * from "../../assembly/host/callbacks/http";
export * from "../../assembly/host/callbacks/l4";
export * from "../../assembly/host/callbacks/lifecycle";
export { proxy_on_memory_allocate } from "../../assembly/host/memory";

class TrappingAdmin extends AdminFilter {
  requestHeaders(context: u32, endOfStream: bool): i32 {
    if (requestHeader("x-trap") != "") unreachable();
    return super.requestHeaders(context, endOfStream);
  }
}

class TrappingObserver extends Observer {
  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    if (length == TRAP_BYTES) unreachable();
    return super.dataSeen(context, state, buffer, length, endOfStream);
  }
}

class TrappingRoots extends Roots {
  make(rootId: string, rootContext: u32): Root | null {
    if (rootId == "observer") return new TrappingObserver(rootContext);
    if (rootId == "admin") return new TrappingAdmin(rootContext);
    return super.make(rootId, rootContext);
  }
}

const TRAP_BYTES: i32 = 7;

registerRoots(new TrappingRoots());
