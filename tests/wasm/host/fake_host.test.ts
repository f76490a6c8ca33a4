/** The fake host itself: if it were unlike Envoy, all that it tests would be in doubt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FULL_TOKEN } from "../../contract/client.ts";
import { FakeHost } from "../../fake_host/fake_host.ts";
import { MetricKind, Status } from "../../fake_host/abi.ts";
import { Metrics } from "../../fake_host/metrics.ts";
import { SharedData } from "../../fake_host/shared_data.ts";
import { Proxy } from "../../fake_host/proxy.ts";
import { clientHello } from "../../support/tls_bytes.ts";

const A = Buffer.from("a");
const B = Buffer.from("b");

describe("shared data", () => {
  it("takes any CAS for a key that is not there, so that one that cannot be right makes a key only once", () => {
    const data = new SharedData();
    assert.equal(data.set("k", A, 0xffffffff), Status.Ok);
    assert.equal(data.set("k", B, 0xffffffff), Status.CasMismatch);
    assert.deepEqual(Buffer.from(data.get("k")?.value ?? []), A);
  });

  it("overwrites with CAS 0, whatever is there", () => {
    const data = new SharedData();
    data.set("k", A, 0);
    assert.equal(data.set("k", B, 0), Status.Ok);
    assert.deepEqual(Buffer.from(data.get("k")?.value ?? []), B);
  });

  it("refuses a CAS that is not the stored one, and gives each value another", () => {
    const data = new SharedData();
    data.set("k", A, 0);
    const first = data.get("k")?.cas ?? 0;
    assert.equal(data.set("k", B, first), Status.Ok);
    assert.equal(data.set("k", A, first), Status.CasMismatch);
    assert.notEqual(data.get("k")?.cas, first);
    assert.equal(data.mismatches, 1);
  });

  it("keeps a copy: what the guest writes later over its bytes changes nothing", () => {
    const data = new SharedData();
    const bytes = Buffer.from("abc");
    data.set("k", bytes, 0);
    bytes.fill(0);
    assert.equal(Buffer.from(data.get("k")?.value ?? []).toString(), "abc");
  });

  it("lets a hook write before the next set of a key, which then is judged by what is there", () => {
    const data = new SharedData();
    data.set("k", A, 0);
    const cas = data.get("k")?.cas ?? 0;
    data.beforeNextSet("k", () => void data.set("k", B, 0));
    assert.equal(data.set("other", A, 0), Status.Ok);
    assert.equal(data.set("k", A, cas), Status.CasMismatch);
  });

  it("runs a hook before the access of that number, once", () => {
    const data = new SharedData();
    let runs = 0;
    data.beforeCall(1, () => void runs++);
    data.get("k");
    assert.deepEqual([runs, data.callHookPending], [0, true]);
    data.set("k", A, 0);
    data.get("k");
    assert.deepEqual([runs, data.callHookPending], [1, false]);
  });

  it("makes sets lose a race where a value is stored", () => {
    const data = new SharedData();
    data.set("k", A, 0);
    const cas = data.get("k")?.cas ?? 0;
    data.loseNextSets(1);
    assert.equal(data.set("new", A, 5), Status.Ok);
    assert.equal(data.set("k", B, cas), Status.CasMismatch);
    assert.equal(data.set("k", B, data.get("k")?.cas ?? 0), Status.Ok);
  });
});

describe("metrics", () => {
  it("are one for each name, and a gauge below zero wraps", () => {
    const metrics = new Metrics();
    const gauge = metrics.define(MetricKind.Gauge, "g");
    assert.equal(metrics.define(MetricKind.Gauge, "g"), gauge);
    metrics.increment(gauge, -1n);
    assert.equal(gauge.value, 2n ** 64n - 1n);
  });

  it("refuse to increase a counter by nothing or less", () => {
    const metrics = new Metrics();
    const counter = metrics.define(MetricKind.Counter, "c");
    assert.equal(metrics.increment(counter, 0n), Status.BadArgument);
    assert.equal(metrics.increment(counter, -1n), Status.BadArgument);
    assert.equal(metrics.increment(counter, 2n), Status.Ok);
    assert.equal(metrics.value("c"), 2);
  });
});

describe("time", () => {
  it("passes with the ticks that the filters asked for", () => {
    const proxy = new Proxy();
    const roots = proxy.workers.flatMap((worker) => worker.ticking());
    assert.ok(roots.length > 0, "some filter wants ticks");
    const before = proxy.host.clock.exactSeconds;
    proxy.host.pass(5);
    assert.ok(Math.abs(proxy.host.clock.exactSeconds - before - 5) < 0.01);
  });
});

describe("requests and connections", () => {
  it("are refused on a worker that has no such filter", () => {
    const worker = new FakeHost().worker();
    assert.throws(() => worker.request("GET", "/healthz"), /no filter "admin"/);
    assert.throws(() => worker.connection(), /no filter "observer"/);
  });

  it("may be in progress in any number, and end in any order", () => {
    const proxy = new Proxy();
    const hello = clientHello({ sni: "many.example" });
    const connections = Array.from({ length: 300 }, () => proxy.worker.connection().fromClient(hello));
    for (const connection of connections.filter((_, i) => i % 2 === 0)) connection.close();
    for (const connection of connections.reverse()) connection.close();
    assert.equal(proxy.worker.request("GET", "/v1/stats", { token: FULL_TOKEN }).status, 200);
  });
});
