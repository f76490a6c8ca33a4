/**
 * The time that the guest sees: the clock of the day, and the machine's own, which nobody sets. They stand still but for
 * `microsecondsPerReading`, by which every reading of the first moves them on: a guest that works until a deadline passes
 * would otherwise never see one.
 */
export class FakeClock {
  microsecondsPerReading = 1;
  private microseconds = START_SECONDS * 1_000_000;
  /** The lead of the clock of the day over the machine's. */
  private ahead = (START_SECONDS - MACHINE_STARTED_SECONDS) * 1_000_000;

  get seconds(): number {
    return Math.floor(this.microseconds / 1_000_000);
  }

  get exactSeconds(): number {
    return this.microseconds / 1_000_000;
  }

  readNanoseconds(): bigint {
    this.microseconds += this.microsecondsPerReading;
    return BigInt(this.microseconds) * 1000n;
  }

  readMonotonicNanoseconds(): bigint {
    return BigInt(this.microseconds - this.ahead) * 1000n;
  }

  /** Time goes by; backwards, where it is negative, somebody sets the clock of the day. */
  move(seconds: number): void {
    if (seconds < 0) return this.jump(seconds);
    this.microseconds += Math.round(seconds * 1_000_000);
  }

  /** Somebody sets the clock of the day, ahead or back: no time goes by. */
  jump(seconds: number): void {
    const step = Math.round(seconds * 1_000_000);
    this.microseconds += step;
    this.ahead += step;
  }

  /** Time goes by until the beginning of the given second; or somebody sets the clock back to it. */
  set(seconds: number): void {
    this.move(seconds - this.exactSeconds);
  }
}

const START_SECONDS = 1_790_000_000;
const MACHINE_STARTED_SECONDS = 40_000;
