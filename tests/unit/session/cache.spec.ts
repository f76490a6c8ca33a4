import { Cause } from "../../../assembly/session/session";
import { Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { Metric } from "../../../assembly/session/statistics";
import { Bench, benchOfSize, idOf, look, session } from "../support/sessions";

describe("SSL_CTX_add_session", () => {
  it("adds, does nothing for the identical session, and replaces a different one", () => {
    const bench = new Bench();
    expect(bench.cache.put(session(1, 100))).toBe(PutOutcome.Added);
    expect(bench.cache.put(session(1, 100))).toBe(PutOutcome.Identical);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Identical, "a change that gives nothing changes nothing");
    expect(bench.cache.put(session(1, 200))).toBe(PutOutcome.Replaced);
    expect(bench.number()).toBe(1);
  });
});

describe("SSL_CTX_remove_session", () => {
  it("removes what is held and refuses it, and what is not held too", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.Removed);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(bench.cache.remove(idOf(2), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    expect(look(bench.cache, 3)).toBe(Lookup.Absent);
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.TOMBSTONES)).toBe(2);
  });
});

describe("a full cache", () => {
  it("holds exactly its size and evicts what expires first", () => {
    const bench = benchOfSize(2);
    bench.cache.put(session(1, 300));
    bench.cache.put(session(2, 100));
    bench.cache.put(session(3, 200));
    expect(bench.number()).toBe(2);
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
    expect(bench.count(Metric.CACHE_FULL)).toBe(1);
  });
});
