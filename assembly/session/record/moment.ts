/**
 * One moment by two clocks: the clock of the day, which somebody may set, and the machine's own, which only goes on. A
 * refusal is over when it is over by both: neither a clock that was set ahead for some seconds ends it early, nor one that
 * was set back.
 *
 * The machine's clock is read only if it decides, at most once for each moment: while a refusal is not over by the clock of
 * the day, it costs nothing. If there is no such clock, the clock of the day decides alone.
 */
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";

export class Moment {
  nanoseconds: u64 = 0;
  /** Unix seconds. */
  seconds: u64 = 0;
  private machine: u64 = UNREAD;

  constructor(private readonly clock: Clock) {}

  /** Makes this the present moment; returns its nanoseconds since 1970. */
  take(): u64 {
    const nanoseconds = this.clock.nowNanoseconds();
    this.nanoseconds = nanoseconds;
    this.seconds = nanoseconds / NANOSECONDS_PER_SECOND;
    this.machine = UNREAD;
    return nanoseconds;
  }

  /** Seconds of the machine's clock, 0 if there is none. */
  get monotonic(): u64 {
    if (this.machine == UNREAD) this.machine = this.clock.monotonicSeconds();
    return this.machine;
  }

  /**
   * Whether a second is over. `until` is by the clock of the day, `monotonicUntil` the same by the machine's, 0 if that is
   * not known.
   */
  @inline
  isOver(until: u64, monotonicUntil: u64): bool {
    return this.seconds > until && (monotonicUntil == 0 || this.isOverByMachine(monotonicUntil));
  }

  /** Converts `until`, a second of the clock of the day, to the machine's clock; 0 if there is none. */
  monotonicAt(until: u64): u64 {
    const machine = this.monotonic;
    if (machine == 0) return 0;
    return until > this.seconds ? machine + (until - this.seconds) : machine;
  }

  private isOverByMachine(monotonicUntil: u64): bool {
    const machine = this.monotonic;
    return machine == 0 || machine > monotonicUntil;
  }
}

/** Seconds as they are stored, in 32 bits: those beyond, from the year 2106 on, become the last second. */
@inline
export function narrow(seconds: u64): u32 {
  return seconds > <u64>u32.MAX_VALUE ? u32.MAX_VALUE : <u32>seconds;
}

/** By so much a time of another proxy may be ahead of this one's clock: each of two clocks is off by an hour. */
export const MAX_AHEAD_SECONDS: u64 = 7_200;
const UNREAD: u64 = u64.MAX_VALUE;
