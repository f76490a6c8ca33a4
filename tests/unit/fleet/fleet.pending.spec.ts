import { FleetMetric } from "../../../assembly/fleet/state/metrics";
import { StatusValue } from "../../../assembly/fleet/state/status";
import { NANOSECONDS_PER_SECOND } from "../../../assembly/ports/clock";
import { Cause } from "../../../assembly/session/record/session";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { idOf, session, Text } from "../support/sessions";

/** More than two batches have room for. */
const SESSIONS: u32 = 3000;
const MINUTES: i64 = 120;

class Pending {
  constructor(
    readonly decisions: u64,
    readonly sessions: u64,
    /** Since when, in seconds. */
    readonly age: u64,
  ) {}
}

/** Whatever a proxy shows as pending a moment later. */
function pendingOf(proxy: Proxy): Pending {
  proxy.clock.advance(1);
  proxy.work();
  const value = new StatusValue("default", proxy.bench.store);
  const status = value.read()!;
  const age = status.oldest == 0 ? 0 : (status.writtenAt - status.oldest) / NANOSECONDS_PER_SECOND;
  const pending = new Pending(status.pendingDecisions, status.pendingSessions, age);
  value.free();
  expect(proxy.metrics.read(FleetMetric.PENDING_DECISIONS)).toBe(pending.decisions, "the gauge shows the same");
  expect(proxy.metrics.read(FleetMetric.LAG_SECONDS)).toBe(pending.age, "the gauge shows the same");
  return pending;
}

/** A proxy that has followed its store, which is away now. */
function cutOff(): Proxy {
  const proxy = new Proxy(new FakeEtcd(), "one");
  settle([proxy]);
  const nothing = pendingOf(proxy);
  expect(nothing.decisions + nothing.sessions + nothing.age).toBe(0);
  proxy.journal.isReachable = false;
  return proxy;
}

function revoke(proxy: Proxy, name: string): void {
  const sni = new Text(name);
  proxy.cache.revocations.revoke(sni.start, sni.length);
}

function issueMany(proxy: Proxy): void {
  for (let number: u32 = 0; number < SESSIONS; number++) {
    proxy.cache.readSettings();
    proxy.cache.learn(session(number, 3600));
    if (number % 50 == 0) proxy.work();
  }
}

describe("a proxy whose store is away", () => {
  it("counts each named decision as pending, also those that were made while one waits", () => {
    const proxy = cutOff();
    for (let number = 0; number < 5; number++) {
      revoke(proxy, "shop" + number.toString() + ".example");
      expect(pendingOf(proxy).decisions).toBe(number + 1);
    }
    proxy.journal.isReachable = true;
    settle([proxy]);
    expect(pendingOf(proxy).decisions).toBe(0);
  });

  it("shows for how long a named decision is pending", () => {
    const proxy = cutOff();
    revoke(proxy, "shop.example");
    proxy.clock.advance(MINUTES);
    revoke(proxy, "bank.example");
    expect(pendingOf(proxy).age).toBe(MINUTES + 1);
    proxy.journal.isReachable = true;
    settle([proxy]);
    expect(pendingOf(proxy).age).toBe(0);
  });

  it("counts sessions and decisions apart, also if more come than batches hold", () => {
    const proxy = cutOff();
    issueMany(proxy);
    const before = pendingOf(proxy);
    expect(before.decisions).toBe(0);
    expect(before.sessions).toBe(SESSIONS);
    for (let number: u32 = 0; number < 3; number++) proxy.cache.remove(idOf(number), 32, Cause.API);
    const after = pendingOf(proxy);
    expect(after.decisions).toBe(3);
    expect(after.sessions).toBe(SESSIONS);
    proxy.journal.isReachable = true;
    settle([proxy], 20);
    const told = pendingOf(proxy);
    expect(told.decisions + told.sessions).toBe(0);
  });

  it("shows for how long records are pending after another machine has become the leader", () => {
    const proxy = cutOff();
    proxy.cache.remove(idOf(1), 32, Cause.API);
    proxy.work();
    proxy.clock.advance(MINUTES);
    proxy.changeLeader();
    expect(pendingOf(proxy).age).toBeGreaterThanOrEqual(MINUTES);
  });
});

describe("a proxy whose keys were deleted in the store", () => {
  it("shows its decisions as pending from then on", () => {
    const etcd = new FakeEtcd();
    const proxy = new Proxy(etcd, "one");
    settle([proxy]);
    revoke(proxy, "shop.example");
    settle([proxy]);
    proxy.clock.advance(MINUTES);
    proxy.work();
    const key = etcd.beginningWith("n/r/")[0];
    proxy.journal.denied = key;
    etcd.remove(key);
    settle([proxy], 1);
    const pending = pendingOf(proxy);
    expect(pending.decisions).toBe(1);
    expect(pending.age).toBeLessThan(5);
  });
});
