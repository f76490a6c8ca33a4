/**
 * Two proxies of a fleet that do not meet for a while: the network between one of them and etcd is cut, stalls, or loses packets. Each
 * goes on alone; on healing both have the decisions of both. And two whose clocks are an hour apart.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, idOf, startProxy, statusOf, stopAll, untilStatus } from "../../support/fleet.ts";
import { Random } from "../../support/random.ts";
import { Relay, type RelayState } from "../../support/relay.ts";
import { shiftedClock } from "../../support/shifted_clock.ts";
import { type Stack, eventually } from "../../support/stack.ts";
import { SetupError } from "../../../tools/setup_error.ts";

const RECOVERY_SECONDS = 8;
const HOUR_SECONDS = 3600;

let etcd: Etcd;
let numbers = 0x20000;

before(async () => {
  etcd = await Etcd.start();
});

after(async () => etcd?.remove());

describe("a proxy that does not reach etcd, as the network between them", () => {
  let relay: Relay;
  let proxies: [Stack, Stack];

  before(async () => {
    relay = await Relay.start(etcd.address, new Random(1));
    proxies = [await startProxy(etcd, "one"), await startProxy(etcd, "two", { through: relay.address })];
  });

  after(async () => {
    await stopAll(proxies ?? []);
    await relay?.stop();
  });

  afterEach(() => relay.set("open"));

  const partitions: [state: RelayState, what: string][] = [
    ["cut", "ends all connections"],
    ["stalled", "carries nothing"],
  ];
  for (const [state, what] of partitions) {
    it(`${what}, goes on alone; once it is well both refuse what either has removed`, async () => {
      const [one, two] = proxies;
      relay.set(state);
      const ids = [await remove(one), await remove(two)] as const;
      await eventually("it shows that etcd is away", async () => {
        assert.equal((await fleetState(two)).state, "connecting");
      });
      const later = [await remove(one), await remove(two)] as const;
      assert.equal(await statusOf(one, later[1]), 404, "it was told");
      assert.equal(await statusOf(two, later[0]), 404, "it was told");
      await lift(one, ids[0]);
      relay.set("open");
      for (const id of [ids[1], later[0], later[1]]) {
        for (const stack of proxies) await untilStatus(stack, id, 410, RECOVERY_SECONDS);
      }
      for (const stack of proxies) await untilStatus(stack, ids[0], 200, RECOVERY_SECONDS);
    });
  }

  it("loses packets, still tells and hears everything", async () => {
    const before = { ...relay.did };
    relay.set("lossy");
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) ids.push(await remove(proxies[i % 2] as Stack));
    for (const id of ids) {
      for (const stack of proxies) await untilStatus(stack, id, 410, RECOVERY_SECONDS);
    }
    assert.ok(relay.did.delayed > before.delayed, "the relay has lost something");
  });
});

describe("two proxies whose clocks are an hour apart", () => {
  let proxies: Stack[] = [];
  let reason: string | undefined;

  before(async () => {
    let env: Record<string, string>;
    try {
      env = await shiftedClock(HOUR_SECONDS);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      reason = error.message;
      return;
    }
    proxies = [await startProxy(etcd, "late"), await startProxy(etcd, "early", { env })];
  });

  after(async () => stopAll(proxies));

  for (const [from, to, name] of [
    [0, 1, "the late one removes, the early one lifts"],
    [1, 0, "the early one removes, the late one lifts"],
  ] as const) {
    it(`agree: ${name}`, async (test) => {
      if (reason !== undefined) return test.skip(reason);
      const [here, there] = [proxies[from] as Stack, proxies[to] as Stack];
      const id = await remove(here);
      await untilStatus(there, id, 410, RECOVERY_SECONDS);
      await lift(there, id);
      await untilStatus(here, id, 200, RECOVERY_SECONDS);
      assert.equal(await statusOf(there, id), 200);
    });
  }

  it("show by how much", async (test) => {
    if (reason !== undefined) return test.skip(reason);
    const [late, early] = proxies as [Stack, Stack];
    const { headers } = await early.admin("GET", "/healthz", { token: null });
    const ahead = (Date.parse(headers["date"] ?? "") - Date.now()) / 1000;
    assert.ok(Math.abs(ahead - HOUR_SECONDS) < 5, `the clock of Envoy is ${ahead} s ahead`);
    await eventually("the others show it", async () => {
      const shown = (await fleetState(late)).proxies.find((proxy) => proxy.name === "early")?.clock_skew_ms ?? 0;
      assert.ok(Math.abs(shown / 1000 - HOUR_SECONDS) < 5, `clock_skew_ms ${shown}`);
    });
    await eventually("the gauge shows it", async () => {
      const gauge = /^tls_session_cache_fleet_clock_skew_seconds\{[^}]*\} (\d+)$/m.exec(await late.prometheus());
      assert.ok(Math.abs(Number(gauge?.[1]) - HOUR_SECONDS) < 5, `the gauge is ${gauge?.[1]}`);
    });
  });
});

/** Removes a session that no proxy holds; returns its ID. */
async function remove(stack: Stack): Promise<string> {
  const id = idOf(++numbers);
  const { status, text } = await stack.admin("DELETE", `/v1/sessions/${id}`);
  assert.equal(status, 404, text);
  assert.equal(await statusOf(stack, id), 410);
  return id;
}

async function lift(stack: Stack, id: string): Promise<void> {
  const { status, text } = await stack.admin("PUT", `/v1/sessions/${id}`, { body: {} });
  assert.equal(status, 201, text);
}
