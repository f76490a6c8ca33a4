/**
 * Whose turn it is: work that is done in slices, for callers who wait for it. All of it together holds its worker for one slice
 * between two ticks, whoever asks for how much.
 *
 * What changes something is done one after the other, oldest first, as one builds on the other. What only reads takes turns,
 * ACTIVE at a time, so that a long listing does not hold up short ones, and what they have written so far is bounded. Where
 * both wait, each has half of the slice.
 */
import { Clock } from "../ports/clock";
import { Deadline, Job, SLICE_NANOSECONDS } from "./job";

/** A piece of work and who waits for it. */
export abstract class Turn {
  /** Nobody waits for the answer any more, or it was given. */
  closed: bool = false;

  constructor(readonly context: u32) {}

  /** What is to be done, null where it is done. */
  abstract get job(): Job | null;

  /** Whether it changes nothing: then it is given up where nobody waits for it. */
  abstract get reads(): bool;

  /** It is done. */
  abstract finish(): void;
}

export class Turns {
  private readonly deadline: Deadline;
  private readonly changing: Turn[] = [];
  private readonly reading: Turn[] = [];
  /** Of the slice since the last tick, in nanoseconds. */
  private left: u64 = SLICE_NANOSECONDS;

  constructor(private readonly clock: Clock) {
    this.deadline = new Deadline(clock);
  }

  /** How many wait. */
  get length(): i32 {
    return this.changing.length + this.reading.length;
  }

  /** Works on a new piece at once where nobody waits and the slice is not used up; true when it is done, else it waits now. */
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

  /** A tick has come: there is a new slice, and what waits is worked on. */
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
      // The host's work for an answer counts too. A clock that stands still must not make this endless.
      this.spend(begun);
      if (turn.job != null) break;
    }
  }

  /** Nobody waits for the answer on a stream any more: what only reads is given up. */
  close(context: u32): void {
    for (let i = 0; i < this.changing.length; i++) {
      if (this.changing[i].context == context) this.changing[i].closed = true;
    }
    for (let i = this.reading.length - 1; i >= 0; i--) {
      if (this.reading[i].context == context) this.reading.splice(i, 1);
    }
  }

  /** Works for so many nanoseconds; true where it is done. */
  private step(turn: Turn, nanoseconds: u64): bool {
    const job = turn.job;
    if (!job) return true;
    this.deadline.start(nanoseconds);
    return job.step(this.deadline);
  }

  private end(turn: Turn): void {
    turn.finish();
  }

  /** Behind the others that have begun. */
  private putBack(turn: Turn): void {
    const place = min(ACTIVE - 1, this.reading.length);
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
const ACTIVE: i32 = 16;
