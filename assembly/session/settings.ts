/**
 * The settings of one named cache, shared by all filters and workers: what the configuration says, and what was
 * changed since over HTTP. One small value in the shared store, looked at once for each handshake that has something
 * to say to the cache, so that a change is in force on every worker at once.
 *
 * A value set over HTTP holds until the process ends or until that value in the configuration changes. To tell a change
 * of the configuration from two filters that contradict each other, each filter registers, under its name, what its
 * configuration gives: a filter that comes back with another value has changed; a new filter whose value differs from
 * the one in force for the others is refused. What a filter does not give, it takes from the others.
 *
 * Layout, little-endian:
 *   0   u32 pages of the cache         4   u32 generation, raised by each flush
 *   8   for each of the first 5 settings: u32 current value, u32 configured value (UNSET: nobody gave one, the default holds)
 *   48  u32 generation of the last flush of all sessions
 *   52  u32 generation of the last flush of sessions that expire before a time    56  u64 that time
 *   64  u32 number of registrations    68  u32 ticket lifetime as configured, 0 = nobody gave one
 *   72  u64 time of the last flush (Unix seconds)
 *   80  128 random bits, the key of `keyed_hash.ts`
 *   96  registrations: u64 hash of the filter's name, 5 x u32 value given (UNSET: none), u32 ticket lifetime given (0: none)
 *
 * The ticket lifetime is a setting that only configurations change, in places that were zero before there was one: modules of
 * both ages read and write the same value.
 */
import { Entropy } from "../ports/entropy";
import { SharedStore, StoreResult, WRITES_DENIED } from "../ports/shared_store";
import { Changes } from "./changes";
import { Enforcement, enforcementName } from "./enforcement";
import { KeyedHash } from "./keyed_hash";
import { StoreKey } from "./keys";
import { Mode, modeNames } from "./mode";

/** What one filter's configuration says; -1 where it says nothing. */
export class GivenSettings {
  mode: i64 = -1;
  cacheSize: i64 = -1;
  timeoutSeconds: i64 = -1;
  removedSeconds: i64 = -1;
  ticketLifetime: i64 = -1;
  /** One of `Enforcement`. */
  enforcement: i64 = -1;
  maxMemoryMib: i64 = -1;
}

export class Settings {
  pages: u32 = 0;
  generation: u32 = 0;
  mode: u32 = Mode.SERVER;
  cacheSize: u32 = DEFAULT_CACHE_SIZE;
  timeoutSeconds: u32 = DEFAULT_TIMEOUT_SECONDS;
  removedSeconds: u32 = DEFAULT_REMOVED_SECONDS;
  /** Seconds for which a ticket may resume, as far as its servers go. */
  ticketLifetime: u32 = DEFAULT_TICKET_LIFETIME;
  /** One of `Enforcement`. */
  enforcement: u32 = Enforcement.REVOKED;
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
  private readonly key: StoreKey;
  /** That of `changes` when the values were taken last, 0 for never. */
  private epoch: u32 = 0;
  private mark: u32 = 0;
  private length: i32 = 0;
  private lacksEntropy: bool = false;

  constructor(
    readonly cacheName: string,
    private readonly sharedStore: SharedStore,
    private readonly entropy: Entropy,
  ) {
    this.key = new StoreKey(cacheName, "settings", false);
    this.changes = new Changes(cacheName, sharedStore);
  }

  free(): void {
    this.key.free();
    this.changes.free();
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
    const result = this.sharedStore.read(this.key.start, this.key.length, RECORD, RECORD_CAPACITY);
    if (result != StoreResult.Ok || this.sharedStore.length < REGISTRATIONS_OFFSET) return false;
    this.mark = this.sharedStore.mark;
    this.length = this.sharedStore.length;
    this.take();
    return true;
  }

