/** The module's exports: the host's callbacks. Registers the roots; has no logic of its own. */
import { Roots } from "./filters/roots";
import "./host/abort";
import { registerRoots } from "./host/roots";

export * from "./host/callbacks/grpc";
export * from "./host/callbacks/http";
export * from "./host/callbacks/l4";
export * from "./host/callbacks/lifecycle";
export { proxy_on_memory_allocate } from "./host/memory";

registerRoots(new Roots());
