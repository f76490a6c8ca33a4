import { GAUGES, Metric, METRICS } from "../../../../assembly/session/counting/statistics";
import { Tally } from "../../../../assembly/session/counting/tally";
import { FakeMetrics } from "../../support/fake_metrics";
import { FakeStore } from "../../support/fake_store";
import { Rush } from "../../../../assembly/work/rush";

describe("the counters of a cache", () => {
  it("are those of all its machines, at once", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    const other = new Tally("default", store, metrics, false);
    one.increase(Metric.HITS, 2);
    other.increase(Metric.HITS, 3);
    expect([count(one, Metric.HITS), count(other, Metric.HITS)]).toStrictEqual([5, 5]);
    seconds(one, other, 5);
    expect([count(one, Metric.HITS), count(other, Metric.HITS)]).toStrictEqual([5, 5]);
  });

  it("are its own within seconds where the metrics count for others, too", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    const other = new Tally("default", store, metrics, false);
    one.increase(Metric.HITS, 2);
    other.increase(Metric.HITS, 3);
    metrics.increase(Metric.HITS, 1000);
    metrics.increase(Metric.ACCEPT, 7);
    seconds(one, other, 4);
    expect([count(one, Metric.HITS), count(other, Metric.HITS)]).toStrictEqual([5, 5]);
    expect(count(one, Metric.ACCEPT)).toBe(0);
    one.increase(Metric.HITS, 1);
    expect(count(one, Metric.HITS)).toBe(6, "what it has counted itself, at once");
    one.tick();
    expect(count(other, Metric.HITS)).toBe(6);
    expect(metrics.read(Metric.HITS)).toBe(1006, "the metrics stay the host's");
  });

  it("are not taken for others' because a machine is late once", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    const late = new Tally("default", store, metrics, false);
    one.compare();
    late.increase(Metric.HITS, 3);
    one.compare();
    one.compare();
    expect(count(one, Metric.HITS)).toBe(3);
    late.tick();
    one.compare();
    expect(count(one, Metric.HITS)).toBe(3);
  });

  it("go on where a cache that an earlier version made has counted", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    metrics.increase(Metric.HITS, 40);
    const one = new Tally("default", store, metrics, false);
    seconds(one, one, 4);
    one.increase(Metric.HITS, 2);
    seconds(one, one, 4);
    expect(count(one, Metric.HITS)).toBe(42);
  });

  it("begin with a cache that is new, whatever the process has counted before", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    metrics.increase(Metric.HITS, 40);
    const one = new Tally("default", store, metrics, true);
    one.increase(Metric.HITS, 2);
    seconds(one, one, 4);
    expect(count(one, Metric.HITS)).toBe(2);
  });

  it("are read from the store once for all numbers that are asked for", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    one.increase(Metric.HITS, 2);
    metrics.increase(Metric.HITS, 1000);
    seconds(one, one, 4);
    const reads = store.reads;
    one.refresh();
    let sum: u64 = 0;
    for (let metric = GAUGES; metric < METRICS; metric++) sum += one.read(metric);
    expect(store.reads - reads).toBe(1);
    expect(sum).toBe(2);
  });

  it("are those of the metrics while the store does not answer", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    one.increase(Metric.HITS, 2);
    metrics.increase(Metric.HITS, 1000);
    seconds(one, one, 4);
    expect(count(one, Metric.HITS)).toBe(2);
    store.broken = true;
    expect(count(one, Metric.HITS)).toBe(1002);
  });

  it("reach the metrics with the next tick in a rush, and their readers at once", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    const other = new Tally("default", store, metrics, false);
    const rush = new Rush();
    rush.isOn = true;
    one.rush = rush;
    one.increase(Metric.HITS, 2);
    one.increase(Metric.HITS, 3);
    expect(metrics.read(Metric.HITS)).toBe(0);
    expect(count(other, Metric.HITS)).toBe(5, "a reader of the same machine has them handed over first");
    one.increase(Metric.HITS, 1);
    one.tick();
    expect(metrics.read(Metric.HITS)).toBe(6);
    one.increase(Metric.HITS, 1);
    one.free();
    expect(metrics.read(Metric.HITS)).toBe(7, "nothing is lost with the filter");
    seconds(other, other, 4);
    expect(count(other, Metric.HITS)).toBe(7);
  });

  it("lose nothing where others write the sum at the same time", () => {
    const store = new FakeStore();
    const metrics = new FakeMetrics();
    const one = new Tally("default", store, metrics, true);
    one.increase(Metric.HITS, 2);
    store.alwaysConflicts = true;
    one.tick();
    store.alwaysConflicts = false;
    metrics.increase(Metric.HITS, 9);
    seconds(one, one, 4);
    expect(count(one, Metric.HITS)).toBe(2);
  });
});

/** So many seconds of the ticks of two machines, the first of which compares. */
function seconds(one: Tally, other: Tally, count: i32): void {
  for (let i = 0; i < count; i++) {
    one.compare();
    one.tick();
    other.tick();
  }
}

/** A number as a request reads it. */
function count(tally: Tally, metric: i32): u64 {
  tally.refresh();
  return tally.read(metric);
}
