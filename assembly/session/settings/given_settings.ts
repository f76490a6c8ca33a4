/**
 * The settings that a configuration may give, each by its number, and the stricter of two values: the one that resumes less,
 * keeps less or refuses longer.
 */
import { Enforcement, enforcementName } from "./enforcement";
import { Mode, modeNames } from "./mode";

/** The settings that one filter's configuration gives; -1 if it does not give one. */
export class GivenSettings {
  mode: i64 = -1;
  cacheSize: i64 = -1;
  timeoutSeconds: i64 = -1;
  removedSeconds: i64 = -1;
  ticketLifetime: i64 = -1;
  /** One of `Enforcement`. */
  enforcement: i64 = -1;
  maxMemoryMib: i64 = -1;
  /** Whether it removes sessions, ticket keys or server names. */
  removes: bool = false;
}

/** The numbers of the settings, in the order of their values in the shared store. */
export const MODE: i32 = 0;
export const CACHE_SIZE: i32 = 1;
export const TIMEOUT: i32 = 2;
export const REMOVED: i32 = 3;
export const ENFORCEMENT: i32 = 4;
export const LIFETIME: i32 = 5;
export const SETTINGS: i32 = 6;
/** The value of a setting that nobody gives. */
export const UNSET: u32 = 0xffffffff;

/** OpenSSL's SSL_SESSION_CACHE_MAX_SIZE_DEFAULT. */
export const DEFAULT_CACHE_SIZE: u32 = 20480;
/** As OpenSSL sets it for TLS_method(). */
export const DEFAULT_TIMEOUT_SECONDS: u32 = 7200;
/** The longest life of a TLS 1.3 ticket (RFC 8446 4.6.1), as the lifetimes of upstreams are unknown. */
export const DEFAULT_REMOVED_SECONDS: u32 = 604800;
/** The same for the revocation of a server name. */
export const DEFAULT_TICKET_LIFETIME: u32 = 604800;
export const DEFAULT_MAX_MEMORY_MIB: u32 = 64;

export function givenValue(given: GivenSettings, setting: i32): u32 {
  let value: i64 = given.removedSeconds;
  if (setting == MODE) value = given.mode;
  else if (setting == CACHE_SIZE) value = given.cacheSize;
  else if (setting == TIMEOUT) value = given.timeoutSeconds;
  else if (setting == ENFORCEMENT) value = given.enforcement;
  else if (setting == LIFETIME) value = given.ticketLifetime;
  return value < 0 ? UNSET : <u32>value;
}

export function defaultValue(setting: i32): u32 {
  if (setting == MODE) return Mode.SERVER;
  if (setting == CACHE_SIZE) return DEFAULT_CACHE_SIZE;
  if (setting == TIMEOUT) return DEFAULT_TIMEOUT_SECONDS;
  if (setting == ENFORCEMENT) return Enforcement.REVOKED;
  if (setting == LIFETIME) return DEFAULT_TICKET_LIFETIME;
  return DEFAULT_REMOVED_SECONDS;
}

export function settingName(setting: i32): string {
  if (setting == MODE) return "mode";
  if (setting == CACHE_SIZE) return "cache_size";
  if (setting == TIMEOUT) return "timeout";
  if (setting == ENFORCEMENT) return "enforcement";
  if (setting == LIFETIME) return "ticket_lifetime";
  return "removed_seconds";
}

/** Returns a value as a configuration spells it. */
export function valueText(setting: i32, value: u32): string {
  if (setting == MODE) return '["' + modeNames(value).join('","') + '"]';
  if (setting == ENFORCEMENT) return '"' + enforcementName(value) + '"';
  return value.toString();
}

/**
 * Returns the stricter of two values: the stronger enforcement, the smaller size (0 is unlimited), the shorter timeout, the
 * longer refusal and ticket lifetime. Of two modes: the flag SERVER if both have it, and the forbidding flags of either.
 */
export function stricter(setting: i32, one: u32, other: u32): u32 {
  if (setting == MODE) return (one & other & Mode.SERVER) | ((one | other) & FORBIDDING);
  if (setting == CACHE_SIZE) {
    if (one == 0) return other;
    return other == 0 ? one : min(one, other);
  }
  return setting == TIMEOUT ? min(one, other) : max(one, other);
}

/** Returns a mode without its other flags if it has no SERVER: OFF stands alone. */
export function wholeMode(mode: u32): u32 {
  return (mode & Mode.SERVER) == 0 ? Mode.OFF : mode;
}

const FORBIDDING: u32 = Mode.NO_AUTO_CLEAR | Mode.NO_INTERNAL_LOOKUP | Mode.NO_INTERNAL_STORE | Mode.UPDATE_TIME;
