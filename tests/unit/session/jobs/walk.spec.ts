import { Cause, Known } from "../../../../assembly/session/record/session";
import { Shown, Walk, WalkStep } from "../../../../assembly/session/jobs/walk";
import { Bench, benchOfSize, idOf, session } from "../../support/sessions";

describe("walking through a cache", () => {
  it("shows nothing of an empty cache", () => {
    const bench = new Bench();
    expect(new Walk(bench.cache, Shown.Sessions, 0, 0).next()).toBe(WalkStep.End);
  });

  it("shows every session exactly once, in chains of walks of any length", () => {
    const bench = benchOfSize(0);
    for (let i: u32 = 0; i < 500; i++) bench.cache.put(session(i));
    for (let limit = 1; limit < 200; limit += 37) {
      expect(countSeen(bench, Shown.Sessions, limit, 500)).toBe(500);
    }
  });

  it("shows removed sessions apart from those that are held", () => {
    const bench = new Bench();
    for (let i: u32 = 0; i < 50; i++) bench.cache.put(session(i));
    for (let i: u32 = 0; i < 20; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    expect(countSeen(bench, Shown.Removals, 7, 20)).toBe(20);
    expect(countSeen(bench, Shown.Sessions, 7, 50)).toBe(30);
  });

  it("agrees with the number, expired sessions included", () => {
    const bench = new Bench();
    for (let i: u32 = 0; i < 50; i++) bench.cache.put(session(i, 10));
    bench.clock.advance(11);
    expect(countSeen(bench, Shown.Sessions, 10, 50)).toBe(bench.number());
  });

  it("does not show tombstones that have ended", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.advance(604801);
    expect(new Walk(bench.cache, Shown.Removals, 0, 0).next()).toBe(WalkStep.End);
  });

  it("continues at its place after entries that it has shown are gone", () => {
    const bench = benchOfSize(0, 0);
    for (let i: u32 = 0; i < 10; i++) bench.cache.put(session(i));
    const walk = new Walk(bench.cache, Shown.Sessions, 0, 0);
    for (let i = 0; i < 5; i++) walk.next();
    for (let i: u32 = 0; i < 5; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    const rest = new Walk(bench.cache, Shown.Sessions, walk.page, walk.version);
    let shown = 0;
    while (rest.next() == WalkStep.Entry) shown++;
    expect(shown).toBe(5);
  });

  it("pauses after a bounded number of pages, and can be continued", () => {
    const bench = benchOfSize(0, 64);
    // Names as long as can be, and each another, so that few sessions have room in a page.
    const name = memory.data(255);
    memory.fill(name, 0x61, 255);
    for (let i: u32 = 0; i < 4000; i++) {
      const long = session(i);
      store<u32>(name, i);
      long.sni = name;
      long.sniLength = 255;
      long.known |= Known.SNI;
      bench.cache.put(long);
    }
    let pauses = 0;
    let page: u32 = 0;
    let version: u64 = 0;
    let shown = 0;
    for (let walks = 0; walks < 100; walks++) {
      const walk = new Walk(bench.cache, Shown.Sessions, page, version);
      let step = walk.next();
      while (step == WalkStep.Entry) {
        shown++;
        step = walk.next();
      }
      page = walk.page;
      version = walk.version;
      if (step == WalkStep.End) break;
      expect(step).toBe(WalkStep.Paused);
      pauses++;
    }
    expect(pauses).toBe(1);
    expect(shown).toBe(4000);
  });

  it("reports a store that does not answer", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    const walk = new Walk(bench.cache, Shown.Sessions, 0, 0);
    bench.store.broken = true;
    expect(walk.next()).toBe(WalkStep.Failed);
  });
});

/** Goes through all pages of a listing with a limit; the number of different IDs, or -1 if one came twice. */
function countSeen(bench: Bench, kind: Shown, limit: i32, bound: i32): i32 {
  const seen = new Set<u32>();
  let page: u32 = 0;
  let version: u64 = 0;
  for (let pages = 0; pages <= bound; pages++) {
    const walk = new Walk(bench.cache, kind, page, version);
    for (let i = 0; i < limit; i++) {
      if (walk.next() != WalkStep.Entry) return seen.size;
      const number = bswap(load<u32>(kind == Shown.Removals ? bench.cache.tombstone.id : bench.cache.found.id));
      if (seen.has(number)) return -1;
      seen.add(number);
    }
    page = walk.page;
    version = walk.version;
  }
  return seen.size;
}
