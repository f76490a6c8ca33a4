/**
 * Shares the time of a worker among jobs whose callers wait. All of them together take one slice between two ticks.
 *
 * Changes run one after the other, oldest first, because one builds on the other. Readers take turns, MAX_ACTIVE_READERS at
 * a time: so a long listing does not hold up short ones, and the text that they have written is bounded. If both wait, each
 * gets half of the slice.
 */
import { Clock } from "../ports/clock";
import { Deadline, Job, SLICE_NANOSECONDS } from "./job";

/** A job and its waiting caller. */
export abstract class Turn {
  /** Nobody waits for the response any more, or it was sent. */
  closed: bool = false;

  constructor(readonly context: u32) {}

  /** Null after the job has finished. */
  abstract get job(): Job | null;

  /** Whether the job changes nothing: then it is given up once nobody waits for it. */
  abstract get reads(): bool;

  /** The job has finished. */
  abstract finish(): void;
}

export class Turns {
  private readonly deadline: Deadline;
  private readonly changing: Turn[] = [];
  private readonly reading: Turn[] = [];
  /** The rest of the slice of the last tick, in nanoseconds. */
  private left: u64 = SLICE_NANOSECONDS;

  constructor(private readonly clock: Clock) {
    this.deadline = new Deadline(clock);
  }

  /** The number of waiting jobs. */
  get length(): i32 {
    return this.changing.length + this.reading.length;
  }

  /** Starts a job at once if no other waits and time is left; true if that finishes it, else it waits. */
  begin(turn: Turn): bool {
    if (this.length == 0 && this.left > 0) {
      const start = this.clock.nowNanoseconds();
      const done = this.step(turn, this.left);
      this.spend(start);
      if (done) return true;
    }
    if (turn.reads) this.reading.push(turn);
    else this.changing.push(turn);
    return false;
  }

  /** Works on the waiting jobs for a new slice. */
  tick(): void {
    this.left = SLICE_NANOSECONDS;
    if (this.length == 0) return;
    const start = this.clock.nowNanoseconds();
    if (this.changing.length > 0) {
      const share: u64 = this.reading.length > 0 ? SLICE_NANOSECONDS / 2 : SLICE_NANOSECONDS;
      if (this.step(this.changing[0], share)) this.end(this.changing.shift());
    }
    this.spend(start);
    while (this.reading.length > 0 && this.left > 0) {
      const begun = this.clock.nowNanoseconds();
      const turn = this.reading.shift();
      if (this.step(turn, this.left)) this.end(turn);
      else this.putBack(turn);
      // The host's work for a response counts, too. A clock that stands still must not make this loop endless.
      this.spend(begun);
      if (turn.job != null) break;
    }
  }

  /** The caller on a stream is gone: gives its readers up. */
  close(context: u32): void {
    for (let i = 0; i < this.changing.length; i++) {
      if (this.changing[i].context == context) this.changing[i].closed = true;
    }
    for (let i = this.reading.length - 1; i >= 0; i--) {
      if (this.reading[i].context == context) this.reading.splice(i, 1);
    }
  }

  /** Works for so many nanoseconds; true if the job has finished. */
  private step(turn: Turn, nanoseconds: u64): bool {
    const job = turn.job;
    if (!job) return true;
    this.deadline.start(nanoseconds);
    return job.step(this.deadline);
  }

  private end(turn: Turn): void {
    turn.finish();
  }

  /** Puts a reader behind the others that have begun. */
  private putBack(turn: Turn): void {
    const place = min(MAX_ACTIVE_READERS - 1, this.reading.length);
    this.reading.push(turn);
    for (let i = this.reading.length - 1; i > place; i--) this.reading[i] = this.reading[i - 1];
    this.reading[place] = turn;
  }

  private spend(start: u64): void {
    const now = this.clock.nowNanoseconds();
    const spent = now > start ? now - start : 0;
    this.left = spent < this.left ? this.left - spent : 0;
  }
}

/** A page of 1,000 sessions takes 0.4 MiB. */
const MAX_ACTIVE_READERS: i32 = 16;
