/**
 * Logs a part of the configuration that this version of Envoy cannot do, once, when the first filter is configured. The
 * end-to-end tests find these limits on each version (docs/use/operating.md has the table).
 */
import { EnvoyVersion } from "../../host/envoy_version";
import { tellOnce } from "../../host/notices/told_once";
import { LogLevel } from "../../ports/log";
import { SharedStore } from "../../ports/shared_store";
import { BySource, SteeringMode } from "../../steering/setup/modes";

/** Costs three host calls if steering is on. Silent if the host does not show its version. */
export function logSteeringLimit(mode: SteeringMode, bySource: BySource, store: SharedStore): void {
  const limit = steeringLimit(mode, bySource);
  if (limit.length == 0) return;
  tellOnce(store, "", LogLevel.Warn, limit);
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

/** `max_early_data_bytes` of tcp_proxy came with 1.37 (envoyproxy/envoy pull request 41696). */
const OLDEST_THAT_READS_FIRST: i32 = 37;
const OLDEST_THAT_HASHES: i32 = 38;
const NEVER_READS_FIRST: string =
  " cannot steer: it connects before it reads (max_early_data_bytes came with 1.37); " +
  'set "steering" to "off", or use a newer Envoy';
const NEVER_HASHES: string = " does not hash the text that the filter sets, so ";
const INSTEAD_OF_HASH: string = '"steering": "hash" has no effect; set it to "exact", or use Envoy 1.38 or newer';
const INSTEAD_OF_ALWAYS: string =
  '"steering_by_source": "always" has no effect; set it to true or false, or use Envoy 1.38 or newer';
