/**
 * OpenSSL's own tests of its session cache (test/sslapitest.c), said again for this cache: each `describe` names the test
 * that it stands for. What needs real handshakes is in tests/e2e/watching/openssl_session_cache.test.ts.
 */
import { Lookup, PutOutcome, RemoveOutcome } from "../../../assembly/session/cache";
import { Cause } from "../../../assembly/session/record/session";
import { Flush } from "../../../assembly/session/jobs/flush";
import { Deadline } from "../../../assembly/work/job";
import { Mode } from "../../../assembly/session/settings/mode";
import { Metric } from "../../../assembly/session/counting/statistics";
import { Bench, benchOfSize, idOf, look, session } from "../support/sessions";

const NOW: u64 = 1_790_000_000;
const EARLY: u32 = 1;
const MIDDLE: u32 = 2;
const LATE: u32 = 3;

describe("test_session_with_only_int_cache", () => {
  it("adding a session that a handshake has stored returns 0, and it resumes", () => {
    const bench = stored(1);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Identical);
    expect(resume(bench, 1)).toBe(Lookup.Found);
    expect(bench.count(Metric.HITS)).toBe(1);
  });

  it("after its removal, adding returns 1, removing returns 1, and removing again returns 0", () => {
    const bench = stored(1);
    expect(remove(bench, 1)).toBe(RemoveOutcome.Removed);
    expect(bench.cache.put(session(1))).toBe(PutOutcome.Added);
    expect(remove(bench, 1)).toBe(RemoveOutcome.Removed);
    expect(remove(bench, 1)).toBe(RemoveOutcome.NotFound);
    expect(bench.number()).toBe(0);
  });
});

describe("test_session_with_only_ext_cache", () => {
  it("under NO_INTERNAL_STORE a handshake stores nothing, and its resumption makes no session either", () => {
    const bench = new Bench();
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.NotStored);
    expect(resume(bench, 1)).toBe(Lookup.Absent);
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.ADDS)).toBe(0);
  });

  it("removing an absent session returns 0, and it is not resumable all the same", () => {
    const bench = new Bench();
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_INTERNAL_STORE);
    expect(remove(bench, 1)).toBe(RemoveOutcome.NotFound);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(bench.count(Metric.REMOVES)).toBe(0);
  });
});

describe("test_session_with_both_cache", () => {
  it("a session that is no longer held and is found outside counts one miss, and is held again", () => {
    const bench = benchOfSize(1);
    bench.cache.readSettings();
    bench.cache.learn(session(1));
    bench.cache.put(session(2));
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    expect(resume(bench, 1)).toBe(Lookup.Absent);
    expect(bench.count(Metric.MISSES)).toBe(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
  });

  it("with a size of 1 an added session displaces the other one, although it expires earlier", () => {
    const bench = benchOfSize(1);
    bench.cache.put(session(1, 1000));
    bench.cache.put(session(2, 2000));
    expect(bench.cache.put(session(1, 1000))).toBe(PutOutcome.Added);
    expect(look(bench.cache, 1)).toBe(Lookup.Found);
    expect(look(bench.cache, 2)).toBe(Lookup.Absent);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.CACHE_FULL)).toBe(2);
  });
});

describe("test_session_timeout", () => {
  it("flushing at +9, +11 and +21 removes the early, the middle and the late session, one each", () => {
    const bench = withThreeTimes();
    expect(flush(bench, NOW + 9)).toBe(1);
    expect(held(bench)).toBe("middle late");
    expect(flush(bench, NOW + 11)).toBe(1);
    expect(held(bench)).toBe("late");
    expect(flush(bench, NOW + 21)).toBe(1);
    expect(held(bench)).toBe("");
  });

  it("adding the three again returns 1 each, and flushing at 0 removes all", () => {
    const bench = withThreeTimes();
    flush(bench, NOW + 21);
    for (let id = EARLY; id <= LATE; id++) expect(bench.cache.put(session(id, 10))).toBe(PutOutcome.Added);
    expect(held(bench)).toBe("early middle late");
    expect(flush(bench, 0)).toBe(3);
    expect(bench.number()).toBe(0);
  });

  it("the order in which they were added does not matter", () => {
    const bench = new Bench();
    addAt(bench, MIDDLE, NOW);
    addAt(bench, LATE, NOW + 10);
    addAt(bench, EARLY, NOW - 10);
    bench.clock.nanoseconds = NOW * 1_000_000_000;
    expect(flush(bench, NOW + 9)).toBe(1);
    expect(held(bench)).toBe("middle late");
  });

  it("UPDATE_TIME rewrites the time of a session that is added again", () => {
    const bench = new Bench();
    addAt(bench, EARLY, NOW - 10);
    bench.clock.nanoseconds = NOW * 1_000_000_000;
    bench.cache.put(session(EARLY, 10));
    look(bench.cache, EARLY);
    expect(bench.cache.found.time).toBe(NOW - 10, "without the flag it stays");
    bench.cache.settings.changeMode(Mode.SERVER | Mode.UPDATE_TIME);
    bench.cache.put(session(EARLY, 10));
    look(bench.cache, EARLY);
    expect(bench.cache.found.time).toBe(NOW);
  });
});

