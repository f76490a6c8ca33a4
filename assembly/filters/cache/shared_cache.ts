/**
 * The cache that a filter's configuration names, on the host's shared data, clock and metrics, and its work in the
 * background.
 */
import { EventPoster } from "../../admin/event_poster";
import { Config, EventsConfig } from "../../config/config";
import { HostClock } from "../../host/adapters/host_clock";
import { HostEntropy } from "../../host/adapters/host_entropy";
import { HostLog } from "../../host/adapters/host_log";
import { HostMetrics } from "../../host/adapters/host_metrics";
import { HttpCall } from "../../host/adapters/http_call";
import { PropertyPath } from "../../host/properties";
import { SharedData } from "../../host/adapters/shared_data";
import { Clock, NANOSECONDS_PER_SECOND } from "../../ports/clock";
import { LogLevel } from "../../ports/log";
import { Cache } from "../../session/cache";
import { Deadline, SLICE_NANOSECONDS } from "../../work/job";
import { GivenSettings, Settings } from "../../session/settings/settings";
import { GAUGES, metricNames } from "../../session/counting/statistics";
import { Sweeper } from "../../session/jobs/sweeper";
import { Tally } from "../../session/counting/tally";
import { moduleBuild } from "./module_build";
import { ModuleInfo } from "./module_info";
import { VERSION } from "./module_version";

export class SharedCache {
  private readonly sweeper: Sweeper;
  private readonly deadline: Deadline;
  private readonly sink: HttpCall | null;
  private readonly poster: EventPoster | null;
  private readonly pages: u32;
  private readonly moduleInfo: ModuleInfo;
  private ticked: u32 = 0;
  private comparedAt: u64 = 0;

  private constructor(
    readonly cache: Cache,
    readonly store: SharedData,
    private readonly tally: Tally,
    events: EventsConfig | null,
  ) {
    this.pages = cache.settings.pages;
    this.moduleInfo = new ModuleInfo(cache.settings.registrations);
    this.sweeper = new Sweeper(cache, store);
    this.deadline = new Deadline(cache.clock);
    const sink = events ? new HttpCall(events.cluster, events.path) : null;
    this.sink = sink;
    this.poster = sink ? new EventPoster(cache, store, sink, new HostLog()) : null;
  }

  /**
   * Whether the configuration of this filter is in force. A superseded one is again after its first new connection
   * (`claim`).
   */
  @inline
  get inForce(): bool {
    return this.cache.settings.registrations.inForce;
  }

  /** Whether the bound on memory has changed since, so that the cache must be opened again. Only before any connection. */
  get outdated(): bool {
    return this.cache.settings.pages != this.pages;
  }

  /** Works a slice in the background; most virtual machines have nothing to do. */
  tick(): void {
    this.cache.tick();
    this.tally.tick();
    const elected = this.sweeper.elect();
    this.keepRegistered(elected);
    if (elected) {
      const now = this.cache.clock.nowNanoseconds();
      if (now - this.comparedAt >= NANOSECONDS_PER_SECOND) {
        this.comparedAt = now;
        this.tally.compare();
      }
      this.deadline.start(SLICE_NANOSECONDS);
      this.cache.events.run(this.deadline);
      this.sweeper.work(this.deadline);
    }
    const poster = this.poster;
    // A receiver that the configuration no longer names gets nothing more, even while an old listener drains.
    if (poster && this.inForce) poster.tick();
  }

  /** A new connection has come to a superseded filter: its listener serves again, so puts its configuration in force. */
  claim(): void {
    const cache = this.cache;
    if (!cache.settings.claim(secondsOf(cache.clock), cache.clock.nowSeconds())) return;
    new HostLog().write(LogLevel.Warn, cache.settings.registrations.spokenName + IN_FORCE_AGAIN);
  }

  /** The filter is in a chain of the wrong kind: logs that, once. */
  misplaced(what: string): void {
    const registrations = this.cache.settings.registrations;
    if (!registrations.misplace()) return;
    new HostLog().write(LogLevel.Error, registrations.spokenName + what);
  }

  /** Renews the registration, about once a second and at the first tick. */
  private keepRegistered(elected: bool): void {
    const clock = this.cache.clock;
    const settings = this.cache.settings;
    const changes = settings.changes;
    changes.refresh();
    if (changes.epoch == this.ticked) return;
    const counted = this.inForce;
    const line = settings.tick(elected, secondsOf(clock), this.cache.clock.nowSeconds());
    this.ticked = changes.epoch;
    this.moduleInfo.tick();
    this.cache.configured.keepStored();
    if (line.length > 0) new HostLog().write(LogLevel.Error, line);
    if (counted && !this.inForce) new HostLog().write(LogLevel.Info, settings.registrations.spokenName + SUPERSEDED);
  }

  /** The answer to an HTTP call has come. */
  callAnswered(token: u32): void {
    const sink = this.sink;
    if (sink) sink.answered(token);
  }

  /** Opens the cache. If its settings contradict those of another filter, logs that and returns null. */
  static open(config: Config, role: string, text: u64): SharedCache | null {
    const store = new SharedData();
    const settings = new Settings(config.cache, store, new HostEntropy());
    const clock = new HostClock();
    const now = secondsOf(clock);
    const name = PLUGIN_NAME.text() + "/" + role;
    const unix = clock.nowSeconds();
    const refusal = settings.configure(name, given(config), text, now, unix, VERSION, moduleBuild());
    if (refusal.length > 0) {
      new HostLog().write(LogLevel.Error, refusal);
      settings.free();
      return null;
    }
    const metrics = new HostMetrics(metricNames(config.cache), GAUGES);
    if (clock.monotonicSeconds() == 0) new HostLog().write(LogLevel.Warn, role + ": " + NO_MACHINE_CLOCK);
    const tally = new Tally(config.cache, store, metrics, settings.created);
    const cache = new Cache(settings, store, clock, tally);
    tally.rush = cache.rush;
    cache.configured.give(config.removed, clock.nowSeconds());
    return new SharedCache(cache, store, tally, config.events);
  }

  free(): void {
    this.cache.settings.leave(secondsOf(this.cache.clock));
    this.moduleInfo.leave();
    this.sweeper.free();
    const poster = this.poster;
    if (poster) poster.free();
    this.cache.free();
    this.tally.free();
  }
}

/** Seconds of the machine's own clock, or of the clock of the day if the host refuses it. */
function secondsOf(clock: Clock): u32 {
  const seconds = clock.monotonicSeconds();
  return <u32>(seconds == 0 ? clock.nowSeconds() : seconds);
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
  settings.removes = !config.removed.isEmpty;
  return settings;
}

const NO_MACHINE_CLOCK: string =
  "the host does not let this module call clock_time_get, so removals and revocations end by the clock of the day alone, " +
  "even if somebody sets it ahead; allow clock_time_get in allowed_capabilities";
const IN_FORCE_AGAIN: string =
  ": its configuration is in force again, as new connections come to it, and the later one of the same name is not; " +
  "if connections come to both, upgrade all their listeners, or give the two filters different names";
const SUPERSEDED: string =
  ": another configuration of it is in force now; this one serves the connections that it still has";
const PLUGIN_NAME = new PropertyPath("plugin_name");
