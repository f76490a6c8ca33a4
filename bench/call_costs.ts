/**
 * What calls of the host cost on the path of a connection, measured in a real Envoy by the filter of `call_costs/`; and how many of
 * each kind this filter makes for a handshake, counted on the fake host over captured handshakes.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MODULE_FILE } from "../tools/project.ts";
import { Replay, captured } from "../tests/fake_host/replay.ts";
import type { Load } from "./load.ts";
import type { Handshake } from "./messages.ts";
import { type ProxySetup, startProxy } from "./proxies.ts";

export interface CallCost {
  call: string;
  nanoseconds: number;
}

/** Mean times, without that of the measuring itself. */
export async function measureCallCosts(setup: ProxySetup, load: Load, connections: number): Promise<CallCost[]> {
  const proxy = await startProxy("empty", 1, setup);
  const counts = KINDS.map(() => 0);
  const sums = KINDS.map(() => 0);
  try {
    await load.give({
      order: "handshakes",
      port: proxy.port,
      handshake: "resumed12",
      count: connections,
      concurrency: 4,
    });
    await sleep(LOG_MILLISECONDS);
    // The first lines of the log are from before the code was compiled to the end.
    for (const line of proxy.log().split("\n").slice(1)) {
      const figures = /call costs((?: \d+)+)/.exec(line)?.[1]?.trim().split(" ").map(Number) ?? [];
      figures.forEach((figure, index) => {
        const into = index % 2 === 0 ? counts : sums;
        into[index >> 1] = (into[index >> 1] ?? 0) + figure;
      });
    }
  } finally {
    await proxy.stop();
  }
  const mean = (kind: number): number => (sums[kind] ?? NaN) / (counts[kind] ?? NaN);
  return KINDS.map((call, kind) => ({ call, nanoseconds: mean(kind) - mean(0) })).slice(1);
}

/** Calls of the host by name, of one connection whose like have come before. */
export function countCalls(handshake: Handshake, settings: Record<string, unknown>): Map<string, number> {
  const calls = new Map<string, number>();
  const onCall = (name: string): void => {
    if (!name.startsWith("proxy_on_")) calls.set(name, (calls.get(name) ?? 0) + 1);
  };
  const replay = new Replay(new WebAssembly.Module(readFileSync(MODULE_FILE)), { settings, onCall });
  const [full, wanted] = EXCHANGES[handshake];
  for (let i = 0; i < WARM_UP; i++) {
    replay.run(captured(full));
    replay.run(captured(wanted));
    replay.tick();
  }
  // Looked-up values are looked up again once a second, and one in eight of many like connections is asked who has answered.
  // In a rush some of what is counted waits for the tick; a rush is told by the tick after it has begun.
  for (let i = 0; i < RUSH; i++) replay.run(captured(wanted));
  replay.tick();
  for (let i = 0; i < RUSH; i++) replay.run(captured(wanted));
  calls.clear();
  replay.run(captured(wanted));
  return calls;
}

/** The order of `Kind` in `call_costs/index.ts`. */
const KINDS = [
  "nothing",
  "proxy_get_current_time_nanoseconds",
  "proxy_get_buffer_bytes, ClientHello",
  "proxy_get_buffer_bytes, server's answer",
  "proxy_get_property, upstream.address",
  "proxy_get_shared_data, 112 bytes, the first",
  "proxy_get_shared_data, 1023 bytes, another",
  "proxy_set_shared_data, 1023 bytes",
  "proxy_increment_metric",
  "proxy_get_metric",
  "proxy_call_foreign_function, set_envoy_filter_state",
];
/** A full handshake that makes a session, and the exchange that is counted. */
export const EXCHANGES: Record<Handshake, [string, string]> = {
  full12: ["tls12_ticket_full", "tls12_ticket_full"],
  resumed12: ["tls12_ticket_full", "tls12_ticket_resumed"],
  resumed12_id: ["tls12_id_full", "tls12_id_resumed"],
  full13: ["tls13_full", "tls13_full"],
  resumed13: ["tls13_full", "tls13_psk"],
};
const WARM_UP = 20;
const RUSH = 80;
const LOG_MILLISECONDS = 2500;
