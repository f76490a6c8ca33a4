/**
 * CPU time of a proxy per connection. In each round every proxy gets one slice of connections, in random order, so that what
 * disturbs the machine disturbs all alike; while one works the others stand by. A slice ends when its last connection has gone and
 * the proxy has cleaned up behind it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { cpuMicroseconds } from "./cpu_time.ts";
import type { Load } from "./load.ts";
import type { Handshake } from "./messages.ts";
import type { Proxy } from "./proxies.ts";

export interface HandshakeOptions {
  handshake: Handshake;
  rounds: number;
  /** Connections of a slice. */
  connections: number;
}

/** Microseconds per connection, one value for each round. */
export async function measureHandshakes(
  proxies: readonly Proxy[],
  load: Load,
  { handshake, rounds, connections }: HandshakeOptions,
): Promise<Map<Proxy, number[]>> {
  const order = (proxy: Proxy, count: number) =>
    ({
      order: "handshakes",
      port: proxy.port,
      handshake,
      count,
      concurrency: CONNECTIONS_A_WORKER * proxy.workers,
    }) as const;
  const values = new Map<Proxy, number[]>(proxies.map((proxy) => [proxy, []]));
  for (const proxy of proxies) await load.give(order(proxy, WARM_UP_CONNECTIONS * proxy.workers));
  for (let round = 0; round < rounds; round++) {
    for (const proxy of shuffled(proxies)) {
      // The caches of the machine are another proxy's.
      await load.give(order(proxy, SETTLING_CONNECTIONS));
      await sleep(SETTLING_MILLISECONDS);
      const before = cpuMicroseconds(proxy.pid);
      const { resumed } = await load.give(order(proxy, connections));
      await sleep(SETTLING_MILLISECONDS);
      const spent = cpuMicroseconds(proxy.pid) - before;
      const expected = handshake.startsWith("full") ? 0 : connections;
      if (resumed !== expected) throw new Error(`${proxy.name}: ${resumed} of ${connections} handshakes were resumed`);
      values.get(proxy)?.push(spent / connections);
    }
  }
  return values;
}

/** Microseconds per second that a proxy spends with nothing to do. */
export async function measureIdleTime(proxies: readonly Proxy[], seconds: number): Promise<Map<Proxy, number>> {
  const before = new Map(proxies.map((proxy) => [proxy, cpuMicroseconds(proxy.pid)]));
  const begin = performance.now();
  await sleep(seconds * 1000);
  const elapsedSeconds = (performance.now() - begin) / 1000;
  return new Map(
    proxies.map((proxy) => [proxy, (cpuMicroseconds(proxy.pid) - (before.get(proxy) ?? 0)) / elapsedSeconds]),
  );
}

/** `below`: returns a random whole number below its argument. */
export function shuffled<T>(values: readonly T[], below = (limit: number) => Math.floor(Math.random() * limit)): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** At a time, so that a worker finds several events whenever it wakes, as a busy one does. */
const CONNECTIONS_A_WORKER = 16;
const WARM_UP_CONNECTIONS = 1500;
const SETTLING_CONNECTIONS = 20;
const SETTLING_MILLISECONDS = 25;
