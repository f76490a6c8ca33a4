import { Lookup } from "../../../../assembly/session/cache";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { ForeignFlush } from "../../../../assembly/session/jobs/flush";
import { Entry } from "../../../../assembly/session/pages/entry";
import { Applied } from "../../../../assembly/session/record/applied";
import { Origin, Session } from "../../../../assembly/session/record/session";
import { STAMPS_PER_SECOND } from "../../../../assembly/session/record/stamp";
import { finish, flushOf } from "../../support/jobs";
import { Bench, idOf, look, session } from "../../support/sessions";

const NOW: u64 = 1_790_000_000;

describe("a flush of another proxy that is heard in time", () => {
  it("is one of this cache's own: observed sessions count as flushed at once, whatever their time", () => {
    const bench = new Bench();
    learn(bench, 1);
    bench.clock.advance(4);
    learn(bench, 2);
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Stored);
    for (let moment = 0; moment < 2; moment++) {
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      expect(look(bench.cache, 2)).toBe(Lookup.Removed);
      finish(bench, new ForeignFlush(bench.cache));
    }
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.FLUSHED)).toBe(2);
    for (let number: u32 = 1; number <= 2; number++) {
      expect(entryOf(bench, number)!.stamp).toBe(NOW * STAMPS_PER_SECOND, "the same on every proxy");
      expect(entryOf(bench, number)!.isOwn).toBe(true);
    }
    learn(bench, 3);
    finish(bench, new ForeignFlush(bench.cache));
    expect(look(bench.cache, 3)).toBe(Lookup.Found);
  });

  it("is carried out once, however often it is told", () => {
    const bench = new Bench();
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Stored);
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Stored, "it is not carried out yet");
    expect(bench.cache.pastFlushes.arePending).toBe(true);
    finish(bench, new ForeignFlush(bench.cache));
    expect(bench.cache.pastFlushes.arePending).toBe(false);
    learn(bench, 1);
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Older);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });

  it("leaves a session by hand that was put in on top of it, and no other", () => {
    const other = new Bench();
    finish(other, flushOf(other));
    other.cache.put(session(1));
    expect(look(other.cache, 1)).toBe(Lookup.Found);
    const told = new Session();
    copy(told, other.cache.found, 1);

    const bench = new Bench();
    expect(bench.cache.foreign.applyAddition(told)).toBe(Applied.Stored);
    bench.cache.put(session(2));
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Stored);
    finish(bench, new ForeignFlush(bench.cache));
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
  });

  it("reaches those that expire before a time only, if it has one", () => {
    const bench = new Bench();
    learn(bench, 1, 100);
    learn(bench, 2, 200);
    expect(bench.cache.foreign.applyFlush(NOW, NOW + 150)).toBe(Applied.Stored);
    finish(bench, new ForeignFlush(bench.cache));
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    expect(bench.cache.foreign.applyObserved(observed(3, NOW, 100))).toBe(Applied.Older);
    expect(bench.cache.foreign.applyObserved(observed(4, NOW, 150))).toBe(Applied.Stored);
  });
});