  /**
   * Registers a filter with what its configuration gives and takes the settings in force.
   * Answers with an empty text, or with the reason why the configuration is refused.
   */
  configure(filterName: string, given: GivenSettings): string {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (!this.read()) {
        const result = this.create(filterName, given);
        if (result == StoreResult.Ok) return "";
        if (this.lacksEntropy) return 'cache "' + this.cacheName + '": the host has no random bytes to give';
        if (result == StoreResult.Conflict) continue;
        break;
      }
      const refusal = this.register(filterName, given);
      if (refusal.length > 0) return refusal;
      if (this.write() == StoreResult.Ok) {
        this.take();
        return "";
      }
    }
    const why = this.sharedStore.deniesWrites ? WRITES_DENIED : "others kept changing them: try again";
    return 'cache "' + this.cacheName + '": its settings could not be stored, as ' + why;
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
      if (this.write() == StoreResult.Ok) {
        this.previous = previous;
        this.take();
        return true;
      }
    }
    return false;
  }

  private create(filterName: string, given: GivenSettings): StoreResult {
    memory.fill(RECORD, 0, RECORD_CAPACITY);
    this.lacksEntropy = !this.entropy.fill(RECORD + HASH_KEY_OFFSET, HASH_KEY_LENGTH);
    if (this.lacksEntropy) return StoreResult.Failed;
    store<u32>(RECORD, pagesFor(given.maxMemoryMib < 0 ? DEFAULT_MAX_MEMORY_MIB : <u32>given.maxMemoryMib));
    for (let setting = 0; setting < SETTINGS; setting++) {
      setConfigured(setting, givenValue(given, setting));
    }
    this.length = REGISTRATIONS_OFFSET;
    this.append(hashName(filterName), given);
    const result = this.sharedStore.create(this.key.start, this.key.length, RECORD, this.length);
    if (result == StoreResult.Ok) {
      this.changes.announce();
      this.created = true;
      this.take();
    }
    return result;
  }

  /** Merges what a filter gives into RECORD, or says why not. */
  private register(filterName: string, given: GivenSettings): string {
    if (given.maxMemoryMib >= 0 && pagesFor(<u32>given.maxMemoryMib) != this.pages) {
      const present = (this.pages * PAGE_KIB) / 1024;
      return this.contradiction("max_memory_mib", given.maxMemoryMib.toString(), present.toString());
    }
    const name = hashName(filterName);
    const registration = this.registrationOf(name);
    for (let setting = 0; setting < SETTINGS; setting++) {
      const value = givenValue(given, setting);
      const configured = configuredValue(setting);
      const changed = registration != 0 && registeredValue(registration, setting) != value;
      if (changed || (configured == UNSET && value != UNSET)) {
        setConfigured(setting, value);
      } else if (registration == 0 && value != UNSET && value != configured) {
        return this.contradiction(settingName(setting), valueText(setting, value), valueText(setting, configured));
      }
    }
    if (registration == 0) {
      this.append(name, given);
    } else {
      writeRegistration(registration, name, given);
    }
    return "";
  }

  private contradiction(name: string, given: string, present: string): string {
    return (
      'cache "' +
      this.cacheName +
      '": ' +
      name +
      " is " +
      given +
      " here and " +
      present +
      " in another filter of the same cache: give the same value in all, or in one only"
    );
  }

  private registrationOf(name: u64): usize {
    const count = load<u32>(RECORD, COUNT_OFFSET);
    for (let i: u32 = 0; i < count; i++) {
      const registration = RECORD + REGISTRATIONS_OFFSET + <usize>(i * REGISTRATION_SIZE);
      if (load<u64>(registration) == name) return registration;
    }
    return 0;
  }

  /** Adds a registration. Beyond the last place none is kept: such a filter is checked, but not watched for changes. */
  private append(name: u64, given: GivenSettings): void {
    const count = load<u32>(RECORD, COUNT_OFFSET);
    if (count >= MAX_REGISTRATIONS) return;
    writeRegistration(RECORD + REGISTRATIONS_OFFSET + <usize>(count * REGISTRATION_SIZE), name, given);
    store<u32>(RECORD, count + 1, COUNT_OFFSET);
    this.length += REGISTRATION_SIZE;
  }

  private write(): StoreResult {
    const result = this.sharedStore.replace(this.key.start, this.key.length, RECORD, this.length, this.mark);
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
    this.enforcement = current(ENFORCEMENT);
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

function writeRegistration(registration: usize, name: u64, given: GivenSettings): void {
  store<u64>(registration, name);
  for (let setting = 0; setting < SETTINGS; setting++) {
    const value = givenValue(given, setting);
    store<u32>(registeredAddress(registration, setting), setting == LIFETIME && value == UNSET ? 0 : value);
  }
}

function registeredValue(registration: usize, setting: i32): u32 {
  const value = load<u32>(registeredAddress(registration, setting));
  return setting == LIFETIME && value == 0 ? UNSET : value;
}


@inline
function registeredAddress(registration: usize, setting: i32): usize {
  return registration + 8 + ((<usize>setting) << 2);
}

/** What configurations say of a setting, UNSET where none does. */
function configuredValue(setting: i32): u32 {
  if (setting != LIFETIME) return load<u32>(currentAddress(setting) + 4);
  const value = load<u32>(RECORD, LIFETIME_OFFSET);
  return value == 0 ? UNSET : value;
}

/** Puts what configurations say of a setting in force. */
function setConfigured(setting: i32, value: u32): void {
  if (setting == LIFETIME) {
    store<u32>(RECORD, value == UNSET ? 0 : value, LIFETIME_OFFSET);
    return;
  }
  store<u32>(currentAddress(setting), value == UNSET ? defaultValue(setting) : value);
  store<u32>(currentAddress(setting) + 4, value);
}

function givenValue(given: GivenSettings, setting: i32): u32 {
  let value: i64 = given.removedSeconds;
  if (setting == MODE) value = given.mode;
  else if (setting == CACHE_SIZE) value = given.cacheSize;
  else if (setting == TIMEOUT) value = given.timeoutSeconds;
  else if (setting == ENFORCEMENT) value = given.enforcement;
  else if (setting == LIFETIME) value = given.ticketLifetime;
  return value < 0 ? UNSET : <u32>value;
}

function defaultValue(setting: i32): u32 {
  if (setting == MODE) return Mode.SERVER;
  if (setting == CACHE_SIZE) return DEFAULT_CACHE_SIZE;
  if (setting == TIMEOUT) return DEFAULT_TIMEOUT_SECONDS;
  if (setting == ENFORCEMENT) return Enforcement.REVOKED;
  return DEFAULT_REMOVED_SECONDS;
}

function settingName(setting: i32): string {
  if (setting == MODE) return "mode";
  if (setting == CACHE_SIZE) return "cache_size";
  if (setting == TIMEOUT) return "timeout";
  if (setting == ENFORCEMENT) return "enforcement";
  if (setting == LIFETIME) return "ticket_lifetime";
  return "removed_seconds";
}

/** A value as a configuration spells it. */
function valueText(setting: i32, value: u32): string {
  if (setting == MODE) return '["' + modeNames(value).join('","') + '"]';
  if (setting == ENFORCEMENT) return '"' + enforcementName(value) + '"';
  return value.toString();
}


@inline
function currentAddress(setting: i32): usize {
  return RECORD + SETTINGS_OFFSET + ((<usize>setting) << 3);
}


@inline
function current(setting: i32): u32 {
  return load<u32>(currentAddress(setting));
}

/** FNV-1a, 64 bits. */
function hashName(name: string): u64 {
  let hash: u64 = 0xcbf29ce484222325;
  for (let i = 0; i < name.length; i++) hash = (hash ^ (<u64>name.charCodeAt(i))) * 0x100000001b3;
  return hash;
}

/** OpenSSL's SSL_SESSION_CACHE_MAX_SIZE_DEFAULT. */
export const DEFAULT_CACHE_SIZE: u32 = 20480;
/** As OpenSSL sets it for TLS_method(). */
export const DEFAULT_TIMEOUT_SECONDS: u32 = 7200;
/** The longest life of a TLS 1.3 ticket (RFC 8446 4.6.1): upstreams' own lifetimes are not known here. */
export const DEFAULT_REMOVED_SECONDS: u32 = 604800;
/** The same, of a revocation of a server name. */
export const DEFAULT_TICKET_LIFETIME: u32 = 604800;
export const DEFAULT_MAX_MEMORY_MIB: u32 = 64;

const MODE: i32 = 0;
const CACHE_SIZE: i32 = 1;
const TIMEOUT: i32 = 2;
const REMOVED: i32 = 3;
const ENFORCEMENT: i32 = 4;
const LIFETIME: i32 = 5;
const SETTINGS: i32 = 6;
const UNSET: u32 = 0xffffffff;
const PAGE_KIB: u32 = 4;
const MAX_TRIES: i32 = 64;
const MAX_REGISTRATIONS: u32 = 64;
const GENERATION_OFFSET: i32 = 4;
const SETTINGS_OFFSET: i32 = 8;
const FLUSHED_ALL_OFFSET: i32 = 48;
const FLUSHED_SOME_OFFSET: i32 = 52;
const FLUSHED_BEFORE_OFFSET: i32 = 56;
const COUNT_OFFSET: i32 = 64;
const LIFETIME_OFFSET: i32 = 68;
const LAST_FLUSH_OFFSET: i32 = 72;
const HASH_KEY_OFFSET: i32 = 80;
const HASH_KEY_LENGTH: i32 = 16;
const REGISTRATIONS_OFFSET: i32 = 96;
const REGISTRATION_SIZE: i32 = 32;
const RECORD_CAPACITY: i32 = 2144;
const RECORD: usize = memory.data(2144, 8);
