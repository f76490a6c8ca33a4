/**
 * Logs a part of the configuration that this version of Envoy cannot do, once, when the first filter is configured. The
 * end-to-end tests find these limits on each version (docs/use/operating.md has the table).
 */
import { EnvoyVersion } from "../../host/envoy_version";
import { HostLog } from "../../host/adapters/host_log";
import { LogLevel } from "../../ports/log";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { SteeringMode } from "../../steering/setup/modes";

/** Costs three host calls if steering is on. Silent if the host does not show its version. */
export function logSteeringLimit(mode: SteeringMode, store: SharedStore): void {
  const limit = steeringLimit(mode);
  if (limit.length == 0) return;
  // The virtual machines of all workers come here; the first makes this key and logs.
  const text = String.UTF8.encode(LOGGED + limit);
  const length = text.byteLength;
  if (store.create(changetype<usize>(text), length, changetype<usize>(text), 0) == StoreResult.Conflict) return;
  new HostLog().write(LogLevel.Warn, limit);
}

function steeringLimit(mode: SteeringMode): string {
  if (mode == SteeringMode.Off) return "";
  const version = new EnvoyVersion();
  if (version.isOlderThan(OLDEST_THAT_READS_FIRST)) return "Envoy " + version.toString() + NEVER_READS_FIRST;
  const hashes = mode != SteeringMode.Hash || !version.isOlderThan(OLDEST_THAT_HASHES);
  return hashes ? "" : "Envoy " + version.toString() + NEVER_HASHES;
}

/** Prefix of the key in shared data that marks a line as logged. */
const LOGGED: string = "tls_session_cache.told.";
/** `max_early_data_bytes` of tcp_proxy came with 1.37 (envoyproxy/envoy pull request 41696). */
const OLDEST_THAT_READS_FIRST: i32 = 37;
const OLDEST_THAT_HASHES: i32 = 38;
const NEVER_READS_FIRST: string =
  " cannot steer: it connects before it reads (max_early_data_bytes came with 1.37); " +
  'set "steering" to "off", or use a newer Envoy';
const NEVER_HASHES: string =
  ' does not hash the text that the filter sets, so "steering": "hash" has no effect; ' +
  'set it to "exact", or use Envoy 1.38 or newer';
