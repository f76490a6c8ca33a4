/**
 * The settings of one named cache, shared by all filters and workers: the values that the configurations in force give
 * (`registrations.ts`), and changes over HTTP since. One small value in the shared store, which each handshake that concerns
 * the cache looks at once. So a change is in force on every worker at once.
 *
 * A filter takes from the others the settings that it does not give; a setting that nobody gives has its default. A value
 * that was set over HTTP holds until the process ends or until that value in the configuration changes. Of contradicting
 * values the stricter holds.
 *
 * The enforcement is a filter's own if its text has one, else the cache's. One that was set over HTTP holds for all filters,
 * whatever their texts say, until the enforcement in a configuration changes.
 */
import { Entropy } from "../../ports/entropy";
import { SharedStore, StoreResult, WRITES_DENIED } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
import { KeyedHash } from "../../shared/keyed_hash";
import { StoredValue } from "../../shared/stored_value";
import { Enforcement } from "./enforcement";
import {
  CACHE_SIZE,
  DEFAULT_CACHE_SIZE,
  DEFAULT_MAX_MEMORY_MIB,
  DEFAULT_REMOVED_SECONDS,
  DEFAULT_TICKET_LIFETIME,
  DEFAULT_TIMEOUT_SECONDS,
  defaultValue,
  ENFORCEMENT,
  GivenSettings,
  LIFETIME,
  MODE,
  REMOVED,
  SETTINGS,
  TIMEOUT,
  UNSET,
} from "./given_settings";
import { Mode } from "./mode";
import { Registrations } from "./registrations";
import { SetCounts } from "./set_counts";

export { GivenSettings };

export class Settings {
  pages: u32 = 0;
  generation: u32 = 0;
  mode: u32 = Mode.SERVER;
  cacheSize: u32 = DEFAULT_CACHE_SIZE;
  timeoutSeconds: u32 = DEFAULT_TIMEOUT_SECONDS;
  removedSeconds: u32 = DEFAULT_REMOVED_SECONDS;
  /** Seconds for which servers let a ticket resume. */
  ticketLifetime: u32 = DEFAULT_TICKET_LIFETIME;
  /** One of `Enforcement`: that of this filter. */
  enforcement: u32 = Enforcement.REVOKED;
  /** The enforcement of filters whose texts have none. */
  cacheEnforcement: u32 = Enforcement.REVOKED;
  /** Whether an enforcement that was set over HTTP holds for all filters. */
  overridden: bool = false;
  /** When the last flush began, in Unix seconds. */
  lastFlush: u64 = 0;
  /** Whether `configure` has made the cache, as it found none. */
  created: bool = false;
  /** Has the key of this cache. */
  readonly hash: KeyedHash = new KeyedHash();
  /** The value of a setting before its last successful change here. */
  previous: u32 = 0;

  readonly changes: Changes;
  readonly registrations: Registrations;
  private readonly value: StoredValue;
  /** The epoch of `changes` in which the values were read last, 0 for none. */
  private epoch: u32 = 0;
  private lacksEntropy: bool = false;
  private flushedAll: u32 = 0;
  private flushedSome: u32 = 0;
  private flushedBefore: u64 = 0;

  constructor(
    readonly cacheName: string,
    private readonly sharedStore: SharedStore,
    private readonly entropy: Entropy,
  ) {
    this.value = new StoredValue(cacheName, "settings", sharedStore);
    const changes = new Changes(cacheName, sharedStore);
    this.changes = changes;
    this.registrations = new Registrations(cacheName, sharedStore, changes);
  }

  free(): void {
    this.value.free();
    this.changes.free();
    this.registrations.free();
  }

  /**
   * Takes the current values, and reads them only if anything has changed. Returns false if they cannot be read; then the
   * last known stay. Costs less than a read if nothing has changed.
   */
  load(): bool {
    this.changes.refresh();
    const epoch = this.changes.epoch;
    if (epoch == this.epoch) return true;
    if (!this.read()) return false;
    this.epoch = epoch;
    return true;
  }

