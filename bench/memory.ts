/**
 * Memory of a proxy: what an idle connection takes, and what stays when connections come and go.
 *
 * Memory is the process's own in RAM, read before and after. Memory that an allocator keeps for later use counts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openFilesLimit, residentBytes } from "./cpu_time.ts";
import type { Load } from "./load.ts";
import type { Proxy } from "./proxies.ts";

export interface IdleMemory {
  connections: number;
  bytesPerConnection: number;
  /** How much more than before is still held after all connections were dropped, and after as many came again and went. */
  keptBytes: number;
  keptBytesAgain: number;
}

/** `connections` at most: each takes two files of a proxy, and one of the upstream and of the load generator. */
export async function measureIdleMemory(proxy: Proxy, load: Load, connections: number): Promise<IdleMemory> {
  const count = Math.min(connections, Math.floor((openFilesLimit() - FILES_OF_ITS_OWN) / 2));
  const open = { order: "open", port: proxy.port, count, concurrency: CONCURRENCY } as const;
  await load.give({ ...open, count: WARM_UP_CONNECTIONS });
  await load.give({ order: "drop" });
  await sleep(SETTLING_MILLISECONDS);
  const before = residentBytes(proxy.pid);
  await load.give(open);
  await sleep(SETTLING_MILLISECONDS);
  const bytesPerConnection = (residentBytes(proxy.pid) - before) / count;
  await load.give({ order: "drop" });
  await sleep(SETTLING_MILLISECONDS);
  const keptBytes = residentBytes(proxy.pid) - before;
  await load.give(open);
  await load.give({ order: "drop" });
  await sleep(SETTLING_MILLISECONDS);
  return { connections: count, bytesPerConnection, keptBytes, keptBytesAgain: residentBytes(proxy.pid) - before };
}

/** Memory after each of `times` waves of connections whose clients vanish. */
export async function measureVanishing(
  proxy: Proxy,
  load: Load,
  connections: number,
  times: number,
  progress: (wave: number) => void,
): Promise<number[]> {
  const bytes: number[] = [];
  for (let wave = 0; wave < times; wave++) {
    progress(wave);
    await load.give({ order: "vanish", port: proxy.port, count: connections, concurrency: CONCURRENCY });
    await sleep(SETTLING_MILLISECONDS);
    bytes.push(residentBytes(proxy.pid));
  }
  return bytes;
}

const CONCURRENCY = 64;
const WARM_UP_CONNECTIONS = 500;
const SETTLING_MILLISECONDS = 500;
/** Listeners, modules, logs, event loops of all workers. */
const FILES_OF_ITS_OWN = 400;
