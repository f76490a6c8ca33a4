/**
 * A registered filter as the API shows it.
 *
 * `state` is `misplaced` (HTTP filter among network filters, or the reverse), `starting` before its first tick, `draining`
 * after another configuration has replaced it while its last connections end, else `in_force`. `gives` holds the settings of
 * its own configuration, `settings` those in force for it. `version` is the host's, empty if unknown.
 */
import { JsonWriter } from "../../json/writer";
import { enforcementName } from "../../session/settings/enforcement";
import { CACHE_SIZE, ENFORCEMENT, LIFETIME, MODE, REMOVED, settingName } from "../../session/settings/given_settings";
import { SETTINGS, TIMEOUT, UNSET } from "../../session/settings/given_settings";
import { MISPLACED, Registration, REMOVES, Role, roleText, State } from "../../session/settings/registration";
import { Settings } from "../../session/settings/settings";
import { writeMode } from "./mode_json";
import { writeModule } from "./module_json";

export function writeRegistration(
  json: JsonWriter,
  filter: Registration,
  workers: u32,
  settings: Settings,
  version: string,
): void {
  const name = filter.name;
  const slash = name.lastIndexOf("/");
  json.beginObject();
  json.name("root_id");
  json.string(roleText(name));
  json.name("name");
  json.string(slash < 0 ? name : name.substring(0, slash));
  json.name("state");
  json.string(stateName(filter));
  json.name("workers");
  json.number(workers);
  json.name("since");
  json.number(filter.since);
  json.name("settings");
  writeSettings(json, filter, settings);
  json.name("gives");
  json.beginObject();
  for (let setting = 0; setting < SETTINGS; setting++) {
    if (filter.given(setting) != UNSET) writeSetting(json, setting, filter.given(setting));
  }
  if (filter.is(REMOVES)) {
    json.name("removed");
    json.boolean(true);
  }
  json.endObject();
  json.name("envoy");
  if (version.length > 0) json.string(version);
  else json.nothing();
  json.name("module");
  json.beginObject();
  writeModule(json, filter.version, filter.build);
  // No module can read its own bytes, and none can hold its own SHA-256.
  json.name("sha256");
  json.nothing();
  json.endObject();
  json.endObject();
}

function stateName(filter: Registration): string {
  if (filter.is(MISPLACED)) return "misplaced";
  if (filter.state == State.PENDING) return "starting";
  return filter.state == State.SUPERSEDED ? "draining" : "in_force";
}

function writeSettings(json: JsonWriter, filter: Registration, settings: Settings): void {
  json.beginObject();
  writeSetting(json, MODE, settings.mode);
  writeSetting(json, CACHE_SIZE, settings.cacheSize);
  writeSetting(json, TIMEOUT, settings.timeoutSeconds);
  writeSetting(json, REMOVED, settings.removedSeconds);
  writeSetting(json, LIFETIME, settings.ticketLifetime);
  writeSetting(json, ENFORCEMENT, settings.enforcementFor(filter.is(Role.ADMIN) ? UNSET : filter.given(ENFORCEMENT)));
  json.endObject();
}

function writeSetting(json: JsonWriter, setting: i32, value: u32): void {
  json.name(settingName(setting));
  if (setting == ENFORCEMENT) json.string(enforcementName(value));
  else if (setting == MODE) writeMode(json, value);
  else json.number(value);
}
