/**
 * The start of a filter with `"fleet": {"start": "wait"}`: whether the decisions of other proxies are still awaited. They are
 * until the leader of the fleet has taken them over, or cannot reach their store, but no longer than `start_wait_ms`.
 *
 * Cost: one or two reads of the shared store for each tick of the wait, and nothing afterwards. Connections and requests only
 * look at `isPending`.
 */
import { FleetConfig } from "../../config/config";
import { fleetMetricName, FleetMetric } from "../../fleet/state/metrics";
import { Readiness, readiness } from "../../fleet/state/readiness";
import { StatusValue } from "../../fleet/state/status";
import { HostMetrics } from "../../host/adapters/host_metrics";
import { tellOnce } from "../../host/notices/told_once";
import { LogLevel } from "../../ports/log";
import { SharedCache } from "./shared_cache";

export class FleetStart {
  isPending: bool = true;
  private readonly status: StatusValue;
  private readonly waitMilliseconds: u32;
  private readonly begunAt: u64;
  /** Null until something has to wait. */
  private metrics: HostMetrics | null = null;

  constructor(
    private readonly shared: SharedCache,
    config: FleetConfig,
  ) {
    this.status = new StatusValue(shared.cache.settings.cacheName, shared.store);
    this.waitMilliseconds = config.startWaitMilliseconds;
    this.begunAt = shared.cache.clock.nowNanoseconds();
    this.tick();
  }

  free(): void {
    this.status.free();
  }

  /** Finds out whether the wait is over. */
  tick(): void {
    if (!this.isPending) return;
    const cache = this.shared.cache;
    const ready = readiness(cache.settings, this.status, cache.clock, this.waitMilliseconds);
    // If the clock was set back, this wraps to a very long time: better too early than never.
    const waited = cache.clock.nowNanoseconds() - this.begunAt;
    const isTooLong = waited >= <u64>this.waitMilliseconds * NANOSECONDS_PER_MILLISECOND;
    if (ready != Readiness.Synced && ready != Readiness.NotReached && !isTooLong) return;
    this.isPending = false;
    if (ready == Readiness.Synced) return;
    const settings = cache.settings;
    const line = settings.registrations.spokenName + (ready == Readiness.Off ? NO_FLEET : NOT_HERE);
    tellOnce(this.shared.store, settings.cacheName, LogLevel.Warn, line);
  }

  /** Counts a connection or a request that has to wait. */
  countWait(): void {
    let metrics = this.metrics;
    if (!metrics) {
      const name = fleetMetricName(FleetMetric.START_WAITS, this.shared.cache.settings.cacheName);
      const noGauges = 0;
      metrics = new HostMetrics([name], noGauges);
      this.metrics = metrics;
    }
    metrics.increase(0, 1);
  }
}

/** Returns the start of a filter; null if its configuration lets nothing wait. */
export function fleetStartOf(shared: SharedCache, config: FleetConfig | null): FleetStart | null {
  return config && config.waits ? new FleetStart(shared, config) : null;
}

const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;
const NO_FLEET: string =
  ': fleet.start is "wait", but no fleet filter of this cache is configured, so nobody brings decisions of other proxies; ' +
  'put the fleet filter in front of the admin filter, or set "start": "serve"';
const NOT_HERE: string =
  ": the decisions of other proxies have not come within fleet.start_wait_ms, so connections go on without them; see GET /v1/fleet";
