/** A module for measuring only: the cache's own sources under a root that measures them. Not part of the filter. */
import "../../assembly/host/abort";
import { registerRoots } from "../../assembly/host/roots";
import { BenchRoots } from "./bench_root";

export * from "../../assembly/host/callbacks/lifecycle";
export { proxy_on_memory_allocate } from "../../assembly/host/memory";

registerRoots(new BenchRoots());
