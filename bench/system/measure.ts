/**
 * The rounds of `npm run bench:system`. In each round every proxy gets one slice of connections, of the same clients with the same
 * intentions, in random order: a disturbance of the machine disturbs all alike. While one proxy works the others stand by.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../tests/support/random.ts";
import { cpuMicroseconds } from "../cpu_time.ts";
import { shuffled } from "../handshakes.ts";
import { median, quantile } from "../statistics.ts";
import { type Cell, KINDS, type Situation, type Slice } from "./grid.ts";
import type { Visits, VisitsReport } from "./messages.ts";
import type { Proxy } from "./proxies.ts";

/** Proxies with the servers behind them and the clients before them. */
export interface Stage {
  proxies: readonly Proxy[];
  serverPids: readonly number[];
  visit(order: Visits): Promise<VisitsReport>;
}

export interface RoundOptions {
  rounds: number;
  /** Of a slice. */
  connections: number;
  /** Connections at a time without a delay. */
  lanes: number;
  seed: number;
}

/** Until V8 has compiled a filter's code for good, and a filter knows its servers' ticket keys. */
export async function warmUp(stage: Stage, situation: Situation, connections: number, seed: number): Promise<void> {
  const near = { ...situation, delayMilliseconds: 0 };
  for (const proxy of stage.proxies) await stage.visit(orderOf(proxy, near, connections, WARM_UP_LANES, seed));
}

export async function measureRounds(
  stage: Stage,
  situation: Situation,
  { rounds, connections, lanes, seed }: RoundOptions,
): Promise<Cell[]> {
  const cells = stage.proxies.map((proxy) => ({ situation, proxy: proxy.name, slices: [] as Slice[] }));
  const isDelayed = situation.delayMilliseconds > 0;
  // A distant client mostly waits: many at a time keep a slice short, and half of the rounds show when the first byte comes.
  const atATime = isDelayed ? DELAYED_LANES : lanes;
  for (let round = 0; round < (isDelayed ? rounds / 2 : rounds); round++) {
    const random = new Random(seed * SEED_STRIDE + round);
    const seedOfRound = random.below(2 ** 31);
    const turns = shuffled([...stage.proxies.keys()], (limit) => random.below(limit));
    for (const index of turns) {
      const proxy = stage.proxies[index] as Proxy;
      // The caches of the machine are another proxy's, which tells in the CPU time.
      if (!isDelayed) await stage.visit(orderOf(proxy, situation, SETTLING_CONNECTIONS, atATime, seedOfRound + 1));
      const visits = orderOf(proxy, situation, connections, atATime, seedOfRound);
      cells[index]?.slices.push(await measureSlice(stage, proxy, visits));
    }
  }
  return cells;
}

async function measureSlice(stage: Stage, proxy: Proxy, visits: Visits): Promise<Slice> {
  const { connections } = visits;
  const serversSpent = (): number => stage.serverPids.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0);
  await sleep(SETTLING_MILLISECONDS);
  const before = { proxy: cpuMicroseconds(proxy.pid), servers: serversSpent() };
  const { offered, resumed, firstByteMilliseconds } = await stage.visit(visits);
  await sleep(SETTLING_MILLISECONDS);
  return {
    proxyMicroseconds: (cpuMicroseconds(proxy.pid) - before.proxy) / connections,
    serversMicroseconds: (serversSpent() - before.servers) / connections,
    firstByteMilliseconds: median(firstByteMilliseconds),
    firstByteMilliseconds95: quantile(firstByteMilliseconds, 0.95),
    connections,
    offered,
    resumed,
  };
}

function orderOf(proxy: Proxy, situation: Situation, connections: number, lanes: number, seed: number): Visits {
  const { kind, addresses, resumePercent, delayMilliseconds } = situation;
  return {
    port: proxy.port,
    version: KINDS[kind].version,
    crowd: `${kind} ${proxy.name} ${addresses}`,
    addresses,
    resumePercent,
    delayMilliseconds,
    connections,
    lanes,
    seed,
  };
}

const WARM_UP_LANES = 8;
const DELAYED_LANES = 32;
const SEED_STRIDE = 1009;
const SETTLING_CONNECTIONS = 20;
const SETTLING_MILLISECONDS = 25;
