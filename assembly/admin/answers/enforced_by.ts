/**
 * Shows who enforces a change: the observers and guards of the cache that are in force. Without any, the cache has made the
 * change but nobody refuses a session by it, so the response has a warning.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Role } from "../../session/settings/registration";

/** Adds `enforced_by`, and `warning` if nobody enforces, to the object that is being written. */
export function writeEnforcedBy(json: JsonWriter, cache: Cache): void {
  const registrations = cache.settings.registrations;
  const known = registrations.read();
  const observers = known ? registrations.serving(Role.OBSERVER) : 0;
  const guards = known ? registrations.serving(Role.GUARD) : 0;
  json.name("enforced_by");
  json.beginObject();
  json.name("observer");
  json.number(observers);
  json.name("guard");
  json.number(guards);
  json.endObject();
  if (observers + guards > 0) return;
  json.name("warning");
  json.string(warning(cache));
}

/** Whether any observer or guard of the cache is in force. */
export function isEnforced(cache: Cache): bool {
  const registrations = cache.settings.registrations;
  if (!registrations.read()) return false;
  return registrations.serving(Role.OBSERVER) + registrations.serving(Role.GUARD) > 0;
}

export function warning(cache: Cache): string {
  return (
    'no observer and no guard of the cache "' +
    cache.settings.cacheName +
    '" is in force, so nothing is refused; give the filters the same vm_id and `cache`, and check with GET /v1/filters'
  );
}
