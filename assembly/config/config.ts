/**
 * The configuration of one filter, as its text says it. What is not given is `UNSET` and not a default: a filter that
 * leaves a setting out takes it from the other filters on the same cache.
 */
export const UNSET: i64 = -1;

export class Config {
  /** One line: what is wrong, where, and what would be right. Empty where all is right. */
  error: string = "";
  /** The name of the cache; filters that name the same one share it. */
  cache: string = DEFAULT_CACHE;
  /** Sessions; 0 is unlimited within the bound on memory. */
  cacheSize: i64 = UNSET;
  timeoutSeconds: i64 = UNSET;
  /** Flags of `Mode`. */
  mode: i64 = UNSET;
  /** How long a removed session stays refused at least. */
  removedSeconds: i64 = UNSET;
  maxMemoryMib: i64 = UNSET;
  /** One of `Enforcement`. */
  enforcement: i64 = UNSET;
  /** Of the observer: whether it steers resumptions home. */
  steers: bool = false;
  /** Of the observer: whether a connection's source is a guess where nothing else is known. */
  steersBySource: bool = true;
  /** Of observer and guard: whether they write fields for Envoy's access logs. */
  accessLog: bool = false;
  /** Null where the text has no such part. */
  admin: AdminConfig | null = null;
  /** Where events are sent to; null where the text does not say. */
  events: EventsConfig | null = null;
}

export class EventsConfig {
  /** A cluster of Envoy's. */
  cluster: string = "";
  path: string = "";
}

export class AdminConfig {
  /** Tokens that may do everything. */
  tokens: string[] = [];
  /** Tokens that may GET and HEAD. */
  readTokens: string[] = [];
  /** Whether anybody may do everything. Only where no token is configured: a token that exists is always asked for. */
  allowUnauthenticated: bool = false;
}

/** Why the configuration is not enough for the admin API; empty where it is. */
export function validateAdmin(config: Config): string {
  const admin = config.admin;
  if (admin !== null) {
    if (admin.tokens.length > 0 || admin.readTokens.length > 0 || admin.allowUnauthenticated) return "";
  }
  return (
    "admin: no token configured: anybody could change the cache; " +
    "set admin.tokens, admin.read_tokens or admin.allow_unauthenticated"
  );
}

const DEFAULT_CACHE: string = "default";