  /** Reads the values, and makes RECORD ready for a change of them. */
  private read(): bool {
    this.value.read(RECORD_BYTES, RECORD_CAPACITY);
    if (this.value.length < RECORD_SIZE) return false;
    this.take();
    return true;
  }

  /**
   * Registers a filter, "NAME/ROLE", with the settings that its configuration gives, and takes the settings in force.
   * Returns an empty text, or why the configuration is refused. `text`: a hash of the whole configuration; `now`: seconds of
   * a clock that nobody sets; `unix`: Unix seconds; `version`, `build`: those of the module.
   */
  configure(
    filterName: string,
    given: GivenSettings,
    text: u64 = 0,
    now: u32 = 0,
    unix: u64 = 0,
    version: string = "",
    build: string = "",
  ): string {
    // Without random bytes two machines may pass for one: then fewer are counted, and nothing else follows.
    if (!this.entropy.fill(MACHINE, 4)) store<u32>(MACHINE, now);
    this.registrations.introduce(filterName, text, given, load<u32>(MACHINE) | 1, version, build);
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) {
        const result = this.create(given);
        if (this.lacksEntropy) return 'cache "' + this.cacheName + '": the host has no random bytes to give';
        if (result != StoreResult.Ok && result != StoreResult.Conflict) break;
        continue;
      }
      const known = this.registrations.read();
      const pages = given.maxMemoryMib < 0 ? this.pages : pagesFor(<u32>given.maxMemoryMib);
      if (pages != this.pages) {
        const free = known && this.registrations.starting && !this.registrations.boundsMemory();
        const current = (this.pages * PAGE_KIB) / 1024;
        if (!free) return this.registrations.memoryRefusal(<u32>given.maxMemoryMib, current);
      }
      const refusal = this.registrations.register(!this.created && !known, now, unix);
      if (refusal.length > 0) return refusal;
      if (pages != this.pages && !this.changePages(pages)) break;
      if (!this.apply(now)) break;
      return "";
    }
    const why = this.sharedStore.deniesWrites ? WRITES_DENIED : "others kept changing them: try again";
    return 'cache "' + this.cacheName + '": its settings could not be stored, as ' + why;
  }

  /** Does the tasks of each second (`Registrations.tick`). Returns a line for the log, or an empty text. */
  tick(elected: bool, now: u32, unix: u64): string {
    if (!this.registrations.tick(elected, now, unix) || !this.apply(now)) return "";
    return elected ? this.registrations.report(now) : "";
  }

  /** Puts a superseded filter in force again, as a new connection has come to it; false if that could not be stored. */
  claim(now: u32, unix: u64): bool {
    return this.registrations.claim(now, unix) && this.apply(now);
  }

  /** Takes leave of a filter that ends in this virtual machine. */
  leave(now: u32): void {
    this.registrations.leave(now);
    this.apply(now);
  }

  /** Returns the enforcement of a filter whose text gives `own`, UNSET if it gives none. */
  enforcementFor(own: u32): u32 {
    return own == UNSET || this.overridden ? this.cacheEnforcement : own;
  }

  changeMode(mode: u32): bool {
    return this.change(MODE, mode);
  }

  changeCacheSize(size: u32): bool {
    return this.change(CACHE_SIZE, size);
  }

  changeTimeout(seconds: u32): bool {
    return this.change(TIMEOUT, seconds);
  }

  changeEnforcement(enforcement: u32): bool {
    return this.change(ENFORCEMENT, enforcement);
  }

  /** Notes for a fleet that a setting was set, perhaps to the value that it had (`SetCounts`). */
  noteSet(setting: i32): void {
    const counts = new SetCounts(this.cacheName, this.sharedStore);
    if (counts.add(setting)) this.changes.announce();
    counts.free();
  }

  /** Whether a setting was changed over HTTP: it has another value than configurations give. Needs values just read. */
  deviates(setting: i32): bool {
    if (!this.read()) return false;
    if (setting == ENFORCEMENT) return isOverridden();
    const configured = configuredValue(setting);
    return RECORD.value(setting).current != (configured == UNSET ? defaultValue(setting) : configured);
  }

  /** Of the last flush of all sessions, and of the last one of those that expire before `lastFlushedBefore`; 0 for none. */
  get lastFullFlush(): u32 {
    return this.flushedAll;
  }

  get lastPartialFlush(): u32 {
    return this.flushedSome;
  }

  get lastFlushedBefore(): u64 {
    return this.flushedBefore;
  }

  /**
   * Begins a flush: from now on sessions of earlier generations count as flushed, all of them or those that expire before a
   * time (Unix seconds; 0 = all). Returns false if that could not be stored.
   */
  beginFlush(before: u64, nowSeconds: u64): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return false;
      const generation = this.generation + 1;
      RECORD.generation = generation;
      RECORD.lastFlush = nowSeconds;
      if (before == 0) {
        RECORD.flushedAll = generation;
      } else {
        RECORD.flushedSome = generation;
        RECORD.flushedBefore = before;
      }
      if (this.write() == StoreResult.Ok) {
        this.take();
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a session was flushed, though the flush may not have reached its page yet. Of flushes before a time, only the
   * last is known here; earlier ones are in force after they have been carried out.
   */
  flushed(generation: u32, expiry: u64): bool {
    if (generation < this.flushedAll) return true;
    return generation < this.flushedSome && expiry < this.flushedBefore;
  }

  private change(setting: i32, value: u32): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return false;
      const previous = RECORD.value(setting).current;
      RECORD.value(setting).current = value;
      if (setting == ENFORCEMENT) markOverridden();
      if (this.write() == StoreResult.Ok) {
        this.previous = previous;
        this.take();
        return true;
      }
    }
    return false;
  }

  private changePages(pages: u32): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return false;
      RECORD.pages = pages;
      if (this.write() == StoreResult.Ok) return true;
    }
    return false;
  }

  /** Puts the values in force that the configurations in force give. */
  private apply(now: u32): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.registrations.read()) return false;
      if (!this.read()) return false;
      if (!this.registrations.settled(now)) return true;
      let changed = false;
      for (let setting = 0; setting < SETTINGS; setting++) {
        const value = this.registrations.configured(setting);
        const ends = setting == ENFORCEMENT && this.registrations.enforcementChanged && isOverridden();
        if (!ends && configuredValue(setting) == value) continue;
        setConfigured(setting, value);
        changed = true;
      }
      if (changed && this.write() != StoreResult.Ok) continue;
      this.registrations.enforcementChanged = false;
      this.take();
      return true;
    }
    return false;
  }

  private create(given: GivenSettings): StoreResult {
    memory.fill(RECORD_BYTES, 0, RECORD_CAPACITY);
    this.lacksEntropy = !this.entropy.fill(RECORD_BYTES + HASH_KEY_OFFSET, HASH_KEY_SIZE);
    if (this.lacksEntropy) return StoreResult.Failed;
    RECORD.pages = pagesFor(given.maxMemoryMib < 0 ? DEFAULT_MAX_MEMORY_MIB : <u32>given.maxMemoryMib);
    for (let setting = 0; setting < SETTINGS; setting++) setConfigured(setting, UNSET);
    const result = this.value.create(RECORD_BYTES, RECORD_SIZE);
    if (result == StoreResult.Ok) {
      this.changes.announce();
      this.created = true;
    }
    return result;
  }

  private write(): StoreResult {
    const result = this.value.put(RECORD_BYTES, this.value.length);
    if (result == StoreResult.Ok) this.changes.announce();
    return result;
  }

  /** Takes the values from RECORD. */
  private take(): void {
    this.pages = RECORD.pages;
    this.generation = RECORD.generation;
    this.flushedAll = RECORD.flushedAll;
    this.flushedSome = RECORD.flushedSome;
    this.flushedBefore = RECORD.flushedBefore;
    this.lastFlush = RECORD.lastFlush;
    this.hash.key0 = RECORD.hashKey0;
    this.hash.key1 = RECORD.hashKey1;
    this.mode = RECORD.value(MODE).current;
    this.cacheSize = RECORD.value(CACHE_SIZE).current;
    this.timeoutSeconds = RECORD.value(TIMEOUT).current;
    this.removedSeconds = RECORD.value(REMOVED).current;
    this.cacheEnforcement = RECORD.value(ENFORCEMENT).current;
    this.overridden = isOverridden();
    this.enforcement = this.enforcementFor(this.registrations.ownEnforcement);
    const lifetime = configuredValue(LIFETIME);
    this.ticketLifetime = lifetime == UNSET ? DEFAULT_TICKET_LIFETIME : lifetime;
  }
}

