import { Lookup, PutOutcome, RemoveOutcome } from "../../../../assembly/session/cache";
import { Cause, Known } from "../../../../assembly/session/record/session";
import { Flush } from "../../../../assembly/session/jobs/flush";
import { Deadline, Job } from "../../../../assembly/work/job";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { Sweep } from "../../../../assembly/session/jobs/sweep";
import { Bench, idOf, look, session, Text } from "../../support/sessions";

describe("a flush", () => {
  it("removes what has expired at the given time: what expires at that very second survives", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.cache.put(session(2, 20));
    bench.cache.put(session(3, 30));
    expect(flush(bench, 1_790_000_020)).toBe(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed, "it had not expired yet: it is refused");
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    expect(flush(bench, 1_790_000_021)).toBe(1);
    expect(flush(bench, 1_790_000_021)).toBe(0);
    expect(bench.number()).toBe(1);
    expect(bench.count(Metric.FLUSHED)).toBe(2);
  });

  it("of all leaves nothing, and tombstones for what had not expired only", () => {
    const bench = new Bench();
    for (let i: u32 = 0; i < 300; i++) bench.cache.put(session(i, i < 100 ? 5 : 500));
    bench.clock.advance(6);
    expect(flush(bench, 0)).toBe(300);
    expect(bench.number()).toBe(0);
    expect(bench.count(Metric.TOMBSTONES)).toBe(200);
    expect(look(bench.cache, 50)).toBe(Lookup.Absent);
    expect(look(bench.cache, 150)).toBe(Lookup.Removed);
  });

  it("leaves word of who issued what it removed, from its beginning on", () => {
    const bench = new Bench();
    const upstream = new Text("10.0.0.7:443");
    const issued = session(1);
    issued.upstream = upstream.start;
    issued.upstreamLength = upstream.length;
    issued.known |= Known.UPSTREAM;
    bench.cache.put(issued);
    const job = new Flush(bench.cache, 0);
    expect(job.begin()).toBe(true);
    for (let moment = 0; moment < 2; moment++) {
      expect(look(bench.cache, 1)).toBe(Lookup.Removed);
      const found = bench.cache.found;
      expect(found.knows(Known.UPSTREAM)).toBe(true);
      expect(String.UTF8.decodeUnsafe(found.upstream, found.upstreamLength)).toBe("10.0.0.7:443");
      finish(bench, job);
    }
  });

  it("reaches what was held when it began, and nothing that was added afterwards", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    const job = new Flush(bench.cache, 0);
    expect(job.begin()).toBe(true);
    bench.clock.advance(-1000);
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Added);
    finish(bench, job);
    expect(job.removed).toBe(1);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("reaches a session that was resumed and completed while it was under way", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    const job = new Flush(bench.cache, 0);
    job.begin();
    bench.cache.readSettings();
    const resumed = session(1);
    resumed.cipher = 0x1301;
    resumed.known |= 4;
    bench.cache.resume(resumed);
    finish(bench, job);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
  });

  it("is in force before its pages are reached, for learning and for adding by hand too", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.cache.put(session(2));
    const job = new Flush(bench.cache, 0);
    job.begin();
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    bench.cache.readSettings();
    expect(bench.cache.learn(session(1))).toBe(PutOutcome.Refused);
    expect(bench.cache.resume(session(1))).toBe(Lookup.Removed);
    expect(bench.cache.remove(idOf(1), 32, Cause.API)).toBe(RemoveOutcome.NotFound);
    expect(bench.cache.put(session(2))).toBe(PutOutcome.Added, "by hand, after the flush");
    finish(bench, job);
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
    expect(bench.number()).toBe(1);
  });

  it("before a time is in force at once for those that expire before it", () => {
    const bench = new Bench();
    bench.cache.put(session(1, 10));
    bench.cache.put(session(2, 20));
    new Flush(bench.cache, 1_790_000_015).begin();
    expect(look(bench.cache, 1)).toBe(Lookup.Removed);
    expect(look(bench.cache, 2)).toBe(Lookup.Found);
  });

  it("is carried out in slices that end when their time is over", () => {
    const bench = new Bench();
    for (let i: u32 = 0; i < 1000; i++) bench.cache.put(session(i));
    const job = new Flush(bench.cache, 0);
    job.begin();
    const deadline = new Deadline(bench.clock);
    deadline.start(0);
    let slices = 1;
    while (!job.step(deadline) && slices < 1000) slices++;
    expect(slices > 3).toBe(true);
    expect(job.removed).toBe(1000);
    expect(job.failed).toBe(false);
  });

  it("does not begin where that cannot be stored, and fails where pages cannot be", () => {
    const bench = new Bench();
    bench.cache.put(session(1));
    bench.store.broken = true;
    expect(new Flush(bench.cache, 0).begin()).toBe(false);
    bench.store.broken = false;
    const job = new Flush(bench.cache, 0);
    job.begin();
    bench.store.alwaysConflicts = true;
    finish(bench, job);
    expect(job.failed).toBe(true);
    bench.store.alwaysConflicts = false;
    expect(look(bench.cache, 1)).toBe(Lookup.Removed, "it is in force all the same");
    sweep(bench);
    expect(bench.number()).toBe(1, "it might still be under way");
    bench.clock.advance(600);
    sweep(bench);
    expect(bench.number()).toBe(0, "the sweeper carries out what the flush could not");
    expect(bench.count(Metric.TOMBSTONES)).toBe(1);
    expect(bench.count(Metric.FLUSHED)).toBe(1);
  });
});

function flush(bench: Bench, before: u64): u64 {
  const job = new Flush(bench.cache, before);
  expect(job.begin()).toBe(true);
  finish(bench, job);
  expect(job.failed).toBe(false);
  return job.removed;
}

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
