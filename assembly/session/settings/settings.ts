/**
 * The settings of one named cache, shared by all filters and workers: what the configurations in force say (`registrations.ts`), and
 * what was changed since over HTTP. One small value in the shared store, looked at once for each handshake that has something
 * to say to the cache, so that a change is in force on every worker at once.
 *
 * What a filter does not give, it takes from the others; what nobody gives has its default. A value set over HTTP holds until the
 * process ends or until that value in the configuration changes. Of values that contradict each other the stricter holds.
 *
 * The enforcement is a filter's own where its text has it, and the cache's where it leaves it out. One that is set over HTTP holds for
 * all, whatever their texts say, until the enforcement in a configuration changes.
 *
 * Layout, little-endian:
 *   0   u32 pages of the cache         4   u32 generation, raised by each flush
 *   8   for each of the first 5 settings: u32 current value, u32 configured value (UNSET: nobody gave one, the default holds); of the
 *       enforcement, the latter has 0x100 added while one that was set over HTTP holds, and 0xff for UNSET then
 *   48  u32 generation of the last flush of all sessions
 *   52  u32 generation of the last flush of sessions that expire before a time    56  u64 that time
 *   64  u32 number of registrations of before    68  u32 ticket lifetime as configured, 0 = nobody gave one
 *   72  u64 time of the last flush (Unix seconds)
 *   80  128 random bits, the key of `keyed_hash.ts`
 *   96  what modules of before have registered here, left as it is: they and this one read and write the same values
 */
import { Entropy } from "../../ports/entropy";
import { SharedStore, StoreResult, WRITES_DENIED } from "../../ports/shared_store";
import { Changes } from "../../shared/changes";
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
import { KeyedHash } from "../../shared/keyed_hash";
import { StoredValue } from "../../shared/stored_value";
import { Mode } from "./mode";
import { Registrations } from "./registrations";

export { GivenSettings };

export class Settings {
  pages: u32 = 0;
  generation: u32 = 0;
  mode: u32 = Mode.SERVER;
  cacheSize: u32 = DEFAULT_CACHE_SIZE;
  timeoutSeconds: u32 = DEFAULT_TIMEOUT_SECONDS;
  removedSeconds: u32 = DEFAULT_REMOVED_SECONDS;
  /** Seconds for which a ticket may resume, as far as its servers go. */
  ticketLifetime: u32 = DEFAULT_TICKET_LIFETIME;
  /** One of `Enforcement`: this filter's. */
  enforcement: u32 = Enforcement.REVOKED;
  /** That of filters which leave it out. */
  cacheEnforcement: u32 = Enforcement.REVOKED;
  /** Whether an enforcement that was set over HTTP holds for all. */
  overridden: bool = false;
  private flushedAll: u32 = 0;
  private flushedSome: u32 = 0;
  private flushedBefore: u64 = 0;
  /** When the last flush began, in Unix seconds. */
  lastFlush: u64 = 0;
  /** Whether `configure` made the cache, that is, found none. */
  created: bool = false;
  /** Keyed for this cache. */
  readonly hash: KeyedHash = new KeyedHash();
  /** The value before the last successful change. */
  previous: u32 = 0;

  readonly changes: Changes;
  readonly registrations: Registrations;
  private readonly value: StoredValue;
  /** That of `changes` when the values were taken last, 0 for never. */
  private epoch: u32 = 0;
  private lacksEntropy: bool = false;

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
   * Takes the present values from the store; false where they cannot be read, then the last known stay. Costs less than a
   * read where they are what they were.
   */
  load(): bool {
    this.changes.refresh();
    const epoch = this.changes.epoch;
    if (epoch == this.epoch) return true;
    if (!this.read()) return false;
    this.epoch = epoch;
    return true;
  }

  /** Takes the present values, and makes RECORD ready for a change of them. */
  private read(): bool {
    this.value.read(RECORD, RECORD_CAPACITY);
    if (this.value.length < REGISTRATIONS_OFFSET) return false;
    this.take();
    return true;
  }

