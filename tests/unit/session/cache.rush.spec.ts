import { Lookup } from "../../../assembly/session/cache";
import { Cause } from "../../../assembly/session/record/session";
import { Metric } from "../../../assembly/session/counting/statistics";
import { beginInstant, endInstant } from "../../../assembly/shared/instant";
import { FakeStore } from "../support/fake_store";
import { Bench, idOf, session } from "../support/sessions";

const TENTH: u64 = 100_000_000;

describe("hits of one session in a rush", () => {
  it("are written once at once, and the others together with the tick", () => {
    const bench = rushing();
    const writes = bench.store.writes;
    for (let i = 0; i < 10; i++) expect(bench.cache.resume(session(1))).toBe(Lookup.Found);
    expect(bench.store.writes - writes).toBe(1);
    expect(bench.count(Metric.HITS)).toBe(10);
    expect(hitsOf(bench, 1)).toBe(1);
    tick(bench);
    expect(hitsOf(bench, 1)).toBe(10);
    tick(bench);
    expect(hitsOf(bench, 1)).toBe(10, "they are written once");
  });

  it("are written at once in calm", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.readSettings();
    for (let i = 0; i < 10; i++) bench.cache.resume(session(1));
    expect(hitsOf(bench, 1)).toBe(10);
  });

  it("end with the session: one that was removed stays removed, and is counted as removed from the next tick on", () => {
    const bench = rushing();
    bench.cache.resume(session(1));
    bench.cache.resume(session(1));
    bench.worker().cache.remove(idOf(1), 32, Cause.API);
    bench.cache.resume(session(1));
    expect(bench.cache.peek(idOf(1), 32)).toBe(Lookup.Removed);
    tick(bench);
    expect(bench.cache.peek(idOf(1), 32)).toBe(Lookup.Removed);
    expect(bench.cache.resume(session(1))).toBe(Lookup.Removed);
  });

  it("of many sessions are all counted, also of those that share a place", () => {
    const bench = rushing();
    for (let number: u32 = 2; number < 200; number++) bench.cache.put(session(number));
    for (let round = 0; round < 3; round++) {
      for (let number: u32 = 1; number < 200; number++) bench.cache.resume(session(number));
    }
    tick(bench);
    for (let number: u32 = 1; number < 200; number++) expect(hitsOf(bench, number)).toBe(3, number.toString());
    expect(bench.count(Metric.HITS)).toBe(3 * 199);
  });

  it("are not lost when the filter ends before the tick", () => {
    const bench = rushing();
    const other = bench.worker();
    for (let i = 0; i < 5; i++) bench.cache.resume(session(1));
    bench.cache.free();
    expect(hitsOf(other, 1)).toBe(5);
  });
});

describe("a page that was read in an instant", () => {
  it("is not read again for a hit in the same instant", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.readSettings();
    beginInstant();
    bench.cache.read(idOf(1), 32);
    const reads = bench.store.reads;
    bench.cache.resume(session(1));
    endInstant();
    expect(bench.store.reads).toBe(reads);
    expect(hitsOf(bench, 1)).toBe(1);
  });

  it("is read again if another page was opened in between, or the instant is over", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.put(session(2));
    bench.cache.readSettings();
    beginInstant();
    bench.cache.read(idOf(1), 32);
    bench.cache.read(idOf(2), 32);
    bench.cache.resume(session(1));
    endInstant();
    bench.worker().cache.put(session(1, 77));
    beginInstant();
    bench.cache.resume(session(1));
    endInstant();
    expect([hitsOf(bench, 1), hitsOf(bench, 2)]).toStrictEqual([2, 0]);
    expect(bench.count(Metric.CAS_CONFLICTS)).toBe(0);
  });

  it("is read again when another worker has changed it meanwhile: nobody's change is lost", () => {
    const store = new MetStore();
    const bench = new Bench(store);
    const other = bench.worker();
    bench.cache.put(session(1));
    bench.cache.readSettings();
    other.cache.readSettings();
    store.other = other;
    beginInstant();
    bench.cache.read(idOf(1), 32);
    store.conflictAt(0);
    expect(bench.cache.resume(session(1))).toBe(Lookup.Found);
    endInstant();
    expect(hitsOf(bench, 1)).toBe(2);
    expect(bench.count(Metric.CAS_CONFLICTS)).toBe(1);
  });
});

/** Another worker counts a hit before the write that meets it. */
class MetStore extends FakeStore {
  other: Bench | null = null;

  otherWriter(): void {
    const other = this.other;
    if (other) other.cache.resume(session(1));
  }
}

/** A bench that holds session 1, in a rush. */
function rushing(): Bench {
  const bench = new Bench();
  bench.cache.put(session(1));
  bench.cache.readSettings();
  tick(bench);
  for (let i = 0; i < 65; i++) bench.cache.rush.countNext();
  tick(bench);
  return bench;
}

function tick(bench: Bench): void {
  bench.clock.nanoseconds += TENTH;
  bench.cache.tick();
}

function hitsOf(bench: Bench, number: u32): u32 {
  bench.cache.peek(idOf(number), 32);
  return bench.cache.found.hits;
}
