/**
 * A hot restart with a full cache: while the old process lives, Envoy adds its gauges to those of the new one. The new process has a cache
 * of its own, which begins empty, and must learn, store and count by that alone.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type DemoUpstream, startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { findEnvoy } from "../../../tools/proxies/envoy_binary.ts";
import { renderEnvoyConfig } from "../../../tools/proxies/envoy_config.ts";
import { type EnvoyProcess, startEnvoy } from "../../../tools/proxies/envoy_process.ts";
import { freePorts } from "../../../tools/proxies/free_ports.ts";
import { MODULE_FILE } from "../../../tools/project.ts";
import type { Session } from "../../support/answer.ts";
import { type Admin, FULL_TOKEN, READ_TOKEN, allPages } from "../../contract/client.ts";
import { adminClient, assertNoTrap, eventually } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

const SIZE = 10;
const PARENT_SECONDS = 30;

let upstream: DemoUpstream;
let parent: EnvoyProcess | undefined;
let child: EnvoyProcess | undefined;
let parentHasEnded = false;
let admin: Admin;
let tlsPort: number;
let envoyAdminPort: number;

before(async () => {
  upstream = await startDemoUpstream({ name: "alpha", tickets: true });
  const ports = (await freePorts(4)) as [number, number, number, number];
  [tlsPort, , , envoyAdminPort] = ports;
  const configuration = renderEnvoyConfig({
    tlsPort,
    httpsPort: ports[1],
    adminPort: ports[2],
    envoyAdminPort,
    upstreams: [upstream.address],
    modulePath: MODULE_FILE,
    observer: { steering: "off" },
    cache: { cache_size: SIZE },
  });
  const binary = await findEnvoy(() => undefined);
  const env = { ADMIN_TOKEN: FULL_TOKEN, ADMIN_READ_TOKEN: READ_TOKEN };
  // A port that was free is as good a number as any.
  const start = (epoch: number): Promise<EnvoyProcess> =>
    startEnvoy({
      binary,
      configuration,
      envoyAdminPort,
      env,
      hotRestart: { baseId: tlsPort, epoch, parentSeconds: PARENT_SECONDS },
    });
  admin = adminClient(ports[2]);
  parent = await start(0);
  void parent.ended.then(() => (parentHasEnded = true));
  await eventually("the admin API answers", async () => assert.equal((await admin("GET", "/healthz")).status, 200));
  for (let i = 0; i < SIZE; i++) assert.equal((await admin("PUT", `/v1/sessions/${hexId(i)}`)).status, 201);
  await visit({ port: tlsPort, version: "TLSv1.2" });
  assert.deepEqual([await stat("number"), await stat("adds"), await stat("cache_full")], [SIZE, SIZE + 1, 1]);
  child = await start(1);
  await eventually("the new process answers, and Envoy has added the gauges of the old one", async () => {
    assert.equal(await stat("number"), 0);
    assert.equal(await gauge("size"), 2 * SIZE);
    assert.equal(await gauge("sessions"), SIZE);
    // Envoy has handed over what the old one has counted last, too.
    assert.deepEqual([await stat("adds"), await stat("cache_full"), await stat("accept")], [0, 0, 0]);
  });
});

after(async () => {
  await child?.stop();
  await parent?.stop();
  await upstream?.close();
  // Envoy leaves it behind, named after ten times the base ID.
  rmSync(`/dev/shm/envoy_shared_memory_${tlsPort * 10}`, { force: true });
  assertNoTrap((child?.log() ?? "") + (parent?.log() ?? ""));
});

describe("the new process of a hot restart, while the old one lives with a full cache", () => {
  it("learns at once, and its numbers are its own", async () => {
    for (let i = 1; i <= 6; i++) {
      const { resumed } = await visit({ port: tlsPort, version: "TLSv1.2" });
      assert.equal(resumed, false);
      await assertHolds(i);
    }
    assert.equal(await stat("cache_size"), SIZE);
    await eventually("its counters are its own", async () => {
      // It evicts nothing, as it has room.
      assert.deepEqual([await stat("adds"), await stat("accept"), await stat("cache_full")], [6, 6, 0]);
    });
  });

  it("stores what is put in by hand, up to its size and not beyond it", async () => {
    for (let i = 0; i < SIZE; i++) {
      assert.equal((await admin("PUT", `/v1/sessions/${hexId(i)}`)).status, 201);
      await assertHolds(Math.min(6 + i + 1, SIZE));
    }
    await eventually("each has taken another's place", async () => assert.equal(await stat("cache_full"), 6));
    assert.equal((await admin("DELETE", `/v1/sessions/${hexId(9)}`)).status, 200);
    await assertHolds(SIZE - 1);
    assert.equal(await stat("tombstones"), 1);
  });

  it("carries out a size that is lowered", async () => {
    const { status, json } = await admin("PUT", "/v1/cache-size", { body: { cache_size: 3 } });
    assert.deepEqual([status, json], [200, { cache_size: 3, previous: SIZE }]);
    await assertHolds(3);
    assert.ok(!parentHasEnded, "all this was while the old process lived");
  });

  it("shows its own gauges as soon as the old process has ended", async () => {
    const gauges = async (): Promise<number[]> =>
      Promise.all(["sessions", "size", "removed_sessions"].map((name) => gauge(name)));
    const shownNow = async (): Promise<void> => assert.deepEqual(await gauges(), [3, 3, 1]);
    assert.ok(parentHasEnded || (await gauge("size")) === 3 + SIZE, "Envoy adds the old one's");
    await eventually("the old one has ended, and its gauges are gone", shownNow, PARENT_SECONDS + 15);
    await eventually("the old one has ended", () => assert.ok(parentHasEnded, "the parent goes on"));
  });
});

async function assertHolds(count: number): Promise<void> {
  await eventually(`${count} sessions are held`, async () => {
    const listed = await allPages<Session>(admin, "/v1/sessions?limit=1000", "sessions");
    assert.deepEqual([listed.length, await stat("number")], [count, count]);
  });
}

async function stat(name: string): Promise<unknown> {
  return (await admin("GET", "/v1/stats")).json[name];
}

async function gauge(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${envoyAdminPort}/stats/prometheus`)).text();
  const line = text.split("\n").find((found) => found.startsWith(`tls_session_cache_${name}{`));
  return Number(line?.split(" ").at(-1));
}

function hexId(number: number): string {
  return (0x10000000 + number).toString(16).repeat(4);
}