  /**
   * Registers a filter, "NAME/ROLE", with what its configuration gives, and takes the settings in force.
   * Answers with an empty text, or with the reason why the configuration is refused. `text`: a hash of the whole configuration; `now`: seconds
   * of a clock that only goes on; `unix`: of the day.
   */
  configure(
    filterName: string,
    given: GivenSettings,
    text: u64 = 0,
    now: u32 = 0,
    unix: u64 = 0,
    version: string = "",
  ): string {
    // Without random bytes machines may be taken for one another: fewer are counted then, and nothing else.
    if (!this.entropy.fill(MACHINE, 4)) store<u32>(MACHINE, now);
    this.registrations.introduce(filterName, text, given, load<u32>(MACHINE) | 1, version);
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
        const present = (this.pages * PAGE_KIB) / 1024;
        if (!free) return this.registrations.memoryRefusal(<u32>given.maxMemoryMib, present);
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

  /** What is due about once a second (`Registrations.tick`): a line for the log, or an empty text. */
  tick(elected: bool, now: u32, unix: u64): string {
    if (!this.registrations.tick(elected, now, unix) || !this.apply(now)) return "";
    return elected ? this.registrations.report(now) : "";
  }

  /** A new connection has come to a filter that was superseded. False where that could not be stored. */
  claim(now: u32, unix: u64): bool {
    return this.registrations.claim(now, unix) && this.apply(now);
  }

  /** The filter ends here. */
  leave(now: u32): void {
    this.registrations.leave(now);
    this.apply(now);
  }

  /** The enforcement of a filter whose text gives `own` (UNSET: it leaves it out). */
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

  /**
   * Begins a flush: sessions of earlier generations are flushed from now on, all of them or those that expire before a
   * time (Unix seconds; 0 = all). False where that could not be stored.
   */
  beginFlush(before: u64, nowSeconds: u64): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return false;
      const generation = this.generation + 1;
      store<u32>(RECORD, generation, GENERATION_OFFSET);
      store<u64>(RECORD, nowSeconds, LAST_FLUSH_OFFSET);
      if (before == 0) {
        store<u32>(RECORD, generation, FLUSHED_ALL_OFFSET);
      } else {
        store<u32>(RECORD, generation, FLUSHED_SOME_OFFSET);
        store<u64>(RECORD, before, FLUSHED_BEFORE_OFFSET);
      }
      if (this.write() == StoreResult.Ok) {
        this.take();
        return true;
      }
    }
    return false;
  }

  /**
   * Whether a session was flushed, though its page may not have been reached yet. Of flushes before a time, the last
   * one is known here; the others are in force once they have been carried out.
   */
  flushed(generation: u32, expiry: u64): bool {
    if (generation < this.flushedAll) return true;
    return generation < this.flushedSome && expiry < this.flushedBefore;
  }

  private change(setting: i32, value: u32): bool {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) return false;
      const previous = current(setting);
      store<u32>(currentAddress(setting), value);
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
      store<u32>(RECORD, pages);
      if (this.write() == StoreResult.Ok) return true;
    }
    return false;
  }

  /** Puts what the configurations in force give in force. */
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
    memory.fill(RECORD, 0, RECORD_CAPACITY);
    this.lacksEntropy = !this.entropy.fill(RECORD + HASH_KEY_OFFSET, HASH_KEY_LENGTH);
    if (this.lacksEntropy) return StoreResult.Failed;
    store<u32>(RECORD, pagesFor(given.maxMemoryMib < 0 ? DEFAULT_MAX_MEMORY_MIB : <u32>given.maxMemoryMib));
    for (let setting = 0; setting < SETTINGS; setting++) setConfigured(setting, UNSET);
    const result = this.value.create(RECORD, REGISTRATIONS_OFFSET);
    if (result == StoreResult.Ok) {
      this.changes.announce();
      this.created = true;
    }
    return result;
  }

  private write(): StoreResult {
    const result = this.value.put(RECORD, this.value.length);
    if (result == StoreResult.Ok) this.changes.announce();
    return result;
  }

  private take(): void {
    this.pages = load<u32>(RECORD);
    this.generation = load<u32>(RECORD, GENERATION_OFFSET);
    this.flushedAll = load<u32>(RECORD, FLUSHED_ALL_OFFSET);
    this.flushedSome = load<u32>(RECORD, FLUSHED_SOME_OFFSET);
    this.flushedBefore = load<u64>(RECORD, FLUSHED_BEFORE_OFFSET);
    this.lastFlush = load<u64>(RECORD, LAST_FLUSH_OFFSET);
    this.hash.key0 = load<u64>(RECORD, HASH_KEY_OFFSET);
    this.hash.key1 = load<u64>(RECORD, HASH_KEY_OFFSET + 8);
    this.mode = current(MODE);
    this.cacheSize = current(CACHE_SIZE);
    this.timeoutSeconds = current(TIMEOUT);
    this.removedSeconds = current(REMOVED);
    this.cacheEnforcement = current(ENFORCEMENT);
    this.overridden = isOverridden();
    this.enforcement = this.enforcementFor(this.registrations.ownEnforcement);
    const lifetime = configuredValue(LIFETIME);
    this.ticketLifetime = lifetime == UNSET ? DEFAULT_TICKET_LIFETIME : lifetime;
  }
}

