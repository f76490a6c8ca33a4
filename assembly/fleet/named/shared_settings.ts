/**
 * The settings that a fleet shares: mode, timeout and enforcement. A value that differs from the one that was known last was
 * changed here, over HTTP or by a changed configuration; it gets a stamp then and goes to all proxies. So does one that was set
 * over HTTP to the value that it had (`SetCounts`). Of two values the one with the greater stamp holds, at equal stamps the
 * greater value.
 *
 * The values that a process begins with have no stamp: they are those of its configuration, and give way to the fleet's.
 */
import { SharedStore } from "../../ports/shared_store";
import { StoredValue } from "../../shared/stored_value";
import { MAX_STAMP, stampAt } from "../../session/record/stamp";
import { Enforcement } from "../../session/settings/enforcement";
import { ENFORCEMENT, MODE, TIMEOUT } from "../../session/settings/given_settings";
import { Mode } from "../../session/settings/mode";
import { SetCounts } from "../../session/settings/set_counts";
import { Settings } from "../../session/settings/settings";

export class SharedSettings {
  private readonly value: StoredValue;
  private readonly counts: SetCounts;
  /** The epoch of changes in which the counts were read, 0 for none. */
  private epoch: u32 = 0;
  private isLoaded: bool = false;
  /** Until then, configurations that come belong to the start of the process: nanoseconds since 1970. */
  private startsUntil: u64 = 0;
  private readonly known: usize = heap.alloc(<usize>SHARED_SETTINGS * KNOWN_SIZE);

  constructor(
    private readonly settings: Settings,
    sharedStore: SharedStore,
  ) {
    this.value = new StoredValue(settings.cacheName, "fleet/settings", sharedStore);
    this.counts = new SetCounts(settings.cacheName, sharedStore);
  }

  free(): void {
    this.value.free();
    this.counts.free();
    heap.free(this.known);
  }

  /** Notes the values in force; one that has changed here gets a stamp. Needs settings that were just read. */
  look(nowNanoseconds: u64): void {
    const size = SHARED_SETTINGS * <i32>KNOWN_SIZE;
    this.readCounts();
    if (!this.isLoaded) {
      this.isLoaded = true;
      if (!this.value.readWhole(this.known, size)) {
        memory.fill(this.known, 0, size);
        this.startsUntil = nowNanoseconds + START_NANOSECONDS;
        for (let number = 0; number < SHARED_SETTINGS; number++) this.note(number);
        this.keep();
        return;
      }
    }
    let changed = false;
    for (let number = 0; number < SHARED_SETTINGS; number++) {
      const known = this.of(number);
      const wasSet = known.count != this.counts.of(SETTINGS[number]);
      if (known.value == this.inForce(number) && !wasSet) continue;
      this.note(number);
      changed = true;
      const starts = known.stamp == 0 && nowNanoseconds < this.startsUntil && !wasSet;
      const isOfStart = starts && !this.settings.deviates(SETTINGS[number]);
      if (!isOfStart) known.stamp = min(max(stampAt(nowNanoseconds), known.stamp + 1), MAX_STAMP);
    }
    if (changed) this.keep();
  }

  /** The stamp of a setting, 0 if it is that of the configuration that the process began with. */
  stampOf(number: i32): u64 {
    return this.of(number).stamp;
  }

  valueOf(number: i32): u32 {
    return this.of(number).value;
  }

  /** Takes over a value of another proxy. Returns whether it holds now; false as well if it could not be stored. */
  take(number: i32, value: u32, stamp: u64): bool {
    const known = this.of(number);
    if (stamp > MAX_STAMP || stamp < known.stamp) return false;
    if (stamp == known.stamp && orderOf(number, value) <= orderOf(number, known.value)) return false;
    if (!this.isPossible(number, value)) return false;
    if (value != this.inForce(number) && !this.change(number, value)) return false;
    known.value = this.inForce(number);
    known.stamp = stamp;
    this.keep();
    return true;
  }

  /** Reads how often settings were set, if anything has changed. */
  private readCounts(): void {
    const epoch = this.settings.changes.epoch;
    if (this.epoch == epoch) return;
    this.epoch = epoch;
    this.counts.read();
  }

  /** Takes value and count of a setting as they are now for the known ones. */
  private note(number: i32): void {
    const known = this.of(number);
    known.value = this.inForce(number);
    known.count = this.counts.of(SETTINGS[number]);
  }

  private inForce(number: i32): u32 {
    const settings = this.settings;
    if (number == SharedSetting.MODE) return settings.mode;
    if (number == SharedSetting.TIMEOUT) return settings.timeoutSeconds;
    return settings.overridden ? settings.cacheEnforcement | OVERRIDES : settings.cacheEnforcement;
  }

  private change(number: i32, value: u32): bool {
    if (number == SharedSetting.MODE) return this.settings.changeMode(value);
    return number == SharedSetting.TIMEOUT
      ? this.settings.changeTimeout(value)
      : this.settings.changeEnforcement(value & ~OVERRIDES);
  }

  /** Whether a value may be set over HTTP as well. */
  private isPossible(number: i32, value: u32): bool {
    if (number == SharedSetting.TIMEOUT) return value >= 1 && value <= <u32>i32.MAX_VALUE;
    return number == SharedSetting.MODE ? (value & ~ALL_MODES) == 0 : (value & ~OVERRIDES) <= Enforcement.STRICT;
  }

  private keep(): void {
    this.value.overwrite(this.known, SHARED_SETTINGS * <i32>KNOWN_SIZE);
  }

  private of(number: i32): KnownSetting {
    return changetype<KnownSetting>(this.known + <usize>number * KNOWN_SIZE);
  }
}

/** Returns by what a value of a setting holds over another one of an equal stamp. Each proxy has its own OVERRIDES. */
export function orderOf(number: i32, value: u32): u32 {
  return number == SharedSetting.ENFORCEMENT ? value & ~OVERRIDES : value;
}

/** The numbers of these settings in the journal: they never change. */
export namespace SharedSetting {
  export const MODE: i32 = 0;
  export const TIMEOUT: i32 = 1;
  export const ENFORCEMENT: i32 = 2;
}

/** One of the value in the store, KNOWN_SIZE bytes. */
@unmanaged
class KnownSetting {
  stamp: u64;
  value: u32;
  /** How often it was set over HTTP; earlier modules leave it. */
  count: u32;
}

export const SHARED_SETTINGS: i32 = 3;
const KNOWN_SIZE: usize = 16;
/** An enforcement that holds for all filters, whatever their texts say. */
const OVERRIDES: u32 = 0x100;
const ALL_MODES: u32 =
  Mode.SERVER | Mode.NO_AUTO_CLEAR | Mode.NO_INTERNAL_LOOKUP | Mode.NO_INTERNAL_STORE | Mode.UPDATE_TIME;
const START_NANOSECONDS: u64 = 10_000_000_000;
const SETTINGS: StaticArray<i32> = [MODE, TIMEOUT, ENFORCEMENT];
