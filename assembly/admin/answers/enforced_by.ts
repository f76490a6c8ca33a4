/**
 * Who carries out what a caller has asked for: the observers and guards of the cache that are in force. Where there is none, an answer
 * that says "removed" would be no lie of the cache's and still no truth: it has a warning then.
 */
import { JsonWriter } from "../../json/writer";
import { Cache } from "../../session/cache";
import { Role } from "../../session/settings/registration";

/** Adds `enforced_by`, and `warning` where it is due, to an object that is being written. */
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
    '" is in force, so nobody refuses anything: look at GET /v1/filters, and give the filters the same vm_id and the same `cache`'
  );
}
