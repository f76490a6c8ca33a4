/**
 * What a configuration asks for and the Envoy at hand cannot do, told once in its log when the first filter is configured, by the
 * name and version of the host. Found by the end-to-end tests on each version (docs/use/operating.md has the table).
 */
import { EnvoyVersion } from "../../host/envoy_version";
import { HostLog } from "../../host/adapters/host_log";
import { LogLevel } from "../../ports/log";
import { SharedStore, StoreResult } from "../../ports/shared_store";
import { BySource, SteeringMode } from "../../steering/setup/modes";

/** Costs nothing where it works, but for three host calls. Silent where the host does not say its version. */
export function tellSteeringLimit(mode: SteeringMode, bySource: BySource, store: SharedStore): void {
  const limit = steeringLimit(mode, bySource);
  if (limit.length == 0) return;
  // Each worker has a virtual machine, and all of them come here.
  const text = String.UTF8.encode(TOLD + limit);
  const length = text.byteLength;
  if (store.create(changetype<usize>(text), length, changetype<usize>(text), 0) == StoreResult.Conflict) return;
  new HostLog().write(LogLevel.Warn, limit);
}

function steeringLimit(mode: SteeringMode, bySource: BySource): string {
  if (mode == SteeringMode.Off) return "";
  const version = new EnvoyVersion();
  if (version.isOlderThan(OLDEST_THAT_READS_FIRST)) return "Envoy " + version.toString() + NEVER_READS_FIRST;
  const missesHash = mode == SteeringMode.Hash || bySource == BySource.Always;
  if (!missesHash || !version.isOlderThan(OLDEST_THAT_HASHES)) return "";
  return (
    "Envoy " + version.toString() + NEVER_HASHES + (mode == SteeringMode.Hash ? INSTEAD_OF_HASH : INSTEAD_OF_ALWAYS)
  );
}

/** Of the key in shared data that says that a line was told. */
const TOLD: string = "tls_session_cache.told.";
/** `max_early_data_bytes` of tcp_proxy came with 1.37 (envoyproxy/envoy pull request 41696). */
const OLDEST_THAT_READS_FIRST: i32 = 37;
const OLDEST_THAT_HASHES: i32 = 38;
const NEVER_READS_FIRST: string =
  ' cannot steer: it connects before it reads (max_early_data_bytes came with 1.37); set "steering" to "off", or use a newer Envoy';
const NEVER_HASHES: string = " does not look at the text that the filter sets for the hash, so ";
const INSTEAD_OF_HASH: string = '"steering": "hash" has no effect; set it to "exact", or use Envoy 1.38 or newer';
const INSTEAD_OF_ALWAYS: string =
  '"steering_by_source": "always" has no effect; set it to true or false, or use Envoy 1.38 or newer';
