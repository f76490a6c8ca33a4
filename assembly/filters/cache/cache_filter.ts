/** The base of all filters: takes a configuration text, and opens the cache that it names. */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { Config } from "../../config/config";
import { MAX_CONFIGURATION_LENGTH, parseConfig } from "../../config/parse";
import { unusedFields } from "../../config/unused_fields";
import { HostEnvironment } from "../../host/adapters/environment";
import { HostLog } from "../../host/adapters/host_log";
import { tellMissingCallback } from "../../host/notices/missing_callback";
import { Root } from "../../host/roots";
import { tellOnce } from "../../host/notices/told_once";
import { LogLevel } from "../../ports/log";
import { SharedCache } from "./shared_cache";

export abstract class CacheFilter extends Root {
  protected shared: SharedCache | null = null;
  /** Null from the first tick on. */
  private config: Config | null = null;
  /** A hash of the configuration's text. Envoy distinguishes plugins by their text, too. */
  private text: u64 = 0;
  /** Whether a tick has come since the filter was configured. */
  protected hasTicked: bool = false;
  private configuredAt: u64 = 0;
  /** When that was missed first. */
  private missedAt: u64 = 0;

  constructor(private readonly role: string) {
    super();
    this.maxConfigurationLength = MAX_CONFIGURATION_LENGTH;
  }

  configure(text: usize, length: i32): bool {
    const config: Config = parseConfig(text, length, new HostEnvironment());
    const refusal = config.error.length > 0 ? config.error : this.refusalOf(config);
    if (refusal.length > 0) {
      new HostLog().write(LogLevel.Error, "configuration of the " + this.role + " filter: " + refusal);
      return false;
    }
    this.text = fnvBytes(FNV_BASIS, text, length);
    this.config = config;
    if (!this.open()) return false;
    this.tell(unusedFields(config, this.role));
    this.tell(this.oddityOf(config));
    return true;
  }

  tick(): void {
    const shared = this.shared;
    if (!shared) return;
    this.hasTicked = true;
    if (shared.outdated) this.open();
    else {
      this.config = null;
      shared.tick();
    }
  }

  /** Opens the cache, and closes the one before. */
  private open(): bool {
    const config = this.config;
    const before = this.shared;
    const shared = config ? SharedCache.open(config, this.role, this.text) : null;
    if (!config || !shared) return false;
    this.shared = shared;
    this.configuredAt = shared.cache.clock.nowNanoseconds();
    this.opened(shared, config);
    if (before) before.free();
    return true;
  }

  /** To be called if something comes to a filter that has had no tick yet: the first one is due with the first tenth of a second. */
  protected missTick(shared: SharedCache): void {
    const now = shared.cache.clock.nowNanoseconds();
    if (now < this.configuredAt + PATIENCE_NANOSECONDS) return;
    // A worker that was held up may come to a connection before it comes to its tick: once.
    if (this.missedAt == 0) this.missedAt = now;
    if (now < this.missedAt + PATIENCE_NANOSECONDS) return;
    tellMissingCallback("proxy_on_tick", "no tick comes, so nothing is swept, summed up or told as an event");
  }

  private tell(line: string): void {
    const shared = this.shared;
    if (!shared || line.length == 0) return;
    tellOnce(shared.store, shared.cache.settings.registrations.spokenName, LogLevel.Warn, line);
  }

  callAnswered(token: u32): void {
    const shared = this.shared;
    if (shared) shared.callAnswered(token);
  }

  free(): void {
    const shared = this.shared;
    this.shared = null;
    if (shared) shared.free();
  }

  /** Returns why a well-formed configuration does not suit this filter; empty if it does. */
  protected refusalOf(config: Config): string {
    return "";
  }

  /** What is odd about a configuration that serves, one line; empty if nothing is. */
  protected oddityOf(config: Config): string {
    return "";
  }

  /** The cache is open. May be called again, for another one. */
  protected abstract opened(shared: SharedCache, config: Config): void;
}

/** Ten ticks. */
const PATIENCE_NANOSECONDS: u64 = 1_000_000_000;
