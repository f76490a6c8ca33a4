/** The base of all filters: takes a configuration text, and opens the cache that it names. */
import { FNV_BASIS, fnvBytes } from "../../bytes/fnv";
import { Config } from "../../config/config";
import { parseConfig } from "../../config/parse";
import { HostEnvironment } from "../../host/adapters/environment";
import { HostLog } from "../../host/adapters/host_log";
import { Root } from "../../host/roots";
import { LogLevel } from "../../ports/log";
import { SharedCache } from "./shared_cache";

export abstract class CacheFilter extends Root {
  protected shared: SharedCache | null = null;
  /** Null from the first tick on. */
  private config: Config | null = null;
  /** A hash of the configuration's text. Envoy distinguishes plugins by their text, too. */
  private text: u64 = 0;

  constructor(private readonly role: string) {
    super();
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
    return this.open();
  }

  tick(): void {
    const shared = this.shared;
    if (!shared) return;
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
    this.opened(shared, config);
    if (before) before.free();
    return true;
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

  /** The cache is open. May be called again, for another one. */
  protected abstract opened(shared: SharedCache, config: Config): void;
}
