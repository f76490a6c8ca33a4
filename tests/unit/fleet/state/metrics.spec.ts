import {
  appliedAs,
  callsFailed,
  FLEET_GAUGES,
  FLEET_METRICS,
  FleetMetric,
  fleetMetricName,
  ToldKind,
} from "../../../../assembly/fleet/state/metrics";
import { JournalCall } from "../../../../assembly/ports/journal";
import { Applied } from "../../../../assembly/session/record/applied";

describe("the metrics of a fleet", () => {
  it("have names of their own, with their labels behind", () => {
    const names = new Set<string>();
    for (let metric = 0; metric < FLEET_METRICS; metric++) names.add(fleetMetricName(metric, "edge"));
    // `Resync.NONE` is never counted.
    expect(names.size).toBe(FLEET_METRICS - 1);
    expect(fleetMetricName(FleetMetric.CONNECTED, "edge")).toBe("tls_session_cache_fleet_connected.cache.edge");
    expect(fleetMetricName(FleetMetric.START_WAITS, "edge")).toBe(
      "tls_session_cache_fleet_start_waits_total.cache.edge",
    );
    expect(fleetMetricName(FleetMetric.TOLD + ToldKind.SETTING, "edge")).toBe(
      "tls_session_cache_fleet_told_total.cache.edge.kind.setting",
    );
    expect(fleetMetricName(appliedAs(ToldKind.REMOVAL, Applied.Stored), "edge")).toBe(
      "tls_session_cache_fleet_applied_total.cache.edge.kind.removal.outcome.stored",
    );
    expect(fleetMetricName(callsFailed(JournalCall.RANGE, 14), "edge")).toBe(
      "tls_session_cache_fleet_calls_failed_total.cache.edge.call.range.status.14",
    );
  });

  it("are counters behind the gauges", () => {
    for (let metric = 0; metric < FLEET_METRICS; metric++) {
      const isTotal = fleetMetricName(metric, "edge").includes("_total.");
      expect(isTotal).toBe(metric >= FLEET_GAUGES);
    }
  });
});
