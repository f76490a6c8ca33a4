/** When to try again: 0.3 s after a first failure, then each time later, at most 4 s; 4 s at once if the store denies. */
import { GrpcStatus } from "../grpc/grpc_calls";

export class Retry {
  private failures: i32 = 0;
  private since: u64 = 0;
  private delay: u64 = 0;

  /** It went well: no delay. */
  succeeded(): void {
    this.failures = 0;
    this.delay = 0;
  }

  failed(nowNanoseconds: u64, status: i32): void {
    const denies = status == GrpcStatus.PERMISSION_DENIED || status == GrpcStatus.UNAUTHENTICATED;
    const delay = denies ? MAX_NANOSECONDS : min(FIRST_NANOSECONDS << (<u64>min(this.failures, 8)), MAX_NANOSECONDS);
    this.failures++;
    this.since = nowNanoseconds;
    // Up to a quarter less, so that not all proxies come back in the same moment.
    this.delay = delay - ((((nowNanoseconds * SPREAD) >> 32) * (delay >> 2)) >> 32);
  }

  isDue(nowNanoseconds: u64): bool {
    return hasPassed(this.since, this.delay, nowNanoseconds);
  }
}

/** Reports whether a time has passed; also if the clock was set back meanwhile, as nobody knows then. */
export function hasPassed(since: u64, nanoseconds: u64, now: u64): bool {
  return now < since || now - since >= nanoseconds;
}

const FIRST_NANOSECONDS: u64 = 300_000_000;
const MAX_NANOSECONDS: u64 = 4_000_000_000;
/** Fibonacci hashing (Knuth 6.4): the upper half of the product looks like chance. */
const SPREAD: u64 = 0x9e3779b97f4a7c15;
