import { PutOutcome } from "../../../../assembly/session/cache";
import { Counts, Room } from "../../../../assembly/session/counting/counts";
import { Deadline } from "../../../../assembly/work/job";
import { Cause } from "../../../../assembly/session/record/session";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweeper } from "../../../../assembly/session/jobs/sweeper";
import { FakeMetrics } from "../../support/fake_metrics";
import { FakeStore } from "../../support/fake_store";
import { Bench, benchOfSize, idOf, session } from "../../support/sessions";

describe("the numbers of a cache", () => {
  it("decide about room whatever the gauges show, which may be those of two processes", () => {
    const bench = benchOfSize(10);
    bench.metrics.record(Metric.SESSIONS, 1000);
    for (let i: u32 = 0; i < 10; i++) expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
    expect(bench.number()).toBe(10);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0);
    bench.metrics.record(Metric.SESSIONS, 0);
    expect(bench.cache.put(session(10))).toBe(PutOutcome.Added);
    expect(bench.number()).toBe(10);
    expect(bench.count(Metric.CACHE_FULL)).toBe(1);
  });

  it("cost no write where a session takes the place of another", () => {
    const bench = benchOfSize(10);
    for (let i: u32 = 0; i < 10; i++) bench.cache.put(session(i));
    bench.cache.counts.read();
    const mark = bench.cache.counts.mark;
    for (let i: u32 = 10; i < 20; i++) bench.cache.put(session(i));
    bench.cache.counts.read();
    expect(bench.cache.counts.mark).toBe(mark);
    expect(bench.number()).toBe(10);
  });

  it("take along later what could not be stored", () => {
    const store = new FakeStore();
    const counts = new Counts("default", store, new FakeMetrics());
    counts.begin(5, 0, 0);
    store.alwaysConflicts = true;
    counts.move(-2, 2, 0);
    expect(counts.take(9)).toBe(Room.Unknown);
    store.alwaysConflicts = false;
    counts.read();
    expect(counts.sessions).toBe(5);
    counts.settle();
    expect([counts.sessions, counts.tombstones]).toStrictEqual([3, 2]);
    counts.settle();
    expect(counts.sessions).toBe(3);
    expect(counts.take(3)).toBe(Room.None);
    expect(counts.take(4)).toBe(Room.Taken);
    expect(counts.take(0)).toBe(Room.Taken);
  });

  it("are never below zero, and given a first time only once", () => {
    const counts = new Counts("default", new FakeStore(), new FakeMetrics());
    counts.begin(1, 1, 1);
    counts.begin(7, 7, 7);
    counts.move(-3, -1, -1);
    expect([counts.sessions, counts.tombstones, counts.saturatedPages]).toStrictEqual([0, 0, 0]);
  });

  it("are shown by the gauges again within a second, whoever has set them meanwhile", () => {
    const bench = new Bench();
    for (let i: u32 = 0; i < 3; i++) bench.cache.put(session(i));
    bench.cache.remove(idOf(0), 32, Cause.API);
    bench.metrics.record(Metric.SESSIONS, 77);
    bench.metrics.record(Metric.TOMBSTONES, 77);
    sweepFor(bench, new Sweeper(bench.cache, bench.store), 1);
    expect([bench.count(Metric.SESSIONS), bench.count(Metric.TOMBSTONES)]).toStrictEqual([2, 1]);
  });
});

describe("numbers that are wrong, as a machine has ended in the middle of a change", () => {
  it("are put right in a cache that is quiet", () => {
    const bench = benchOfSize(10);
    for (let i: u32 = 0; i < 10; i++) bench.cache.put(session(i, 1000));
    bench.cache.remove(idOf(0), 32, Cause.API);
    bench.cache.counts.move(1, 5, 2);
    const sweeper = new Sweeper(bench.cache, bench.store);
    sweepFor(bench, sweeper, 4);
    expect(bench.number()).toBe(10);
    sweepFor(bench, sweeper, 16);
    expect(bench.number()).toBe(9);
    const counts = bench.cache.counts;
    expect([counts.tombstones, counts.saturatedPages]).toStrictEqual([1, 0]);
    expect(bench.cache.put(session(20))).toBe(PutOutcome.Added);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0);
  });

  it("are not touched while sessions come and go", () => {
    const bench = benchOfSize(10);
    for (let i: u32 = 0; i < 5; i++) bench.cache.put(session(i, 1000));
    bench.cache.counts.move(1, 0, 0);
    const sweeper = new Sweeper(bench.cache, bench.store);
    for (let i: u32 = 0; i < 8; i++) {
      bench.cache.put(session(100 + i, 1000));
      bench.cache.remove(idOf(100 + i), 32, Cause.API);
      sweepFor(bench, sweeper, 4);
    }
    expect(bench.number()).toBe(6);
  });

  it("never let a cache that is full of nothing refuse for ever", () => {
    const bench = benchOfSize(1);
    bench.cache.counts.move(1, 0, 0);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Contended);
    sweepFor(bench, new Sweeper(bench.cache, bench.store), 16);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
  });
});

/** Ten ticks a second of the one that sweeps. */
function sweepFor(bench: Bench, sweeper: Sweeper, seconds: i32): void {
  const deadline = new Deadline(bench.clock);
  for (let tick = 0; tick <= seconds * 10; tick++) {
    if (sweeper.elect()) {
      deadline.start(u64.MAX_VALUE >> 1);
      sweeper.work(deadline);
    }
    bench.clock.nanoseconds += 100_000_000;
  }
}
