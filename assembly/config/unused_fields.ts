/**
 * Reports the fields of a configuration that only other filters use. One text may serve several filters, so this is not an
 * error; but a setting in the wrong place has no effect, and the log has to show that.
 */
import { Config } from "./config";

/**
 * Returns one line with the fields that the filter of a role does not use, and the filters that do; empty if there are none.
 */
export function unusedFields(config: Config, role: string): string {
  const parts: string[] = [];
  if (role != "observer") addGiven(parts, config, OF_OBSERVER, " (of the observer)");
  if (role == "admin" || role == "fleet") addGiven(parts, config, OF_OBSERVER_AND_GUARD, " (of observer and guard)");
  if (role != "admin") addGiven(parts, config, OF_ADMIN, " (of the admin filter)");
  if (parts.length == 0) return "";
  return (
    "configuration of the " +
    role +
    " filter: without effect here: " +
    parts.join(", ") +
    "; if this text is not meant for several filters, move them to the one that uses them"
  );
}

function addGiven(parts: string[], config: Config, fields: StaticArray<string>, whose: string): void {
  const names: string[] = [];
  for (let i = 0; i < fields.length; i++) if (config.fields.includes(fields[i])) names.push(fields[i]);
  if (names.length > 0) parts.push(names.join(", ") + whose);
}

const OF_OBSERVER: StaticArray<string> = [
  "steering",
  "steering_by_source",
  "steering_balance_factor",
  "cluster",
  "exact_cluster",
  "upstreams",
  "renegotiation",
  "encrypted_hello",
  "refusal",
];
const OF_OBSERVER_AND_GUARD: StaticArray<string> = ["access_log"];
const OF_ADMIN: StaticArray<string> = ["admin"];