describe("a flush of another proxy that is heard late", () => {
  it("takes sessions up to 5 s after it, and those by hand up to its key", () => {
    const bench = new Bench();
    for (let later: u32 = 4; later <= 7; later++) {
      bench.cache.readSettings();
      expect(bench.cache.foreign.applyObserved(observed(later, NOW + <u64>later))).toBe(Applied.Stored);
      expect(bench.cache.foreign.applyAddition(byHand(later + 10, NOW + <u64>later))).toBe(Applied.Stored);
    }
    bench.clock.advance(60);
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Stored);
    finish(bench, new ForeignFlush(bench.cache));
    for (let later: u32 = 4; later <= 7; later++) {
      const expected = later <= 5 ? Lookup.Removed : Lookup.Found;
      expect(look(bench.cache, later)).toBe(expected);
      expect(look(bench.cache, later + 10)).toBe(expected);
    }
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Older);
  });

  it("keeps such sessions out from then on, also on other workers", () => {
    const bench = new Bench();
    bench.clock.advance(60);
    bench.cache.foreign.applyFlush(NOW, 0);
    const worker = bench.worker();
    worker.cache.readSettings();
    expect(worker.cache.foreign.applyObserved(observed(1, NOW + 5))).toBe(Applied.Older);
    expect(worker.cache.foreign.applyAddition(byHand(2, NOW + 5))).toBe(Applied.Older);
    expect(worker.cache.foreign.applyObserved(observed(3, NOW + 6))).toBe(Applied.Stored);
    expect(worker.cache.foreign.applyAddition(byHand(4, NOW + 6))).toBe(Applied.Stored);
  });

  it("does not reach sessions that were learned since, though its proxy's clock is an hour ahead", () => {
    const bench = new Bench();
    learn(bench, 1);
    expect(bench.cache.foreign.applyFlush(NOW + 3600, 0)).toBe(Applied.Stored);
    finish(bench, new ForeignFlush(bench.cache));
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(60);
    learn(bench, 2);
    bench.cache.put(session(3));
    expect(bench.cache.foreign.applyFlush(NOW + 3600, 0)).toBe(Applied.Older);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    expect(bench.cache.pastFlushes.reachAddition(entryOf(bench, 3)!.stamp, NOW + 7200)).toBe(false, "it is on top");
    expect(bench.cache.foreign.applyFlush(NOW + 60, 0)).toBe(Applied.Stored, "one of now is another one");
  });

  it("is taken in again after it was forgotten, unless a later one reaches as far", () => {
    const bench = new Bench();
    bench.clock.advance(10_000);
    for (let i: u64 = 0; i < 20; i++) {
      expect(bench.cache.foreign.applyFlush(NOW + i, 0)).toBe(Applied.Stored);
      finish(bench, new ForeignFlush(bench.cache));
    }
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Older);
    expect(bench.cache.foreign.applyFlush(NOW, NOW + 5)).toBe(Applied.Older);
    // None of these reaches as far as another: the two oldest become one.
    for (let i: u64 = 1; i <= 12; i++) {
      expect(bench.cache.foreign.applyFlush(NOW + 100 + i, NOW + 5000 - i)).toBe(Applied.Stored);
      finish(bench, new ForeignFlush(bench.cache));
      for (let j: u64 = 1; j <= i; j++) {
        expect(bench.cache.pastFlushes.reachObserved(NOW + 105 + j, NOW + 4999 - j)).toBe(true);
      }
    }
    expect(bench.cache.pastFlushes.reachObserved(NOW + 200, NOW + 1)).toBe(false);
  });
});

describe("a flush of this proxy", () => {
  it("keeps out sessions that others tell later, and leaves what is added by hand to them as well", () => {
    const bench = new Bench();
    finish(bench, flushOf(bench));
    bench.cache.readSettings();
    expect(bench.cache.foreign.applyObserved(observed(1, NOW))).toBe(Applied.Older);
    bench.cache.put(session(2));
    expect(bench.cache.found.stamp).toBe((NOW + 5) * STAMPS_PER_SECOND + 1);
  });

  it("tells the tombstones of sessions that are beyond its reach elsewhere", () => {
    const bench = new Bench();
    bench.cache.readSettings();
    bench.cache.foreign.applyObserved(observed(1, NOW + 5));
    bench.cache.foreign.applyObserved(observed(2, NOW + 6));
    bench.cache.foreign.applyAddition(byHand(3, NOW + 5));
    bench.cache.foreign.applyAddition(byHand(4, NOW + 6));
    finish(bench, flushOf(bench));
    for (let number: u32 = 1; number <= 4; number++) {
      expect(look(bench.cache, number)).toBe(Lookup.Removed);
      expect(entryOf(bench, number)!.isOwn).toBe(number % 2 == 0);
    }
  });

  it("is not begun if it could not be remembered", () => {
    const bench = new Bench();
    learn(bench, 1);
    bench.store.alwaysConflicts = true;
    expect(bench.cache.foreign.applyFlush(NOW, 0)).toBe(Applied.Failed);
    bench.store.alwaysConflicts = false;
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });
});

function observed(number: u32, time: u64, timeoutSeconds: u32 = 3600): Session {
  const told = session(number, timeoutSeconds);
  told.time = time;
  return told;
}

function byHand(number: u32, time: u64): Session {
  const told = observed(number, time);
  told.origin = Origin.API;
  told.stamp = time * STAMPS_PER_SECOND;
  return told;
}

function copy(told: Session, found: Session, number: u32): void {
  told.id = idOf(number);
  told.idLength = 32;
  told.origin = Origin.API;
  told.time = found.time;
  told.timeoutSeconds = found.timeoutSeconds;
  told.stamp = found.stamp;
}

function learn(bench: Bench, number: u32, timeoutSeconds: u32 = 0): void {
  bench.cache.readSettings();
  bench.cache.learn(session(number, timeoutSeconds));
}

function entryOf(bench: Bench, number: u32): Entry | null {
  return bench.cache.pages.open(idOf(number), 32)!.find(idOf(number), 32);
}