/** A setting in the record: 8 bytes. */
@unmanaged
class SettingValue {
  current: u32;
  /**
   * The value that configurations give; UNSET if none, then the default holds. While an enforcement that was set over HTTP
   * holds, its configured value has OVERRIDDEN added, and 0xff for UNSET.
   */
  configured: u32;
}

/**
 * The record in the store, little-endian. Behind its RECORD_SIZE bytes, earlier modules have registered their filters: that
 * stays as it is, as they and this one read and write the same value.
 */
@unmanaged
class SettingsRecord {
  /** Pages of the cache. */
  pages: u32;
  /** Raised by each flush. */
  generation: u32;
  /** The first 5 settings, a `SettingValue` each. */
  private value0: u64;
  private value1: u64;
  private value2: u64;
  private value3: u64;
  private value4: u64;
  /** Generation of the last flush of all sessions. */
  flushedAll: u32;
  /** Generation of the last flush of sessions that expire before a time, and that time. */
  flushedSome: u32;
  flushedBefore: u64;
  /** Registrations of earlier modules. */
  private registrations: u32;
  /** The configured ticket lifetime, 0 if nobody gives one. */
  lifetime: u32;
  /** Unix seconds. */
  lastFlush: u64;
  /** 128 random bits, the key of `keyed_hash.ts`. */
  hashKey0: u64;
  hashKey1: u64;

