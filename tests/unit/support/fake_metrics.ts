/** Counters and gauges in memory. Like Envoy's, a gauge wraps below zero; reading clamps. */
import { Metrics } from "../../../assembly/ports/metrics";
import { METRICS } from "../../../assembly/session/counting/statistics";

export class FakeMetrics extends Metrics {
  readonly values: StaticArray<u64>;

  constructor(count: i32 = METRICS) {
    super();
    this.values = new StaticArray<u64>(count);
  }

  increase(metric: i32, by: u64): void {
    this.values[metric] += by;
  }

  decrease(metric: i32, by: u64): void {
    this.values[metric] -= by;
  }

  record(metric: i32, value: u64): void {
    this.values[metric] = value;
  }

  read(metric: i32): u64 {
    const value = this.values[metric];
    return <i64>value < 0 ? 0 : value;
  }
}
