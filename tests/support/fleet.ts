/** Proxies of one fleet: real Envoys, each with the shipped configuration and `deploy/fleet/`, on a real etcd. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type FleetTls, joinFleet } from "../../tools/proxies/fleet_config.ts";
import { MODULE_FILE } from "../../tools/project.ts";
import { allPages } from "../contract/client.ts";
import type { Etcd } from "./etcd.ts";
import { type Stack, type StackOptions, eventually, startStack } from "./stack.ts";

export interface FleetState {
  state: "off" | "connecting" | "replaying" | "following";
  name: string;
  run: string;
  since: number;
  revision: number;
  synced: boolean;
  pending: { decisions: number; sessions: number; oldest_seconds: number };
  told: number;
  applied: number;
  resyncs: number;
  skipped: number;
  last_error: { time: number; call: string; status: number; text: string } | null;
  proxies: { name: string; run: string; seen: number; clock_skew_ms: number; applied: number; version: string }[];
}

export interface ProxyOptions extends Partial<StackOptions> {
  /** More fields of `fleet`. */
  fleet?: Record<string, unknown>;
  /** `host:port` through which it reaches etcd, such as that of a relay; etcd's own if not given. */
  through?: string;
  /** Whether to wait until it follows the fleet; true if not given. */
  follows?: boolean;
  /** Another module for the fleet filter. */
  fleetModule?: string;
  /** For mTLS with etcd. */
  tls?: FleetTls;
}

/** Starts a proxy of the fleet of an etcd. */
export async function startProxy(etcd: Etcd, name: string, options: ProxyOptions = {}): Promise<Stack> {
  const stack = await startStack({
    upstreams: ["127.0.0.1:1"],
    ...options,
    change: (configuration) => {
      joinFleet(configuration, {
        name,
        etcd: [options.through ?? etcd.address],
        modulePath: options.fleetModule ?? MODULE_FILE,
        ...(options.fleet === undefined ? {} : { settings: options.fleet }),
        ...(options.tls === undefined ? {} : { tls: options.tls }),
      });
      options.change?.(configuration);
    },
  });
  if (options.follows === false) return stack;
  try {
    await eventually(`${name} follows the fleet`, async () => {
      const state = await fleetState(stack);
      assert.equal(state.state, "following", JSON.stringify(state));
    });
  } catch (error) {
    await stack.stop();
    throw new Error(`${String(error)}\nEnvoy's log ends:\n${stack.envoy.log().slice(-3000)}`, { cause: error });
  }
  return stack;
}

export async function fleetState(stack: Stack): Promise<FleetState> {
  const { status, json, text } = await stack.admin("GET", "/v1/fleet");
  assert.equal(status, 200, text);
  return json as unknown as FleetState;
}

/** How a proxy answers the look at a session: 200, 404 or 410. */
export async function statusOf(stack: Stack, id: string): Promise<number> {
  return (await stack.admin("GET", `/v1/sessions/${id}`)).status;
}

/** Waits until a proxy answers the look at a session so. Returns after how many milliseconds it did. */
export async function untilStatus(stack: Stack, id: string, wanted: number, seconds = 10): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const status = await statusOf(stack, id);
    const milliseconds = performance.now() - begun;
    if (status === wanted) return milliseconds;
    if (milliseconds > seconds * 1000)
      assert.fail(`session ${id}: ${status} in the place of ${wanted} after ${seconds} s`);
    await sleep(2);
  }
}

/** The IDs of all removed sessions that a proxy lists. */
export async function removedIds(stack: Stack): Promise<Set<string>> {
  const removed = await allPages<{ id: string }>(stack.admin, "/v1/removed?limit=1000", "removed");
  return new Set(removed.map(({ id }) => id));
}

/** An ID of 32 bytes that is made of a number. */
export function idOf(number: number): string {
  return number.toString(16).padStart(8, "0").padEnd(64, "a5");
}

export async function stopAll(stacks: (Stack | undefined)[]): Promise<void> {
  await Promise.all(stacks.map(async (stack) => stack?.stop()));
}
