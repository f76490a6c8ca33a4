/** Opens the cache that a filter's configuration names, on the host's shared data, clock and metrics. */
import { EventPoster } from "../admin/event_poster";
import { Config, EventsConfig } from "../config/config";
import { HostClock } from "../host/host_clock";
import { HostEntropy } from "../host/host_entropy";
import { HostLog } from "../host/host_log";
import { HostMetrics } from "../host/host_metrics";
import { HttpCall } from "../host/http_call";
import { PropertyPath } from "../host/properties";
import { SharedData } from "../host/shared_data";
import { LogLevel } from "../ports/log";
import { Cache } from "../session/cache";
import { Deadline, SLICE_NANOSECONDS } from "../session/job";
import { GivenSettings, Settings } from "../session/settings";
import { GAUGES, metricNames } from "../session/statistics";
import { Sweeper } from "../session/sweeper";

export class SharedCache {
  private readonly sweeper: Sweeper;
  private readonly deadline: Deadline;
  private readonly sink: HttpCall | null;
  private readonly poster: EventPoster | null;

  private constructor(
    readonly cache: Cache,
    readonly store: SharedData,
    events: EventsConfig | null,
  ) {
    this.sweeper = new Sweeper(cache, store);
    this.deadline = new Deadline(cache.clock);
    const sink = events ? new HttpCall(events.cluster, events.path) : null;
    this.sink = sink;
    this.poster = sink ? new EventPoster(cache, store, sink) : null;
  }

  /** What is due in the background, a slice of it; on most virtual machines nothing. */
  tick(): void {
    this.cache.tick();
    if (this.sweeper.isElected()) {
      this.deadline.start(SLICE_NANOSECONDS);
      this.cache.events.run(this.deadline);
      this.sweeper.work(this.deadline);
    }
    const poster = this.poster;
    if (poster) poster.tick();
  }

  /** The answer to an HTTP call has come. */
  callAnswered(token: u32): void {
    const sink = this.sink;
    if (sink) sink.answered(token);
  }

  /** Opens the cache; null where its settings contradict those of another filter, after the log was told. */
  static open(config: Config, role: string): SharedCache | null {
    const store = new SharedData();
    const settings = new Settings(config.cache, store, new HostEntropy());
    const refusal = settings.configure(PLUGIN_NAME.text() + "/" + role, given(config));
    if (refusal.length > 0) {
      new HostLog().write(LogLevel.Error, refusal);
      settings.free();
      return null;
    }
    const metrics = new HostMetrics(metricNames(config.cache), GAUGES);
    const clock = new HostClock();
    if (clock.monotonicSeconds() == 0) new HostLog().write(LogLevel.Warn, role + ": " + NO_MACHINE_CLOCK);
    return new SharedCache(new Cache(settings, store, clock, metrics), store, config.events);
  }

  free(): void {
    this.sweeper.free();
    const poster = this.poster;
    if (poster) poster.free();
    this.cache.free();
  }
}

function given(config: Config): GivenSettings {
  const settings = new GivenSettings();
  settings.mode = config.mode;
  settings.cacheSize = config.cacheSize;
  settings.timeoutSeconds = config.timeoutSeconds;
  settings.removedSeconds = config.removedSeconds;
  settings.ticketLifetime = config.ticketLifetime;
  settings.enforcement = config.enforcement;
  settings.maxMemoryMib = config.maxMemoryMib;
  return settings;
}

const NO_MACHINE_CLOCK: string =
  "the host does not let this module call clock_time_get: removals and revocations end by the clock of the day alone, " +
  "also where somebody sets it ahead; allow clock_time_get in allowed_capabilities";
const PLUGIN_NAME = new PropertyPath("plugin_name");
