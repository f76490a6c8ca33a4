import { StoreResult } from "../../../../assembly/ports/shared_store";
import { Lookup, PutOutcome } from "../../../../assembly/session/cache";
import { Flush } from "../../../../assembly/session/jobs/flush";
import { Deadline } from "../../../../assembly/work/job";
import { Cause, Session } from "../../../../assembly/session/record/session";
import { GivenSettings } from "../../../../assembly/session/settings/settings";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Shown, Walk, WalkStep } from "../../../../assembly/session/jobs/walk";
import { FakeClock } from "../../support/fake_clock";
import { FakeMetrics } from "../../support/fake_metrics";
import { FakeStore } from "../../support/fake_store";
import { Bench, benchOfSize, idOf, look, session } from "../../support/sessions";

describe("pages that are split as they fill", () => {
  it("are as many as are needed, and other workers find their way", () => {
    const bench = benchOfSize(0, 64);
    const late = bench.worker();
    expect(look(late.cache, 1)).toBe(Lookup.Absent);
    for (let i: u32 = 0; i < 4000; i++) bench.cache.put(session(i));
    expect(pagesOf(bench) > 100).toBe(true);
    expect(pagesOf(bench) < 300).toBe(true);
    for (let i: u32 = 0; i < 4000; i++) expect(look(late.cache, i)).toBe(Lookup.Found);
    expect(look(late.cache, 4001)).toBe(Lookup.Absent);
    expect(shown(bench.worker())).toBe(4000);
    expect(bench.number()).toBe(4000);
  });

  it("keep tombstones and saturation on both sides", () => {
    const bench = benchOfSize(0, 1);
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i));
    for (let i: u32 = 0; i < 3000; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    const late = bench.worker();
    for (let i: u32 = 0; i < 3000; i++) expect(look(late.cache, i)).toBe(Lookup.Removed);
    expect(bench.count(Metric.TOMBSTONES)).toBe(3000);
    expect(bench.number()).toBe(0);
  });

  it("lose nothing and show nothing twice, whoever meets whom at any write of a split", () => {
    for (let position = 0; position < 4; position++) {
      const store = new MeetingStore();
      const bench = benchOn(store);
      const other = bench.worker();
      store.other = other;
      store.next = 2048;
      for (let i: u32 = 0; i < 600; i++) {
        // Every addition has one write or, with a split, up to four.
        store.conflictAt(position);
        expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
      }
      store.other = null;
      expect(store.met > 5).toBe(true);
      for (let i: u32 = 0; i < 600; i++) {
        expect(look(bench.cache, i)).toBe(Lookup.Found);
        expect(look(other.cache, i)).toBe(Lookup.Found);
      }
      for (let i: u32 = 2048; i < store.next; i++) expect(look(bench.cache, i)).toBe(Lookup.Found);
      const all = 600 + <i32>(store.next - 2048);
      expect(bench.number()).toBe(all, "number");
      expect(shown(bench)).toBe(all, "shown");
      expect(shown(bench.worker())).toBe(all, "shown to another " + position.toString());
    }
  });

  it("count only as far as the page they come from says so: a split that was interrupted is none", () => {
    const store = new InterruptedStore();
    const bench = benchOn(store);
    for (let i: u32 = 0; i < 1000; i++) {
      // The write after next, if there is one in this addition, does not happen: the second step of a split.
      store.failing = 2;
      bench.cache.put(session(i));
      store.failing = -1;
      expect(bench.number()).toBe(<i32>i + 1 - bench.count(Metric.CACHE_FULL));
    }
    expect(store.interrupted > 0).toBe(true);
    const held = bench.number();
    expect(shown(bench)).toBe(held);
    expect(shown(bench.worker())).toBe(held);
    const job = new Flush(bench.worker().cache, 0);
    expect(job.begin()).toBe(true);
    const deadline = new Deadline(bench.clock);
    deadline.start(u64.MAX_VALUE >> 1);
    expect(job.step(deadline)).toBe(true);
    expect(<i32>job.removed).toBe(held, "no trace of a split is flushed, or counted");
    expect(bench.number()).toBe(0);
    // The next ones succeed, over what was left there.
    for (let i: u32 = 1000; i < 3000; i++) expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
    expect(shown(bench.worker())).toBe(2000);
  });

  it("are all seen by a walk that has begun, though they are split meanwhile", () => {
    const bench = benchOfSize(0, 64);
    for (let i: u32 = 0; i < 600; i++) bench.cache.put(session(i));
    const other = bench.worker();
    const seen = new Uint8Array(4096);
    const walk = new Walk(bench.cache, Shown.Sessions, 0, 0);
    let next: u32 = 600;
    while (walk.next() == WalkStep.Entry) {
      seen[numberOf(bench.cache.found)] = 1;
      for (let i = 0; i < 5 && next < 3600; i++) other.cache.put(session(next++));
    }
    for (let i = 0; i < 600; i++) expect(seen[i]).toBe(1, "session " + i.toString());
  });

  it("are all reached by a flush that has begun, though another worker splits them meanwhile", () => {
    const bench = benchOfSize(0, 64);
    for (let i: u32 = 0; i < 600; i++) bench.cache.put(session(i));
    const other = bench.worker();
    const job = new Flush(bench.cache, 0);
    expect(job.begin()).toBe(true);
    const deadline = new Deadline(bench.clock);
    let next: u32 = 600;
    for (let slice = 0; slice < 2000; slice++) {
      // The clock of the fake stands still, so a deadline of nothing has passed at once: one page for each slice.
      deadline.start(0);
      if (job.step(deadline)) break;
      for (let i = 0; i < 100 && next < 3600; i++) other.cache.put(session(next++));
    }
    expect(<i32>job.removed).toBe(600);
    expect(bench.number()).toBe(3000);
  });
});

