import { Lookup } from "../../../../assembly/session/cache";
import { Cause } from "../../../../assembly/session/record/session";
import { Deadline, Job } from "../../../../assembly/work/job";
import { Mode } from "../../../../assembly/session/settings/mode";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweep } from "../../../../assembly/session/jobs/sweep";
import { Bench, benchOfSize, idOf, look, session } from "../../support/sessions";

describe("a sweep", () => {
  it("clears sessions some seconds after they have expired", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.cache.put(session(2, 1000));
    bench.clock.advance(15);
    sweep(bench);
    expect(bench.number()).toBe(2, "one that comes just too late still counts as a timeout");
    bench.clock.advance(1);
    sweep(bench);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.EXPIRED)).toBe(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Absent);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("leaves expired sessions alone under NO_AUTO_CLEAR, but not tombstones that have ended", () => {
    const bench = new Bench();
    bench.cache.settings.changeMode(Mode.SERVER | Mode.NO_AUTO_CLEAR);
    bench.cache.put(session(1, 10));
    bench.cache.remove(idOf(2), 32, Cause.API);
    bench.clock.advance(604801);
    sweep(bench);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.TOMBSTONES)).toBe(0);
  });

  it("never clears a tombstone that still refuses", () => {
    const bench = new Bench();
    bench.cache.remove(idOf(2), 32, Cause.API);
    bench.clock.advance(604800);
    sweep(bench);
    expect(look(bench.cache, 2)).toBe(Lookup.Removed);
  });

  it("ends the saturation of a page whose tombstones have ended", () => {
    const bench = benchOfSize(0, 0);
    for (let i: u32 = 0; i < 300; i++) bench.cache.remove(idOf(i), 32, Cause.API);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(1);
    bench.clock.advance(604801);
    sweep(bench);
    expect(bench.count(Metric.SATURATED_PAGES)).toBe(0);
    expect(bench.count(Metric.TOMBSTONES)).toBe(0);
  });
});

function sweep(bench: Bench): void {
  bench.cache.readSettings();
  finish(bench, new Sweep(bench.cache));
}

function finish(bench: Bench, job: Job): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  for (let slice = 0; slice < 100; slice++) {
    if (job.step(deadline)) return;
  }
  expect(false).toBe(true, "the job ends");
}