  /** One of the first 5 settings. */
  @inline
  value(setting: i32): SettingValue {
    return changetype<SettingValue>(changetype<usize>(this) + VALUES_OFFSET + ((<usize>setting) << 3));
  }
}

/**
 * Returns the number of pages that a bound on memory allows: the greatest power of two, so that a mask finds a page. 64 MiB
 * allow 16384 pages.
 */
export function pagesFor(maxMemoryMib: u32): u32 {
  const pages = (maxMemoryMib * 1024) / PAGE_KIB;
  return pages <= 1 ? 1 : (<u32>1) << (31 - clz(pages));
}

/** The value that configurations give to a setting, UNSET if none. */
function configuredValue(setting: i32): u32 {
  if (setting == LIFETIME) {
    return RECORD.lifetime == 0 ? UNSET : RECORD.lifetime;
  }
  const value = RECORD.value(setting).configured;
  if (setting != ENFORCEMENT || !isOverridden()) return value;
  return (value & 0xff) == 0xff ? UNSET : value & 0xff;
}

/** Puts the configured value of a setting in force; one that was set over HTTP ends. */
function setConfigured(setting: i32, value: u32): void {
  if (setting == LIFETIME) {
    RECORD.lifetime = value == UNSET ? 0 : value;
    return;
  }
  const place = RECORD.value(setting);
  place.current = value == UNSET ? defaultValue(setting) : value;
  place.configured = value;
}

/** Whether the enforcement was set over HTTP. */
function isOverridden(): bool {
  const value = RECORD.value(ENFORCEMENT).configured;
  return value != UNSET && (value & OVERRIDDEN) != 0;
}

function markOverridden(): void {
  const place = RECORD.value(ENFORCEMENT);
  place.configured = OVERRIDDEN | (place.configured & 0xff);
}

const PAGE_KIB: u32 = 4;
const MAX_TRIES: i32 = 64;
const OVERRIDDEN: u32 = 0x100;
const VALUES_OFFSET: usize = 8;
const HASH_KEY_OFFSET: usize = 80;
const HASH_KEY_SIZE: i32 = 16;
const RECORD_SIZE: i32 = 96;
const RECORD_CAPACITY: i32 = 2144;
const RECORD_BYTES: usize = memory.data(2144, 8);
const RECORD: SettingsRecord = changetype<SettingsRecord>(RECORD_BYTES);
const MACHINE: usize = memory.data(4, 4);
