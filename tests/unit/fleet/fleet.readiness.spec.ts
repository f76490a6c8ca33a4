import { FleetMetric } from "../../../assembly/fleet/state/metrics";
import { Readiness, readiness } from "../../../assembly/fleet/state/readiness";
import { StatusValue } from "../../../assembly/fleet/state/status";
import { Resync } from "../../../assembly/ports/journal";
import { Lookup } from "../../../assembly/session/cache";
import { Cause } from "../../../assembly/session/record/session";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { flushOf } from "../support/jobs";
import { idOf, look, session, Text } from "../support/sessions";
import { SlowClock } from "../support/slow_clock";

const WAIT: u32 = 2000;
/** Sessions that one proxy has learned, and the first of those that it has removed. */
const SESSIONS: u32 = 600;
const SESSIONS_A_BATCH: u32 = 100;
const REMOVALS: u32 = 20;
const MAX_STEPS: i32 = 10_000;

function readinessOf(proxy: Proxy): Readiness {
  const value = new StatusValue("default", proxy.bench.store);
  const found = readiness(proxy.cache.settings, value, proxy.bench.clock, WAIT);
  value.free();
  return found;
}

/** A store with many sessions, some removals and a revoked name. */
function filledStore(): FakeEtcd {
  const etcd = new FakeEtcd();
  const writer = new Proxy(etcd, "one");
  settle([writer]);
  for (let number: u32 = 0; number < SESSIONS; number++) {
    writer.cache.readSettings();
    writer.cache.learn(session(number, 3600));
    if (number % SESSIONS_A_BATCH == 0) settle([writer], 2);
  }
  for (let number: u32 = 0; number < REMOVALS; number++) writer.cache.remove(idOf(number), 32, Cause.API);
  const sni = new Text("shop.example");
  writer.cache.revocations.revoke(sni.start, sni.length);
  settle([writer]);
  return etcd;
}

function held(proxy: Proxy): u32 {
  let count: u32 = 0;
  for (let number = REMOVALS; number < SESSIONS; number++) if (look(proxy.cache, number) == Lookup.Found) count++;
  return count;
}

/** Has a proxy that starts work slice by slice until it is ready. */
function startUntilReady(etcd: FakeEtcd): Proxy {
  const proxy = new Proxy(etcd, "two", new SlowClock());
  proxy.clock.advance(6);
  for (let step = 0; step < MAX_STEPS && readinessOf(proxy) != Readiness.Synced; step++) proxy.fleet.work();
  expect(readinessOf(proxy)).toBe(Readiness.Synced);
  return proxy;
}

describe("a proxy of a fleet", () => {
  it("is ready as soon as it has read all decisions", () => {
    const proxy = new Proxy(new FakeEtcd(), "one");
    proxy.journal.isReachable = false;
    proxy.work();
    expect(readinessOf(proxy)).toBe(Readiness.Waiting);
    proxy.bench.clock.advance(3);
    proxy.work();
    expect(readinessOf(proxy)).toBe(Readiness.NotReached);
    proxy.journal.isReachable = true;
    proxy.work();
    expect(readinessOf(proxy)).toBe(Readiness.Synced);
  });

  it("is ready before it has read the sessions, and with all decisions", () => {
    const proxy = startUntilReady(filledStore());
    for (let number: u32 = 0; number < REMOVALS; number++) expect(look(proxy.cache, number)).toBe(Lookup.Removed);
    const sni = new Text("shop.example");
    proxy.cache.settings.load();
    expect(proxy.cache.revocations.revokedAt(sni.start, sni.length)).toBeGreaterThan(0);
    expect(held(proxy)).toBeLessThan(SESSIONS / 2);
    expect(proxy.metrics.read(FleetMetric.SYNCED)).toBe(1);
    proxy.work();
    expect(held(proxy)).toBe(SESSIONS - REMOVALS);
  });

  it("is ready only when the flush of another proxy is carried out", () => {
    const etcd = new FakeEtcd();
    const writer = new Proxy(etcd, "one");
    settle([writer]);
    const proxy = new Proxy(etcd, "two", new SlowClock());
    for (let number: u32 = 0; number < SESSIONS; number++) {
      proxy.cache.readSettings();
      proxy.cache.learn(session(number, 3600));
    }
    writer.clock.advance(100);
    flushOf(writer.bench);
    settle([writer]);
    proxy.clock.advance(200);
    for (let step = 0; step < MAX_STEPS && readinessOf(proxy) != Readiness.Synced; step++) proxy.fleet.work();
    expect(readinessOf(proxy)).toBe(Readiness.Synced);
    for (let number: u32 = 0; number < SESSIONS; number++) expect(look(proxy.cache, number)).toBe(Lookup.Removed);
  });

  it("tells its own named decisions while it still reads sessions", () => {
    const etcd = filledStore();
    const proxy = startUntilReady(etcd);
    const sni = new Text("bank.example");
    proxy.cache.revocations.revoke(sni.start, sni.length);
    for (let step = 0; step < MAX_STEPS && etcd.beginningWith("n/r/").length < 2; step++) proxy.fleet.work();
    expect(etcd.beginningWith("n/r/").length).toBe(2);
    expect(held(proxy)).toBeLessThan(SESSIONS - REMOVALS);
  });

  it("takes over decisions of others while it still reads sessions, also about these sessions", () => {
    const etcd = filledStore();
    const writer = new Proxy(etcd, "three");
    settle([writer], 20);
    const proxy = startUntilReady(etcd);
    const last = SESSIONS - 1;
    writer.cache.remove(idOf(last), 32, Cause.API);
    settle([writer], 2);
    for (let step = 0; step < MAX_STEPS && look(proxy.cache, last) != Lookup.Removed; step++) proxy.fleet.work();
    expect(look(proxy.cache, last)).toBe(Lookup.Removed);
    expect(held(proxy)).toBeLessThan(SESSIONS - REMOVALS - 1);
    proxy.work();
    expect(held(proxy)).toBe(SESSIONS - REMOVALS - 1);
    expect(look(proxy.cache, last)).toBe(Lookup.Removed);
  });

  it("stays ready when another machine of it becomes the leader, and when the store is away", () => {
    const proxy = new Proxy(new FakeEtcd(), "one");
    settle([proxy]);
    proxy.journal.isReachable = false;
    proxy.changeLeader();
    proxy.bench.clock.advance(1);
    proxy.work();
    expect(readinessOf(proxy)).toBe(Readiness.Synced);
    expect(proxy.metrics.read(FleetMetric.SYNCED)).toBe(1, "the gauge shows the same");
    proxy.bench.clock.advance(100);
    proxy.work();
    expect(readinessOf(proxy)).toBe(Readiness.Synced);
  });

  it("stays ready while everything is read again", () => {
    const proxy = startUntilReady(filledStore());
    proxy.work();
    proxy.journal.begin(Resync.COMPACTED);
    proxy.clock.advance(1);
    proxy.fleet.work();
    expect(readinessOf(proxy)).toBe(Readiness.Synced);
    expect(proxy.metrics.read(FleetMetric.SYNCED)).toBe(1);
  });
});
