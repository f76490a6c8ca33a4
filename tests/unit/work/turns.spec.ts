import { Turn, Turns } from "../../../assembly/work/turns";
import { Deadline, Job, SLICE_NANOSECONDS } from "../../../assembly/work/job";
import { FakeClock } from "../support/fake_clock";

const STEP: u64 = 50_000;

/** Work that takes its time, in steps of 50 microseconds. */
class Work extends Job {
  done: u64 = 0;

  constructor(
    private readonly clock: FakeClock,
    private readonly nanoseconds: u64,
  ) {
    super();
  }

  step(deadline: Deadline): bool {
    while (this.done < this.nanoseconds) {
      this.clock.nanoseconds += STEP;
      this.done += STEP;
      if (deadline.passed) return this.done >= this.nanoseconds;
    }
    return true;
  }
}

class Caller extends Turn {
  readonly work: Work;
  finished: bool = false;
  changes: bool = false;

  constructor(
    context: u32,
    private readonly clock: FakeClock,
    milliseconds: u64,
    private readonly finishes: u32[],
  ) {
    super(context);
    this.work = new Work(clock, milliseconds * 1_000_000);
  }

  get job(): Job | null {
    return this.finished ? null : this.work;
  }

  get reads(): bool {
    return !this.changes;
  }

  finish(): void {
    this.finished = true;
    this.finishes.push(this.context);
    // The cost of the host to send the response.
    this.clock.nanoseconds += STEP;
  }
}

describe("callers who wait for work in slices", () => {
  it("hold their worker for one slice between two ticks, however many come at once", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    const start = clock.nanoseconds;
    for (let i: u32 = 1; i <= 1000; i++) turns.begin(new Caller(i, clock, 3, finishes));
    expect(clock.nanoseconds - start <= SLICE_NANOSECONDS + STEP).toBe(true);
    let longest: u64 = 0;
    let ticks = 0;
    for (; turns.length > 0 && ticks < 10_000; ticks++) {
      const begun = clock.nanoseconds;
      turns.tick();
      longest = max(longest, clock.nanoseconds - begun);
    }
    expect(longest <= SLICE_NANOSECONDS + 2 * STEP).toBe(true);
    expect(finishes.length).toBe(1000);
  });

  it("get their response at once while the slice lasts, and wait behind others afterwards", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    const short = new Caller(1, clock, 0, finishes);
    expect(turns.begin(short)).toBe(true);
    expect(turns.begin(new Caller(2, clock, 1, finishes))).toBe(false);
    expect(turns.begin(new Caller(3, clock, 0, finishes))).toBe(false, "somebody waits");
    expect(turns.length).toBe(2);
  });

  it("take turns: a short listing does not wait for a long one", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    turns.begin(new Caller(1, clock, 1000, finishes));
    turns.begin(new Caller(2, clock, 1, finishes));
    for (let i = 0; i < 6; i++) turns.tick();
    expect(finishes.length).toBe(1);
    expect(finishes[0]).toBe(2);
  });

  it("begin sixteen at a time, so that the text that they have written is bounded", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    const callers: Caller[] = [];
    for (let i: u32 = 1; i <= 100; i++) {
      callers.push(new Caller(i, clock, 50, finishes));
      turns.begin(callers[i - 1]);
    }
    for (let i = 0; i < 64; i++) turns.tick();
    let begun = 0;
    for (let i = 0; i < 100; i++) begun += <i32>(callers[i].work.done > 0);
    expect(begun).toBe(16);
  });

  it("who change something come one after the other, and share the slice with those who read", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    const changes: Caller[] = [];
    for (let i: u32 = 1; i <= 3; i++) {
      const change = new Caller(i, clock, 4, finishes);
      change.changes = true;
      changes.push(change);
      turns.begin(change);
    }
    const reader = new Caller(9, clock, 4, finishes);
    turns.begin(reader);
    turns.tick();
    expect(changes[0].work.done > 0).toBe(true);
    expect(changes[1].work.done).toBe(0);
    expect(reader.work.done > 0).toBe(true);
    for (let i = 0; i < 60; i++) turns.tick();
    expect(finishes.filter((context) => context != 9).join(" ")).toBe("1 2 3");
  });

  it("who go away leave no work behind, unless it changes something", () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const finishes: u32[] = [];
    const change = new Caller(1, clock, 2, finishes);
    change.changes = true;
    turns.begin(change);
    turns.begin(new Caller(2, clock, 2, finishes));
    turns.close(1);
    turns.close(2);
    expect(turns.length).toBe(1);
    expect(change.closed).toBe(true);
    for (let i = 0; i < 5; i++) turns.tick();
    expect(finishes.join(" ")).toBe("1");
  });
});
