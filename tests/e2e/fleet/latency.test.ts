/** How long it takes until a removal on one proxy is in force on the others, with handshakes on all of them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { Etcd } from "../../support/etcd.ts";
import { fleetState, idOf, removedIds, startProxy, stopAll, untilStatus } from "../../support/fleet.ts";
import { type Stack, eventually, inParallel } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const REMOVALS = 200;
/** In a burst; so many at once that the log of events loses some. */
const BURST = 12_000;

let etcd: Etcd;
let upstream: DemoUpstream;
let proxies: Stack[] = [];

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  etcd = await Etcd.start();
  const options = { upstreams: [upstream.address], cache: { cache_size: 0, max_memory_mib: 64 } };
  proxies = await Promise.all(["one", "two", "three"].map(async (name) => startProxy(etcd, name, options)));
});

after(async () => {
  await stopAll(proxies);
  await etcd?.remove();
  await upstream?.close();
});

describe("a removal on one of three proxies", () => {
  it("is in force on the others within a second, whenever it comes, while clients handshake", async () => {
    const [one, two, three] = proxies as [Stack, Stack, Stack];
    const times: number[] = [];
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        await Promise.all(proxies.map(async ({ tlsPort }) => visit({ port: tlsPort, sni: "shop.example" })));
        await sleep(60);
      }
    })();
    for (let number = 0; number < REMOVALS; number++) {
      const id = idOf(number);
      const { status } = await one.admin("DELETE", `/v1/sessions/${id}`);
      assert.equal(status, 404, "it was not held, and is refused from now on");
      const waited = await Promise.all([two, three].map(async (stack) => untilStatus(stack, id, 410)));
      times.push(Math.max(...waited));
      await sleep(Math.random() * 20);
    }
    isOver = true;
    await traffic;
    times.sort((a, b) => a - b);
    const [median, most] = [times[REMOVALS / 2] as number, times[REMOVALS - 1] as number];
    // What it takes is measured by `npm run bench:fleet`; here is only the promise that holds on any machine.
    assert.ok(most < 1000, `the longest took ${most.toFixed(0)} ms, the median ${median.toFixed(0)} ms`);
  });

  it("is not lost in a burst that is more than the log of events holds", async () => {
    const [one, two, three] = proxies as [Stack, Stack, Stack];
    const before = await fleetState(one);
    const numbers = Array.from({ length: BURST }, (_, index) => 100_000 + index);
    await inParallel(numbers, 32, async (number) => {
      const { status, text } = await one.admin("DELETE", `/v1/sessions/${idOf(number)}`);
      assert.equal(status, 404, text);
    });
    for (const stack of [two, three]) {
      await eventually(
        "all are there",
        async () => {
          const ids = await removedIds(stack);
          const missing = numbers.filter((number) => !ids.has(idOf(number)));
          assert.equal(missing.length, 0, `${missing.length} are missing`);
        },
        20,
      );
    }
    const state = await fleetState(one);
    assert.equal(state.skipped, before.skipped);
  });
});
