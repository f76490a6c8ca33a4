import { Flush } from "../../../assembly/session/jobs/flush";
import { Deadline, Job } from "../../../assembly/work/job";
import { Sweep } from "../../../assembly/session/jobs/sweep";
import { Bench } from "./sessions";

/** A flush of all sessions that has begun, and carried out nothing yet. */
export function flushOf(bench: Bench): Job {
  const flush = new Flush(bench.cache, 0);
  expect(flush.begin()).toBe(true);
  return flush;
}

export function sweep(bench: Bench): void {
  finish(bench, new Sweep(bench.cache));
}

/** Carries a job out in one slice. */
export function finish(bench: Bench, job: Job): void {
  const deadline = new Deadline(bench.clock);
  deadline.start(u64.MAX_VALUE >> 1);
  expect(job.step(deadline)).toBe(true);
  expect(job.failed).toBe(false);
}
