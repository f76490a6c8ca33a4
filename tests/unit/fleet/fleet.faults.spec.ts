import { FleetMetric } from "../../../assembly/fleet/state/metrics";
import { Cause } from "../../../assembly/session/record/session";
import { Lookup } from "../../../assembly/session/cache";
import { FakeEtcd } from "../support/fake_journal";
import { Proxy, settle } from "../support/fleet";
import { idOf, look } from "../support/sessions";
import { SlowClock } from "../support/slow_clock";

const RECORDS: u32 = 20;
const MAX_STEPS: i32 = 1000;

function remove(proxy: Proxy, number: u32): void {
  proxy.cache.remove(idOf(number), 32, Cause.API);
}

function applied(proxy: Proxy): i32 {
  let count = 0;
  for (let number: u32 = 0; number < RECORDS; number++) if (look(proxy.cache, number) == Lookup.Removed) count++;
  return count;
}

/** The machine that leads ends in the middle of a batch. */
function fault(proxy: Proxy): void {
  const before = applied(proxy);
  for (let step = 0; step < MAX_STEPS && applied(proxy) == before; step++) proxy.fleet.work();
  expect(applied(proxy)).toBeGreaterThan(before, "the batch was begun");
  expect(applied(proxy)).toBeLessThan(RECORDS, "and not ended");
  proxy.changeLeader();
}

function skipped(proxy: Proxy): u64 {
  return proxy.metrics.read(FleetMetric.SKIPPED);
}

describe("a batch over which machines end", () => {
  it("is tried again after one, and left out and counted after two; the next batch is taken over", () => {
    const etcd = new FakeEtcd();
    const writer = new Proxy(etcd, "one");
    const reader = new Proxy(etcd, "two", new SlowClock());
    settle([writer, reader]);
    for (let number: u32 = 0; number < RECORDS; number++) remove(writer, number);
    settle([writer]);
    reader.clock.advance(6);
    fault(reader);
    reader.clock.advance(1);
    // The second machine takes over the first records again, which are here, and one more.
    fault(reader);
    expect(skipped(reader)).toBe(0);
    settle([writer, reader]);
    expect(skipped(reader)).toBe(1);
    expect(applied(reader)).toBeLessThan(RECORDS);
    remove(writer, RECORDS);
    settle([writer, reader]);
    expect(look(reader.cache, RECORDS)).toBe(Lookup.Removed);
    expect(skipped(reader)).toBe(1);
  });

  it("is taken over if only one has ended", () => {
    const etcd = new FakeEtcd();
    const writer = new Proxy(etcd, "one");
    const reader = new Proxy(etcd, "two", new SlowClock());
    settle([writer, reader]);
    for (let number: u32 = 0; number < RECORDS; number++) remove(writer, number);
    settle([writer]);
    reader.clock.advance(6);
    fault(reader);
    settle([writer, reader]);
    expect(applied(reader)).toBe(RECORDS);
    expect(skipped(reader)).toBe(0);
  });
});