describe("a page that was damaged", () => {
  it("is counted once, is empty from then on, and works again", () => {
    const store = new FakeStore();
    const bench = benchOn(store);
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i));
    expect(store.damage("/page", 100, 1)).toBe(1);
    const late = bench.worker();
    const left = shown(late);
    expect(left < 1000 && left > 940).toBe(true);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(1);
    expect(bench.number()).toBe(left, "the number and the listing agree");
    let lost = 0;
    for (let i: u32 = 0; i < 1000; i++) {
      if (look(bench.cache, i) == Lookup.Found) continue;
      lost++;
      expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
    }
    expect(lost).toBe(1000 - left);
    expect(shown(bench.worker())).toBe(1000);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(1);
  });

  it("of any kind hides none of the others, all at once", () => {
    const store = new FakeStore();
    const bench = benchOn(store);
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i));
    const pages = pagesOf(bench);
    expect(store.damage("/page", 13, 10_000)).toBe(pages);
    for (let i: u32 = 0; i < 1000; i++) expect(look(bench.cache, i)).toBe(Lookup.Absent);
    for (let i: u32 = 0; i < 2000; i++) expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(pages);
    expect(shown(bench.worker())).toBe(2000);
    expect(bench.number()).toBe(2000);
  });

  it("by being longer than any page is counted, and works again", () => {
    const store = new FakeStore();
    const bench = benchOn(store);
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i));
    const pages = pagesOf(bench);
    store.lengthen("/page");
    for (let i: u32 = 0; i < 1000; i++) expect(look(bench.cache, i)).toBe(Lookup.Absent);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(pages);
    for (let i: u32 = 0; i < 1000; i++) expect(bench.cache.put(session(i))).toBe(PutOutcome.Added);
    expect(shown(bench.worker())).toBe(1000);
    expect(bench.count(Metric.CORRUPTED_PAGES)).toBe(pages);
  });
});

/** At a conflict another worker adds a session of its own. */
class MeetingStore extends FakeStore {
  other: Bench | null = null;
  next: u32 = 0;
  met: i32 = 0;

  otherWriter(): void {
    const other = this.other;
    if (!other || this.next == 4000) return;
    this.met++;
    other.cache.put(session(this.next++));
  }
}

/** The n-th write from now fails. */
class InterruptedStore extends FakeStore {
  failing: i32 = -1;
  interrupted: i32 = 0;

  replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult {
    if (this.isPage(key, keyLength) && this.failing >= 0 && this.failing-- == 0) {
      this.interrupted++;
      return StoreResult.Failed;
    }
    return super.replace(key, keyLength, value, valueLength, mark);
  }

  create(key: usize, keyLength: i32, value: usize, valueLength: i32): StoreResult {
    if (this.isPage(key, keyLength)) this.failing--;
    return super.create(key, keyLength, value, valueLength);
  }

  private isPage(key: usize, keyLength: i32): bool {
    return String.UTF8.decodeUnsafe(key, keyLength - 4).endsWith("/page");
  }
}

function benchOn(store: FakeStore): Bench {
  const given = new GivenSettings();
  given.cacheSize = 0;
  given.maxMemoryMib = 64;
  return new Bench(store, new FakeClock(), new FakeMetrics(), given);
}

/** Sessions that a listing shows. */
function shown(bench: Bench): i32 {
  let count = 0;
  let page: u32 = 0;
  let version: u64 = 0;
  for (let walks = 0; walks < 1000; walks++) {
    const walk = new Walk(bench.cache, Shown.Sessions, page, version);
    let step = walk.next();
    for (; step == WalkStep.Entry; step = walk.next()) count++;
    if (step == WalkStep.End) return count;
    page = walk.page;
    version = walk.version;
  }
  return -1;
}

function pagesOf(bench: Bench): i32 {
  const directory = bench.cache.pages.directory;
  let count = 0;
  for (let page = directory.next(0); page < directory.pages; page = directory.next(page + 1)) count++;
  return count;
}

function numberOf(found: Session): i32 {
  return <i32>bswap(load<u32>(found.id));
}
