/**
 * Work on the whole cache, slice by slice as the filters do it: a pass of sweeping, listing in pages of 1,000, and flushing. Each says
 * how long its slices have held the worker.
 */
import { AdminApi } from "../../assembly/admin/api";
import { Call } from "../../assembly/admin/http/call";
import { Clock } from "../../assembly/ports/clock";
import { Cache } from "../../assembly/session/cache";
import { Flush } from "../../assembly/session/jobs/flush";
import { Sweep } from "../../assembly/session/jobs/sweep";
import { Deadline, Job, SLICE_NANOSECONDS } from "../../assembly/work/job";
import { Slices } from "./slices";

export class WholeCache {
  readonly slices: Slices = new Slices();
  private readonly deadline: Deadline;

  constructor(
    private readonly cache: Cache,
    private readonly api: AdminApi,
    private readonly clock: Clock,
  ) {
    this.deadline = new Deadline(clock);
  }

  /** Slices that only look at the clock: the machine's own share of the long ones. */
  wait(): void {
    this.slices.clear();
    for (let i = 0; i < WAITING_SLICES; i++) {
      const start = this.clock.nowNanoseconds();
      this.deadline.start(SLICE_NANOSECONDS);
      let looks = 0;
      while (!this.deadline.passed) looks++;
      this.slices.add(this.clock.nowNanoseconds() - start);
    }
  }

  /** A pass of the sweeper; false if it has failed. */
  sweep(): bool {
    this.slices.clear();
    this.cache.readSettings();
    const sweep = new Sweep(this.cache);
    this.run(sweep);
    sweep.endCensus(null);
    return !sweep.failed;
  }

  /** Lists up to so many pages of 1,000 sessions, one after the other; false if one was refused. */
  list(pages: i32): bool {
    this.slices.clear();
    let path = "/v1/sessions?limit=1000";
    for (let page = 0; page < pages; page++) {
      const call = new Call();
      call.request.method = "GET";
      call.request.path = path;
      call.request.authorization = "Bearer " + TOKEN;
      const start = this.clock.nowNanoseconds();
      if (!this.api.begin(call)) this.api.handle(call);
      const job = call.response.job;
      if (!job) return false;
      // The first slice comes at once, and the last one ends with the answer.
      let finished = this.step(job);
      if (finished) this.api.finish(call.response);
      this.slices.add(this.clock.nowNanoseconds() - start);
      while (!finished) {
        const begun = this.clock.nowNanoseconds();
        finished = this.step(job);
        if (finished) this.api.finish(call.response);
        this.slices.add(this.clock.nowNanoseconds() - begun);
      }
      if (call.response.status != 200) return false;
      const next = nextOf(call);
      if (next.length == 0) return true;
      path = "/v1/sessions?limit=1000&cursor=" + next;
    }
    return true;
  }

  /** Flushes all sessions; returns how many, or 0 if it has failed. */
  flush(): u64 {
    this.slices.clear();
    this.cache.readSettings();
    const flush = new Flush(this.cache, 0);
    if (!flush.begin()) return 0;
    this.run(flush);
    return flush.failed ? 0 : flush.removed;
  }

  private run(job: Job): void {
    for (let finished = false; !finished;) {
      const start = this.clock.nowNanoseconds();
      finished = this.step(job);
      this.slices.add(this.clock.nowNanoseconds() - start);
    }
  }

  private step(job: Job): bool {
    this.deadline.start(SLICE_NANOSECONDS);
    return job.step(this.deadline);
  }
}

/** The cursor at the end of a listing's answer, "" behind the last page. */
function nextOf(call: Call): string {
  const body = call.response.body;
  const length = body.length < MAX_END ? body.length : MAX_END;
  const end = String.UTF8.decodeUnsafe(body.pointer + <usize>(body.length - length), length);
  const from = end.lastIndexOf('"next":"');
  return from < 0 ? "" : end.substring(from + 8, end.indexOf('"', from + 8));
}

export const TOKEN: string = "bench-token-bench-token";
const WAITING_SLICES: i32 = 5_000;
const MAX_END: i32 = 400;
