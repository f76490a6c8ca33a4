/**
 * The configuration of one filter, as its text gives it. A setting that is not given is `UNSET`, not a default: the filter
 * takes it from the other filters of the cache.
 */
import { FleetOptions } from "../fleet/state/options";
import { RemovalList } from "../session/configured/removal_list";
import { BySource, SteeringMode } from "../steering/setup/modes";

export const UNSET: i64 = -1;
/** RFC 8446 6, RFC 5246 7.2. Upon this fatal alert clients forget the session (RFC 5246 7.2.2). */
export const HANDSHAKE_FAILURE: i32 = 40;
export const NO_ALERT: i32 = -1;

/** The place of a refusal's alert among the server's bytes, in TLS 1.2 and before. */
export const enum RefusalPlace {
  /** Instead of the server's answer. */
  Instead = 0,
  /** Behind its ServerHello. */
  ServerHello = 1,
  /** Behind its ServerHello and change of cipher spec. */
  ChangeCipherSpec = 2,
}

export class Config {
  /** Empty if the text is right; else one line: the fault, its place, and what would be right. */
  error: string = "";
  /** The names of the fields that the text has. */
  fields: string[] = [];
  /** The name of the cache; filters that name the same one share it. */
  cache: string = DEFAULT_CACHE;
  /** In sessions; 0 is unlimited within the bound on memory. */
  cacheSize: i64 = UNSET;
  timeoutSeconds: i64 = UNSET;
  /** Flags of `Mode`. */
  mode: i64 = UNSET;
  /** The least time for which a removed session stays refused. */
  removedSeconds: i64 = UNSET;
  /** The longest life of the servers' tickets, in seconds: a revocation of a server name lasts as long. */
  ticketLifetime: i64 = UNSET;
  maxMemoryMib: i64 = UNSET;
  /** One of `Enforcement`. */
  enforcement: i64 = UNSET;
  /** Of the observer: how it steers resumptions home. */
  steering: SteeringMode = SteeringMode.Off;
  /** Of the observer: the use of a connection's source. */
  steeringBySource: BySource = BySource.Guess;
  /** Of the observer: the most that steering sends to one upstream, in per cent of the mean; 0 for no bound. */
  balanceFactor: u32 = 0;
  /** Of the observer: the cluster that tcp_proxy balances over; empty if not given. */
  cluster: string = "";
  /** Of the observer: the cluster of type ORIGINAL_DST, for `exact`. */
  exactCluster: string = "";
  /** Of the observer: addresses that it may send to before it has seen them as upstreams, for `exact`. */
  upstreams: string[] = [];
  /** Of observer and guard: they write fields for Envoy's access logs. */
  accessLog: bool = false;
  /** Of the observer: under `revoked`, a renegotiation ends its connection. */
  closesRenegotiations: bool = true;
  /** Of the observer: servers may decrypt encrypted hellos, so a PSK that is accepted after one cannot be followed. */
  decryptsHellos: bool = false;
  /**
   * Of the observer: the alerts that it refuses with in TLS 1.2 and before, and in TLS 1.3; NO_ALERT: it closes without one.
   */
  legacyAlert: i32 = HANDSHAKE_FAILURE;
  modernAlert: i32 = HANDSHAKE_FAILURE;
  /** Of the observer: the place of the former. */
  refusalPlace: RefusalPlace = RefusalPlace.ServerHello;
  /** The sessions, ticket keys and server names that it removes; empty if none. */
  readonly removed: RemovalList = new RemovalList();
  /** Null if the text has no such part. */
  admin: AdminConfig | null = null;
  /** The receiver of events; null if the text has none. */
  events: EventsConfig | null = null;
  /** Null if the text has no such part. */
  fleet: FleetConfig | null = null;
}

export class EventsConfig {
  /** A cluster of Envoy's. */
  cluster: string = "";
  path: string = "";
}

/**
 * The proxies that share one cache. The fleet filter uses all of it but `waits`, observer and guard `waits` and `startWait...`
 * only, the admin filter `startWait...`.
 */
