/**
 * Counters and gauges that all workers share. A metric is a number of the catalogue in `session/counting/statistics.ts`;
 * each named cache has its own. A change is atomic over all workers, takes well below a microsecond and allocates nothing.
 */
export abstract class Metrics {
  abstract increase(metric: i32, by: u64): void;

  /** For gauges only. */
  abstract decrease(metric: i32, by: u64): void;

  /** For gauges only. */
  abstract record(metric: i32, value: u64): void;

  /** Reads the values in the shared store, once for many calls of `read` that follow. */
  refresh(): void {}

  /** Returns the current value over all workers, never below zero; values in the shared store are as of `refresh`. */
  abstract read(metric: i32): u64;
}
