/** Metrics that are defined when they are used first: a fleet has many that never count anything. */
import { HostMetrics } from "../../host/adapters/host_metrics";
import { Metrics } from "../../ports/metrics";
import { FLEET_GAUGES, FLEET_METRICS, fleetMetricName } from "../../fleet/state/metrics";

export class LazyMetrics extends Metrics {
  private readonly defined: StaticArray<HostMetrics | null> = new StaticArray<HostMetrics | null>(FLEET_METRICS);

  constructor(private readonly cacheName: string) {
    super();
  }

  increase(metric: i32, by: u64): void {
    this.of(metric).increase(0, by);
  }

  decrease(metric: i32, by: u64): void {
    this.of(metric).decrease(0, by);
  }

  record(metric: i32, value: u64): void {
    this.of(metric).record(0, value);
  }

  read(metric: i32): u64 {
    return this.of(metric).read(0);
  }

  private of(metric: i32): HostMetrics {
    const known = this.defined[metric];
    if (known) return known;
    const made = new HostMetrics([fleetMetricName(metric, this.cacheName)], metric < FLEET_GAUGES ? 1 : 0);
    this.defined[metric] = made;
    return made;
  }
}
