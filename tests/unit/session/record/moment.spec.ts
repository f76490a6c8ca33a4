import { Lookup, PutOutcome } from "../../../../assembly/session/cache";
import { Moment } from "../../../../assembly/session/record/moment";
import { Cause, Known } from "../../../../assembly/session/record/session";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Shown, Walk, WalkStep } from "../../../../assembly/session/jobs/walk";
import { FakeClock } from "../../support/fake_clock";
import { FakeStore } from "../../support/fake_store";
import { finish, flushOf, sweep } from "../../support/jobs";
import { Bench, benchOfSize, idOf, look, session } from "../../support/sessions";

const DAY: i64 = 86_400;

describe("a clock that is eight days ahead for some seconds", () => {
  it("ends no removal and lets none resume, whatever is done meanwhile", () => {
    const bench = benchOfSize(0, 0);
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.cache.put(session(2));
    bench.cache.remove(idOf(2), 32, Cause.API);
    bench.cache.put(session(3));
    finish(bench, flushOf(bench));
    bench.clock.set(8 * DAY);
    for (let i: u32 = 1; i <= 3; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    sweep(bench);
    bench.cache.readSettings();
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Refused);
    expect(bench.cache.resume(session(2))).toBe(Lookup.Removed);
    expect(shown(bench)).toBe(3);
    // Room is not made of them either.
    for (let i: u32 = 100; i < 500; i++) bench.cache.put(session(i));
    bench.clock.set(-8 * DAY);
    for (let i: u32 = 1; i <= 3; i++) expect(look(bench.cache, i)).toBe(Lookup.Removed);
    expect(bench.count(Metric.TOMBSTONES)).toBe(3);
  });

  it("ends no saturation", () => {
    const bench = benchOfSize(0, 0);
    for (let i: u32 = 0; i < 300; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    bench.clock.set(8 * DAY);
    sweep(bench);
    expect(look(bench.cache, 4000)).toBe(Lookup.Removed);
    bench.clock.set(-8 * DAY);
    expect(look(bench.cache, 4000)).toBe(Lookup.Removed);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(1);
    bench.clock.advance(604_801);
    sweep(bench);
    expect(look(bench.cache, 4000)).toBe(Lookup.Absent);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(0);
  });

  it("ends no removal of a session by its name", () => {
    const bench = new Bench();
    const name = bench.cache.sessionName(idOf(1), 32);
    for (let i: u32 = 1; i <= 2; i++) {
      const issued = session(i);
      issued.session = name;
      issued.known |= Known.SESSION;
      bench.cache.readSettings();
      bench.cache.learn(issued);
    }
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(8 * DAY);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
    sweep(bench);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
  });
});

describe("a clock that was behind when a session was removed", () => {
  it("does not end the removal when it is set right", () => {
    const bench = new Bench();
    bench.clock.set(-30 * DAY);
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(30 * DAY);
    sweep(bench);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(604_800);
    sweep(bench);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });

  it("keeps what lasts longer of two removals by the machine's clock too", () => {
    const bench = new Bench();
    bench.clock.set(-30 * DAY);
    bench.cache.put(session(1, 1_000_000));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(30 * DAY);
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.advance(1_000_000);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });

  it("keeps what lasts longer of two removals", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 1_000_000));
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(-30 * DAY);
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(30 * DAY);
    bench.clock.advance(1_000_000);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });
});

describe("a clock that was set back", () => {
  it("ends no removal, and makes it last at most as much longer", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(1), 32, Cause.API);
    bench.clock.set(-1000);
    bench.clock.advance(604_801);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.clock.advance(1000);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });
});

describe("a machine without a clock of its own", () => {
  it("ends removals by the clock of the day", () => {
    const clock = new FakeClock();
    clock.machine = 0;
    const bench = new Bench(new FakeStore(), clock);
    bench.cache.remove(idOf(1), 32, Cause.API);
    clock.advance(604_800);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    clock.advance(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    sweep(bench);
    expect(bench.count(Metric.TOMBSTONES)).toBe(0);
  });

  it("ends so what others have removed that have one", () => {
    const clock = new FakeClock();
    const bench = new Bench(new FakeStore(), clock);
    bench.cache.remove(idOf(1), 32, Cause.API);
    clock.machine = 0;
    clock.advance(604_801);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });

  it("leaves nothing that one with such a clock would keep for ever", () => {
    const clock = new FakeClock();
    clock.machine = 0;
    const bench = new Bench(new FakeStore(), clock);
    bench.cache.remove(idOf(1), 32, Cause.API);
    clock.advance(604_801);
    clock.machine = 1;
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
  });
});

describe("a moment", () => {
  it("asks the machine only for what is over by the clock of the day, and once", () => {
    const clock = new CountedClock();
    const moment = new Moment(clock);
    moment.take();
    const now = moment.seconds;
    expect(moment.isOver(now, 1)).toBe(false);
    expect(moment.isOver(now + 5, 1)).toBe(false);
    expect(moment.isOver(now - 1, 0)).toBe(true);
    expect(clock.asked).toBe(0);
    expect(moment.isOver(now - 1, 4_999)).toBe(true);
    expect(moment.isOver(now - 1, 5_000)).toBe(false);
    expect(clock.asked).toBe(1);
    moment.take();
    moment.isOver(now - 1, 1);
    expect(clock.asked).toBe(2);
  });

  it("is not asked for by what is looked at, learned and resumed where nothing is over", () => {
    const clock = new CountedClock();
    const bench = new Bench(new FakeStore(), clock);
    bench.cache.remove(idOf(9), 32, Cause.API);
    const asked = clock.asked;
    bench.cache.readSettings();
    for (let i: u32 = 0; i < 8; i++) bench.cache.learn(session(i));
    bench.cache.resume(session(1));
    look(bench.cache, 9);
    sweep(bench);
    expect(clock.asked).toBe(asked);
  });
});

class CountedClock extends FakeClock {
  asked: i32 = 0;

  constructor() {
    super();
  }

  monotonicSeconds(): u64 {
    this.asked++;
    return super.monotonicSeconds();
  }
}

/** Removed sessions that a listing shows. */
function shown(bench: Bench): i32 {
  const walk = new Walk(bench.cache, Shown.Removals, 0, 0);
  let count = 0;
  while (walk.next() == WalkStep.Entry) count++;
  return count;
}
