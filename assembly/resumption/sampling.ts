/**
 * Which connections are asked what is expected to be the same each time: all of them while few come, and one in eight of
 * those beyond. So nothing is found out later where there is little traffic, and within a tick or two where there is much.
 */
export class Sampling {
  private seen: u32 = 0;

  /** Whether it is the turn of the connection at hand. */
  takesNext(): bool {
    const number = this.seen++;
    return number < ALL_OF || number % ONE_IN == 0;
  }

  /** To be called on ticks, ten times a second. */
  tick(): void {
    this.seen = 0;
  }
}

const ALL_OF: u32 = 16;
const ONE_IN: u32 = 8;
