/** CPU time of a proxy per GiB that a client downloads through it over TLS 1.3, in rounds as those of `handshakes.ts`. */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMicroseconds } from "./cpu_time.ts";
import { shuffled } from "./handshakes.ts";
import type { Load } from "./load.ts";
import type { Proxy } from "./proxies.ts";

/** Milliseconds of CPU time per GiB, one value for each round. */
export async function measureDownload(
  proxies: readonly Proxy[],
  load: Load,
  rounds: number,
  bytes: number,
): Promise<Map<Proxy, number[]>> {
  const values = new Map<Proxy, number[]>(proxies.map((proxy) => [proxy, []]));
  for (const proxy of proxies) await load.give({ order: "download", port: proxy.port, bytes: WARM_UP_BYTES });
  for (let round = 0; round < rounds; round++) {
    for (const proxy of shuffled(proxies)) {
      const before = cpuMicroseconds(proxy.pid);
      await load.give({ order: "download", port: proxy.port, bytes });
      await sleep(SETTLING_MILLISECONDS);
      values.get(proxy)?.push(((cpuMicroseconds(proxy.pid) - before) / 1000) * (GIB / bytes));
    }
  }
  return values;
}

export const GIB = 2 ** 30;
const WARM_UP_BYTES = 2 ** 24;
const SETTLING_MILLISECONDS = 25;