export class FleetConfig extends FleetOptions {
  /** The cluster of Envoy's that leads to etcd; empty if not given. */
  cluster: string = "";
  /** The fleet's part of etcd; empty for the default one. */
  prefix: string = "";
  /** Resumptions of sessions that the cache does not hold wait until the fleet's decisions are in. */
  waits: bool = false;
  startWaitMilliseconds: u32 = DEFAULT_START_WAIT_MILLISECONDS;
}

export class AdminConfig {
  /** Tokens that may do everything. */
  tokens: string[] = [];
  /** Tokens that may GET and HEAD. */
  readTokens: string[] = [];
  /** The environment variables for tokens of each kind that are not set, or empty. */
  unsetVariables: string[] = [];
  unsetReadVariables: string[] = [];
  /** Whether anybody may do everything. Without effect if a token is configured: then it is always required. */
  allowUnauthenticated: bool = false;
}

/** Returns what the observer lacks for the configured steering; empty if nothing. */
export function validateObserver(config: Config): string {
  if (config.steering != SteeringMode.Exact || (config.cluster.length > 0 && config.exactCluster.length > 0)) return "";
  return (
    'steering: "exact" needs two clusters: cluster, that of tcp_proxy, and exact_cluster, of type ORIGINAL_DST; ' +
    'set both, as in {"steering": "exact", "cluster": "tls_upstreams", "exact_cluster": "tls_upstreams_exact"}'
  );
}

/** Returns what the fleet filter lacks in the configuration; empty if nothing. */
export function validateFleet(config: Config): string {
  const fleet = config.fleet;
  if (fleet !== null && fleet.cluster.length > 0 && fleet.name.length > 0) return "";
  return (
    "fleet: the fleet filter needs fleet.cluster, the cluster of etcd, and fleet.name, a name of this proxy that no other one has; " +
    'set both, as in {"fleet": {"cluster": "etcd", "name": "edge-1"}}'
  );
}

/** Returns what the admin API lacks in the configuration; empty if nothing. */
export function validateAdmin(config: Config): string {
  const admin = config.admin;
  if (admin !== null) {
    for (let i = 0; i < admin.readTokens.length; i++)
      if (admin.tokens.includes(admin.readTokens[i])) return TOKEN_TWICE;
    if (admin.tokens.length > 0 || admin.readTokens.length > 0 || admin.allowUnauthenticated) return "";
  }
  const unset = admin === null ? NO_VARIABLES : admin.unsetVariables.concat(admin.unsetReadVariables);
  if (unset.length > 0) return "admin: no token configured: " + unsetText(unset);
  return (
    "admin: no token configured, so anybody could change the cache; " +
    "set admin.tokens, admin.read_tokens or admin.allow_unauthenticated"
  );
}

/** Returns a warning about the tokens of a configuration that works; empty if there is none. */
export function oddTokens(config: Config): string {
  const admin = config.admin;
  if (admin === null || admin.tokens.length > 0 || admin.unsetVariables.length == 0) return "";
  if (admin.readTokens.length == 0) return "";
  return (
    "admin: nobody may change anything, because only read tokens are configured: " + unsetText(admin.unsetVariables)
  );
}

function unsetText(names: string[]): string {
  return (
    names.join(", ") +
    (names.length == 1 ? " is" : " are") +
    " not set, or empty, in the environment of this filter; set it for Envoy's process, and name it in " +
    "vm_config.environment_variables.host_env_keys of the admin filter; make a token with: openssl rand -hex 32"
  );
}

const TOKEN_TWICE: string =
  "admin: one token is in tokens and in read_tokens, so a caller that should only read may change everything; " +
  "give the two lists tokens of their own; make one with: openssl rand -hex 32";
export const DEFAULT_START_WAIT_MILLISECONDS: u32 = 2000;
const DEFAULT_CACHE: string = "default";
const NO_VARIABLES: string[] = [];
