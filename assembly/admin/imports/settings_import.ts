/** Settings that `GET /v1/export?what=settings` gave: any of mode, cache_size, timeout and enforcement. */
import { readMode } from "../../config/mode_field";
import { JsonKind, JsonValue } from "../../json/value";
import { Cache } from "../../session/cache";
import { Shrink } from "../../session/jobs/shrink";
import { enforcementOf } from "../../session/settings/enforcement";
import { Deadline } from "../../work/job";
import { Import, Taken } from "./import_job";

export class SettingsImport extends Import {
  /** Brings the cache down to a smaller size. */
  private shrink: Shrink | null = null;

  constructor(cache: Cache, items: JsonValue[]) {
    super(cache, "settings", items);
  }

  step(deadline: Deadline): bool {
    if (!super.step(deadline)) return false;
    const shrink = this.shrink;
    if (shrink === null || this.failed || this.error.length > 0) return true;
    if (!shrink.step(deadline)) return false;
    this.failed = shrink.failed;
    return true;
  }

  /** All values are checked before the first is set. */
  protected take(entry: JsonValue): Taken {
    const settings = this.cache.settings;
    let mode = settings.mode;
    let size = settings.cacheSize;
    let timeout = settings.timeoutSeconds;
    let enforcement = settings.enforcement;
    for (let i = 0; i < entry.names.length; i++) {
      const name = entry.names[i];
      const value = entry.items[i];
      if (name == "mode") {
        const read = readMode(value);
        if (read.error.length > 0) return this.malformed("mode: " + read.error);
        mode = read.mode;
      } else if (name == "cache_size") {
        if (!value.isWhole(0, i32.MAX_VALUE)) return this.malformed("cache_size: expected a whole number");
        size = <u32>value.number;
      } else if (name == "timeout") {
        if (!value.isWhole(1, i32.MAX_VALUE)) return this.malformed("timeout: expected whole seconds");
        timeout = <u32>value.number;
      } else if (name == "enforcement") {
        const level = value.kind == JsonKind.String ? enforcementOf(value.text) : -1;
        if (level < 0) return this.malformed('enforcement: expected "observe", "revoked" or "strict"');
        enforcement = <u32>level;
      } else return this.malformed("expected mode, cache_size, timeout and enforcement only");
    }
    let changed = false;
    if (enforcement != settings.enforcement) {
      if (!settings.changeEnforcement(enforcement)) return Taken.NotStored;
      changed = true;
    }
    if (mode != settings.mode) {
      if (!settings.changeMode(mode)) return Taken.NotStored;
      changed = true;
    }
    if (timeout != settings.timeoutSeconds) {
      if (!settings.changeTimeout(timeout)) return Taken.NotStored;
      changed = true;
    }
    if (size != settings.cacheSize) {
      if (!this.cache.changeCacheSize(size)) return Taken.NotStored;
      this.shrink = new Shrink(this.cache);
      changed = true;
    }
    return changed ? Taken.Taken : Taken.Identical;
  }
}
