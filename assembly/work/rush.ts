/**
 * Tells a rush from calm: a rush is on while handshakes came faster than CALM in a tenth of a second, measured over the last
 * tenth or longer. In calm, also in a burst shorter than that, whatever a handshake changes is stored at once. In a rush, some
 * of it may wait for the next tick, and so be a tenth of a second old.
 */
export class Rush {
  /** Whether it is on. */
  isOn: bool = false;
  private handshakes: u64 = 0;
  private beganAt: u64 = 0;

  /** A handshake begins. */
  countNext(): void {
    this.handshakes++;
  }

  /** To be called with each tick, however fast they come. */
  tick(nowNanoseconds: u64): void {
    // If the clock was set back, the difference is huge.
    const passed = nowNanoseconds - this.beganAt;
    if (passed < TENTH) return;
    this.isOn = this.handshakes > CALM * (passed / TENTH);
    this.beganAt = nowNanoseconds;
    this.handshakes = 0;
  }
}

const CALM: u64 = 64;
/** A tick may come some milliseconds early. */
const TENTH: u64 = 90_000_000;