describe("test_session_cache_overflow", () => {
  it("with a size of 1 a new session displaces an older one that lives longer", () => {
    overflows(1000, 10);
  });

  it("with a size of 1 a new session displaces an older one that lives shorter", () => {
    overflows(10, 1000);
  });
});

describe("test_multi_resume", () => {
  it("resuming again and again on two workers adds nothing: no session, no page, no byte", () => {
    const bench = benchOfSize(5);
    const other = bench.worker();
    bench.cache.readSettings();
    for (let i: u32 = 0; i < 5; i++) bench.cache.learn(session(i));
    const bytes = bench.store.bytes;
    const keys = bench.store.size;
    for (let i: u32 = 0; i < 1000; i++) {
      expect(resume(i % 2 == 0 ? bench : other, i % 5)).toBe(Lookup.Found);
    }
    expect(bench.number()).toBe(5);
    expect(bench.store.bytes).toBe(bytes);
    expect(bench.store.size).toBe(keys);
    expect(bench.count(Metric.HITS)).toBe(1000);
    expect(bench.count(Metric.CACHE_FULL)).toBe(0);
  });

  it("resuming many sessions that are not held never makes the cache larger than its size", () => {
    const bench = benchOfSize(5);
    const other = bench.worker();
    for (let i: u32 = 0; i < 500; i++) {
      resume(i % 2 == 0 ? bench : other, (i * 7) % 50);
      expect(bench.number() <= 5).toBe(true);
    }
    expect(bench.number()).toBe(5);
  });
});

/** The newer of two sessions stays in a cache of one; the older, accepted by its server again, comes back for it. */
function overflows(olderTimeout: u32, newerTimeout: u32): void {
  const bench = benchOfSize(1);
  bench.cache.put(session(1, olderTimeout));
  expect(bench.cache.put(session(2, newerTimeout))).toBe(PutOutcome.Added);
  expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  expect(look(bench.cache, 2)).toBe(Lookup.Found);
  expect(resume(bench, 1)).toBe(Lookup.Absent);
  expect(look(bench.cache, 1)).toBe(Lookup.Found);
  expect(look(bench.cache, 2)).toBe(Lookup.Absent);
  expect(bench.number()).toBe(1);
}

function stored(number: u32): Bench {
  const bench = new Bench();
  bench.cache.readSettings();
  expect(bench.cache.learn(session(number))).toBe(PutOutcome.Added);
  return bench;
}

function resume(bench: Bench, number: u32): Lookup {
  bench.cache.readSettings();
  return bench.cache.resume(session(number));
}

function remove(bench: Bench, number: u32): RemoveOutcome {
  return bench.cache.remove(idOf(number), 32, Cause.API);
}

function flush(bench: Bench, before: u64): i32 {
  const job = new Flush(bench.cache, before);
  job.begin();
  const deadline = new Deadline(bench.clock);
  deadline.start(1);
  for (let slice = 0; slice < 100; slice++) {
    if (job.step(deadline)) break;
  }
  return <i32>job.removed;
}

/** All three live for ten seconds; the clock stands at NOW afterwards. */
function withThreeTimes(): Bench {
  const bench = new Bench();
  addAt(bench, LATE, NOW + 10);
  addAt(bench, MIDDLE, NOW);
  addAt(bench, EARLY, NOW - 10);
  bench.clock.nanoseconds = NOW * 1_000_000_000;
  return bench;
}

function addAt(bench: Bench, number: u32, seconds: u64): void {
  bench.clock.nanoseconds = seconds * 1_000_000_000;
  expect(bench.cache.put(session(number, 10))).toBe(PutOutcome.Added);
}

function held(bench: Bench): string {
  const names: string[] = [];
  if (look(bench.cache, EARLY) == Lookup.Found) names.push("early");
  if (look(bench.cache, MIDDLE) == Lookup.Found) names.push("middle");
  if (look(bench.cache, LATE) == Lookup.Found) names.push("late");
  return names.join(" ");
}
