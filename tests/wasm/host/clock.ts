/**
 * The time that the guest sees. It stands still but for `microsecondsPerReading`, by which every reading moves it on:
 * a guest that works until a deadline passes would otherwise never see one.
 */
export class FakeClock {
  microsecondsPerReading = 1;
  private microseconds = START_SECONDS * 1_000_000;

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

  /** Forwards, or backwards when negative: machines' clocks do that. */
  move(seconds: number): void {
    this.microseconds += Math.round(seconds * 1_000_000);
  }

  /** To the beginning of the given second. */
  set(seconds: number): void {
    this.microseconds = Math.round(seconds * 1_000_000);
  }
}

const START_SECONDS = 1_790_000_000;
