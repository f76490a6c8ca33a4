/**
 * Metrics: the host's. All virtual machines and workers share one metric of a name and change it atomically. Defined once
 * for each cache when a filter is configured.
 */
import { Metrics } from "../../ports/metrics";
import {
  HostResult,
  MetricType,
  proxy_define_metric,
  proxy_get_metric,
  proxy_increment_metric,
  proxy_record_metric,
} from "../abi";

export class HostMetrics extends Metrics {
  private readonly ids: StaticArray<u32>;

  /** Defines a metric for each name; the first `gauges` of them are gauges, the others counters. */
  constructor(names: StaticArray<string>, gauges: i32) {
    super();
    const ids = new StaticArray<u32>(names.length);
    for (let metric = 0; metric < names.length; metric++) {
      const name = String.UTF8.encode(names[metric]);
      const type = metric < gauges ? MetricType.GAUGE : MetricType.COUNTER;
      const result = proxy_define_metric(type, changetype<usize>(name), name.byteLength, OUT_ID);
      ids[metric] = result == HostResult.OK ? load<u32>(OUT_ID) : 0;
    }
    this.ids = ids;
  }

  increase(metric: i32, by: u64): void {
    // The host refuses to raise a counter by 0.
    if (by > 0) proxy_increment_metric(this.ids[metric], <i64>by);
  }

  decrease(metric: i32, by: u64): void {
    if (by > 0) proxy_increment_metric(this.ids[metric], -(<i64>by));
  }

  record(metric: i32, value: u64): void {
    proxy_record_metric(this.ids[metric], value);
  }

  read(metric: i32): u64 {
    if (proxy_get_metric(this.ids[metric], OUT_VALUE) != HostResult.OK) return 0;
    const value = load<u64>(OUT_VALUE);
    // Gauges of the host wrap below 0.
    return <i64>value < 0 ? 0 : value;
  }
}

const OUT_ID: usize = memory.data(4, 4);
const OUT_VALUE: usize = memory.data(8, 8);