/**
 * The number of pages that a bound on memory allows: the greatest power of two, so that a page is found by a mask.
 * 64 MiB make 16384 pages.
 */
export function pagesFor(maxMemoryMib: u32): u32 {
  const pages = (maxMemoryMib * 1024) / PAGE_KIB;
  return pages <= 1 ? 1 : (<u32>1) << (31 - clz(pages));
}

/** What configurations say of a setting, UNSET where none does. */
function configuredValue(setting: i32): u32 {
  if (setting == LIFETIME) {
    const value = load<u32>(RECORD, LIFETIME_OFFSET);
    return value == 0 ? UNSET : value;
  }
  const value = load<u32>(currentAddress(setting) + 4);
  if (setting != ENFORCEMENT || !isOverridden()) return value;
  return (value & 0xff) == 0xff ? UNSET : value & 0xff;
}

/** Puts what configurations say of a setting in force; what was set over HTTP ends. */
function setConfigured(setting: i32, value: u32): void {
  if (setting == LIFETIME) {
    store<u32>(RECORD, value == UNSET ? 0 : value, LIFETIME_OFFSET);
    return;
  }
  store<u32>(currentAddress(setting), value == UNSET ? defaultValue(setting) : value);
  store<u32>(currentAddress(setting) + 4, value);
}

/** Whether the enforcement was set over HTTP. */
function isOverridden(): bool {
  const value = load<u32>(currentAddress(ENFORCEMENT) + 4);
  return value != UNSET && (value & OVERRIDDEN) != 0;
}

function markOverridden(): void {
  const value = load<u32>(currentAddress(ENFORCEMENT) + 4);
  store<u32>(currentAddress(ENFORCEMENT) + 4, OVERRIDDEN | (value & 0xff));
}


@inline
function currentAddress(setting: i32): usize {
  return RECORD + SETTINGS_OFFSET + ((<usize>setting) << 3);
}


@inline
function current(setting: i32): u32 {
  return load<u32>(currentAddress(setting));
}

const PAGE_KIB: u32 = 4;
const MAX_TRIES: i32 = 64;
const OVERRIDDEN: u32 = 0x100;
const GENERATION_OFFSET: i32 = 4;
const SETTINGS_OFFSET: i32 = 8;
const FLUSHED_ALL_OFFSET: i32 = 48;
const FLUSHED_SOME_OFFSET: i32 = 52;
const FLUSHED_BEFORE_OFFSET: i32 = 56;
const LIFETIME_OFFSET: i32 = 68;
const LAST_FLUSH_OFFSET: i32 = 72;
const HASH_KEY_OFFSET: i32 = 80;
const HASH_KEY_LENGTH: i32 = 16;
const REGISTRATIONS_OFFSET: i32 = 96;
const RECORD_CAPACITY: i32 = 2144;
const RECORD: usize = memory.data(2144, 8);
const MACHINE: usize = memory.data(4, 4);
