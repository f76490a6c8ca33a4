/** The field `fleet` of a configuration: how a proxy shares its cache with others. */
import { JsonKind, JsonValue } from "../json/value";
import { Config, FleetConfig } from "./config";
import { isName, isVisibleAscii, unknownField } from "./field_texts";

/** Returns the error; empty if there is none. */
export function readFleet(config: Config, object: JsonValue): string {
  if (object.kind != JsonKind.Object) return 'fleet: expected an object, such as {"cluster": "etcd", "name": "edge-1"}';
  const fleet = new FleetConfig();
  for (let i = 0; i < object.names.length; i++) {
    const name = object.names[i];
    const rule = readField(fleet, name, object.items[i]);
    if (rule == UNKNOWN) return "fleet." + unknownField("fleet.", name, FIELDS);
    if (rule.length > 0) return "fleet." + name + ": expected " + rule;
  }
  config.fleet = fleet;
  return "";
}

/** Reads one field. Returns an empty text, the rule that its value breaks, or UNKNOWN. */
function readField(fleet: FleetConfig, name: string, value: JsonValue): string {
  if (name == "cluster") {
    if (value.kind != JsonKind.String || !isVisibleAscii(value.text, MAX_CLUSTER_NAME_LENGTH))
      return "the name of a cluster of Envoy's, 1 to 127 visible ASCII characters";
    fleet.cluster = value.text;
  } else if (name == "prefix") {
    if (!isPrefix(value)) {
      return "the beginning of the fleet's keys, 1 to 128 visible ASCII characters, without / at its end";
    }
    fleet.prefix = value.text;
  } else if (name == "name") {
    if (value.kind != JsonKind.String || !isName(value.text)) {
      return "a name of this proxy of 1 to 64 characters out of A-Z a-z 0-9 _ -";
    }
    fleet.name = value.text;
  } else if (name == "interval_ms") {
    if (!value.isWhole(10, 1000)) return "a whole number from 10 to 1000 (milliseconds)";
    fleet.intervalMilliseconds = <u32>value.number;
  } else if (name == "sessions_interval_ms") {
    if (!value.isWhole(10, 60000)) return "a whole number from 10 to 60000 (milliseconds)";
    fleet.sessionsIntervalMilliseconds = <u32>value.number;
  } else if (name == "start_wait_ms") {
    if (!value.isWhole(1, 60000)) return "a whole number from 1 to 60000 (milliseconds)";
    fleet.startWaitMilliseconds = <u32>value.number;
  } else if (name == "start") {
    const text = value.kind == JsonKind.String ? value.text : "";
    if (text != "serve" && text != "wait") return '"serve" or "wait"';
    fleet.waits = text == "wait";
  } else if (name == "sessions") {
    if (value.kind != JsonKind.Boolean) return "true or false";
    fleet.sessions = value.boolean;
  } else if (name == "settings") {
    if (value.kind != JsonKind.Boolean) return "true or false";
    fleet.settings = value.boolean;
  } else {
    return UNKNOWN;
  }
  return "";
}

function isPrefix(value: JsonValue): bool {
  if (value.kind != JsonKind.String || value.text.endsWith("/")) return false;
  return isVisibleAscii(value.text, MAX_PREFIX_LENGTH);
}

const UNKNOWN: string = "?";
const MAX_CLUSTER_NAME_LENGTH: i32 = 127;
const MAX_PREFIX_LENGTH: i32 = 128;
const FIELDS: StaticArray<string> = [
  "cluster",
  "prefix",
  "name",
  "interval_ms",
  "sessions",
  "sessions_interval_ms",
  "start",
  "start_wait_ms",
  "settings",
];
