/**
 * The leases that this proxy was granted: one for each time until which keys are to last, as all keys of a bucket end together.
 * None is kept alive. The last REMEMBERED ones are remembered, more than there are buckets; a forgotten one is granted again.
 */
export class Leases {
  private readonly entries: StaticArray<u64> = new StaticArray<u64>(2 * REMEMBERED);
  private place: i32 = 0;

  /** Returns the lease for a time, or 0. */
  find(until: u64): u64 {
    for (let i = 0; i < 2 * REMEMBERED; i += 2) if (this.entries[i] == until) return this.entries[i + 1];
    return 0;
  }

  remember(until: u64, lease: u64): void {
    this.entries[this.place] = until;
    this.entries[this.place + 1] = lease;
    this.place = (this.place + 2) % (2 * REMEMBERED);
  }

  /** The store has this one no longer. */
  forget(until: u64): void {
    for (let i = 0; i < 2 * REMEMBERED; i += 2) if (this.entries[i] == until) this.entries[i] = 0;
  }

  /** The store may have none of them. */
  forgetAll(): void {
    this.entries.fill(0);
  }
}

/**
 * Returns for how many seconds to ask. A key that is to last longer than a minute lasts an hour longer, for proxies whose clocks
 * are late; a shorter one is a sign of life, and ends in time.
 */
export function leaseSeconds(until: u64, now: u64): u64 {
  if (until <= now) return 1;
  const seconds = until - now;
  return seconds > SIGN_OF_LIFE_SECONDS ? seconds + SPARE_SECONDS : seconds;
}

/** Reports whether such a lease serves one key only. */
export function isSignOfLife(until: u64, now: u64): bool {
  return until <= now + SIGN_OF_LIFE_SECONDS;
}

const REMEMBERED: i32 = 128;
const SIGN_OF_LIFE_SECONDS: u64 = 60;
const SPARE_SECONDS: u64 = 3600;
