/**
 * A core of its own for the proxy that is measured, and the others for its clients and its upstream: so what a connection costs is
 * not the price of finding the processor's caches full of somebody else's work. By `taskset` of util-linux.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** Whether there is a core to give away, and the means. */
export function canPin(): boolean {
  return CORES >= 2 && spawnSync("taskset", ["-p", String(process.pid)]).status === 0;
}

/** Keeps all threads of a process on the last core. */
export function pinProxy(pid: number): void {
  pin(pid, String(CORES - 1));
}

/** Keeps all threads of a process off the last core. */
export function pinLoad(pid: number): void {
  pin(pid, CORES === 2 ? "0" : `0-${CORES - 2}`);
}

function pin(pid: number, cores: string): void {
  const { status, stderr } = spawnSync("taskset", ["-a", "-c", "-p", cores, String(pid)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`taskset -a -c -p ${cores} ${pid}: ${stderr}`);
}

/** Asked for once: a process that is pinned sees fewer. */
const CORES = availableParallelism();
