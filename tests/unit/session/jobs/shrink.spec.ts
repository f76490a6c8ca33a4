import { Lookup } from "../../../../assembly/session/cache";
import { Deadline, Job } from "../../../../assembly/work/job";
import { Shrink } from "../../../../assembly/session/jobs/shrink";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Bench, benchOfSize, look, session } from "../../support/sessions";

describe("lowering the size", () => {
  it("evicts exactly those that expire first", () => {
    const bench = benchOfSize(1000);
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i, 100 + ((i * 333) % 1000)));
    bench.cache.changeCacheSize(100);
    finish(bench, new Shrink(bench.cache));
    expect(bench.number()).toBe(100);
    expect(bench.count(Metric.CACHE_FULL)).toBe(900);
    for (let i: u32 = 0; i < 1000; i++) {
      const stays = (i * 333) % 1000 >= 900;
      expect(look(bench.cache, i)).toBe(stays ? Lookup.Found : Lookup.Absent);
    }
  });

  it("takes several rounds for more than one round's worth", () => {
    const bench = benchOfSize(0);
    for (let i: u32 = 0; i < 4096; i++) bench.cache.put(session(i, 100 + i));
    for (let i: u32 = 0; i < 1000; i++) {
      const short = session(i, 50);
      short.idLength = 8;
      bench.cache.put(short);
    }
    bench.cache.changeCacheSize(10);
    finish(bench, new Shrink(bench.cache));
    expect(bench.number()).toBe(10);
    for (let i: u32 = 4086; i < 4096; i++) expect(look(bench.cache, i)).toBe(Lookup.Found);
  });

  it("does nothing where the size is not exceeded or unlimited", () => {
    const bench = benchOfSize(10);
    for (let i: u32 = 0; i < 5; i++) bench.cache.put(session(i));
    bench.cache.changeCacheSize(5);
    finish(bench, new Shrink(bench.cache));
    bench.cache.changeCacheSize(0);
    finish(bench, new Shrink(bench.cache));
    expect(bench.number()).toBe(5);
  });
});

function finish(bench: Bench, job: Job): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(1000);
  for (let slice = 0; slice < 100; slice++) {
    if (job.step(deadline)) return;
  }
  expect(false).toBe(true, "the job ends");
}
