/**
 * What the domain needs of counters and gauges that all workers share. A metric is a small number of the catalogue in
 * `session/counting/statistics.ts`; each named cache has metrics of its own. Each change is atomic over all workers, costs well
 * below a microsecond and allocates nothing.
 */
export abstract class Metrics {
  abstract increase(metric: i32, by: u64): void;

  /** For gauges only. */
  abstract decrease(metric: i32, by: u64): void;

  /** For gauges only. */
  abstract record(metric: i32, value: u64): void;

  /** Takes what the shared store has, once for many numbers that are read one after the other. */
  refresh(): void {}

  /** The present value, summed over all workers; never below zero. Of what the shared store has: as of `refresh`. */
  abstract read(metric: i32): u64;
}
