import { Cache, Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { Cause } from "../../../assembly/session/record/session";
import { Metric } from "../../../assembly/session/counting/statistics";
import { Bench, idOf, look, session } from "../support/sessions";
import { FakeClock } from "../support/fake_clock";
import { FakeMetrics } from "../support/fake_metrics";
import { FakeStore } from "../support/fake_store";
import { GivenSettings } from "../../../assembly/session/settings/settings";

// Two workers on one cache: whatever one does at any point between another's read and write, the result is that of one
// after the other. Position 0 is the moment before the first write of a change, 1 before its second, and so on: there
// are never more than seven (the directory, the evicted session's page, the page itself, the number of sessions before and after it, and
// their repetitions).
const POSITIONS: i32 = 8;

const enum Step {
  PutSame = 0,
  PutOther = 1,
  Remove = 2,
  Resume = 3,
}

describe("two workers that add the same session at once", () => {
  it("store it once, and one of the two finds it there", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.PutSame, position);
      const outcome = race.bench.cache.put(session(1, 100));
      expect(race.bench.number()).toBe(1);
      expect(look(race.bench.cache, 1)).toBe(Lookup.Found);
      const happened = race.store.happened;
      expect(outcome).toBe(happened ? PutOutcome.Identical : PutOutcome.Added, "position " + position.toString());
    }
  });
});

describe("two workers that add different sessions at once", () => {
  it("lose neither, in one page or in two", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.PutOther, position);
      expect(race.bench.cache.put(session(1))).toBe(PutOutcome.Added);
      race.finish();
      expect(race.bench.number()).toBe(2);
      expect(look(race.bench.cache, 1)).toBe(Lookup.Found);
      expect(look(race.bench.cache, 2)).toBe(Lookup.Found);
    }
  });

  it("never exceed the size, and count no more than they hold", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.PutOther, position, 3);
      for (let i: u32 = 10; i < 13; i++) race.bench.cache.put(session(i, 10));
      race.arm(position);
      expect(race.bench.cache.put(session(1))).toBe(PutOutcome.Added);
      race.finish();
      expect(race.held() <= 3).toBe(true);
      expect(race.bench.number()).toBe(race.held());
      expect(look(race.bench.cache, 1)).toBe(Lookup.Found);
    }
  });
});

describe("adding and removing a session at once", () => {
  it("leaves it removed, or added by hand afterwards", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.Remove, position);
      race.bench.cache.put(session(1, 50));
      race.arm(position);
      // A removal that came in between is lifted by the change by hand that comes after it.
      const outcome = race.bench.cache.put(session(1, 100));
      expect(outcome).toBe(race.store.happened ? PutOutcome.Added : PutOutcome.Replaced);
      expect(look(race.bench.cache, 1)).toBe(Lookup.Found);
      expect(race.bench.number()).toBe(1);
      if (race.store.happened) continue;
      race.finish();
      expect(look(race.bench.cache, 1)).toBe(Lookup.Removed);
      expect(race.bench.number()).toBe(0);
    }
  });

  it("never lets learning undo a removal", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.Remove, position);
      race.bench.cache.readSettings();
      race.bench.cache.learn(session(1));
      race.finish();
      expect(look(race.bench.cache, 1)).toBe(Lookup.Removed);
      expect(race.bench.number()).toBe(0);
    }
  });

  it("never lets a hit undo a removal", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.Remove, position);
      race.bench.cache.put(session(1));
      race.arm(position);
      race.bench.cache.readSettings();
      race.bench.cache.resume(session(1));
      race.finish();
      expect(look(race.bench.cache, 1)).toBe(Lookup.Removed);
      expect(race.bench.number()).toBe(0);
    }
  });
});

describe("two workers that remove the same session at once", () => {
  it("remove it once", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.Remove, position);
      race.bench.cache.put(session(1));
      race.arm(position);
      const outcome = race.bench.cache.remove(idOf(1), 32, Cause.API);
      race.finish();
      const removedByOther = race.store.removed == RemoveOutcome.Removed;
      expect(race.store.removed == RemoveOutcome.Contended).toBe(false);
      expect(outcome).toBe(removedByOther ? RemoveOutcome.NotFound : RemoveOutcome.Removed);
      expect(race.bench.count(Metric.REMOVES)).toBe(1);
      expect(race.bench.count(Metric.TOMBSTONES)).toBe(1);
      expect(race.bench.number()).toBe(0);
    }
  });
});

describe("two workers that resume the same session at once", () => {
  it("count both hits", () => {
    for (let position = 0; position < POSITIONS; position++) {
      const race = new Race(Step.Resume, position);
      race.bench.cache.put(session(1));
      race.arm(position);
      race.bench.cache.readSettings();
      race.bench.cache.resume(session(1));
      race.finish();
      look(race.bench.cache, 1);
      expect(race.bench.cache.found.hits).toBe(2);
      expect(race.bench.count(Metric.HITS)).toBe(2);
    }
  });
});

/** A store on which another worker takes one step at a chosen moment. */
class RacingStore extends FakeStore {
  happened: bool = false;
  step: i32 = 0;
  /** What the other worker's removal has answered. */
  removed: RemoveOutcome = RemoveOutcome.Contended;
  other: Cache | null = null;

  otherWriter(): void {
    const other = this.other;
    if (!other || this.happened) return;
    this.happened = true;
    other.readSettings();
    if (this.step == Step.PutSame) other.put(session(1, 100));
    else if (this.step == Step.PutOther) other.put(session(2));
    else if (this.step == Step.Remove) this.removed = other.remove(idOf(1), 32, Cause.API);
    else other.resume(session(1));
  }
}

class Race {
  readonly store: RacingStore;
  readonly bench: Bench;

  /** A cache of one page, so that both workers meet in it. */
  constructor(step: i32, position: i32, cacheSize: i64 = 100) {
    const given = new GivenSettings();
    given.maxMemoryMib = 0;
    given.cacheSize = cacheSize;
    const clock = new FakeClock();
    const metrics = new FakeMetrics();
    const store = new RacingStore();
    const bench = new Bench(store, clock, metrics, given);
    this.store = store;
    this.bench = bench;
    store.other = bench.worker().cache;
    store.step = step;
    this.arm(position);
  }

  /** Lets the other worker come before the write of the given position from now. */
  arm(position: i32): void {
    this.store.happened = false;
    this.store.conflictAt(position);
  }

  /** Takes the other worker's step now, if its moment never came. */
  finish(): void {
    this.store.conflictAt(-1);
    this.store.otherWriter();
  }

  held(): i32 {
    let held = 0;
    for (let i: u32 = 0; i < 20; i++) {
      if (look(this.bench.cache, i) == Lookup.Found) held++;
    }
    return held;
  }
}
