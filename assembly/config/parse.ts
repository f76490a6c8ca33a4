/**
 * Reads configuration text (JSON) to a `Config`. All of it is checked: an unknown field, a value of the wrong type or out of
 * its range is an error that names the field and what would be right. Nothing is guessed or ignored. Empty text means all
 * defaults. Tokens never appear in errors.
 *
 *   {"cache": "edge", "cache_size": 20480, "timeout": 7200, "mode": ["SERVER"], "removed_seconds": 604800,
 *    "ticket_lifetime": 604800, "max_memory_mib": 64, "enforcement": "revoked",
 *    "steering": "hash", "steering_by_source": true, "cluster": "tls_upstreams", "exact_cluster": "tls_upstreams_exact",
 *    "upstreams": ["10.0.0.7:443"], "admin": {"tokens": ["..."], "read_tokens": ["..."], "tokens_env": ["ADMIN_TOKEN"],
 *    "read_tokens_env": ["ADMIN_READ_TOKEN"], "allow_unauthenticated": false},
 *    "removed": {"sessions": ["8f3a..."], "ticket_keys": ["00112233445566778899aabbccddeeff"], "server_names": ["shop.example"]},
 *    "renegotiation": "close", "encrypted_hello": "pass", "refusal": {"tls12": "handshake_failure"},
 *    "access_log": true, "events": {"cluster": "audit", "path": "/tls-sessions"},
 *    "fleet": {"cluster": "etcd", "name": "edge-1", "prefix": "/tls_session_cache/1/edge", "interval_ms": 50, "sessions": true,
 *    "sessions_interval_ms": 500, "start": "serve", "start_wait_ms": 2000, "settings": true}}
 */
import { canonicalAddress } from "../bytes/address";
import { quoted } from "../json/quote";
import { JsonReader } from "../json/reader";
import { JsonKind, JsonValue } from "../json/value";
import { Environment } from "../ports/environment";
import { enforcementOf } from "../session/settings/enforcement";
import { BySource, SteeringMode } from "../steering/setup/modes";
import { MAX_UPSTREAMS } from "../steering/hosts/upstream";
import { AdminConfig, Config, EventsConfig } from "./config";
import { readFleet } from "./fleet_field";
import { readMode } from "./mode_field";
import { readRefusal } from "./refusal_field";
import { isName, isVisibleAscii, unknownField } from "./field_texts";
import { readRemoved } from "./removed_field";

/** In bytes: for some 15,000 removed sessions. */
export const MAX_CONFIGURATION_LENGTH: i32 = 1_048_576;
/** A session ID of one byte takes 5 bytes of text. */
const MAX_CONFIGURATION_VALUES: i32 = MAX_CONFIGURATION_LENGTH / 5;

export function parseConfig(text: usize, length: i32, environment: Environment): Config {
  const config = new Config();
  if (isBlank(text, length)) return config;
  const reader = new JsonReader(MAX_CONFIGURATION_LENGTH, MAX_CONFIGURATION_VALUES);
  const value = reader.read(text, length);
  if (value === null) config.error = "the configuration is not JSON: " + reader.error;
  else if (value.kind != JsonKind.Object) config.error = "the configuration is not a JSON object; expected {...}";
  else config.error = readAll(config, value, environment);
  return config;
}

/** This function and those below return the error; empty if there is none. */
function readAll(config: Config, object: JsonValue, environment: Environment): string {
  for (let i = 0; i < object.names.length; i++) {
    const error = readField(config, object.names[i], object.items[i], environment);
    if (error.length > 0) return error;
    config.fields.push(object.names[i]);
  }
  return "";
}

/** Reads a field; the first ones are settings, which all filters of a cache share. */
function readField(config: Config, name: string, value: JsonValue, environment: Environment): string {
  if (name == "cache") {
    if (value.kind != JsonKind.String || !isName(value.text)) {
      return "cache: expected a name of 1 to 64 characters out of A-Z a-z 0-9 _ -";
    }
    config.cache = value.text;
    return "";
  }
  if (name == "cache_size") {
    if (!value.isWhole(0, i32.MAX_VALUE)) return outOfRange(name, "0 (unlimited) to 2147483647");
    config.cacheSize = <i64>value.number;
    return "";
  }
  if (name == "timeout") {
    if (!value.isWhole(1, i32.MAX_VALUE)) return outOfRange(name, "1 to 2147483647 (seconds)");
    config.timeoutSeconds = <i64>value.number;
    return "";
  }
  if (name == "removed_seconds") {
    if (!value.isWhole(1, i32.MAX_VALUE)) return outOfRange(name, "1 to 2147483647");
    config.removedSeconds = <i64>value.number;
    return "";
  }
  if (name == "ticket_lifetime") {
    if (!value.isWhole(1, i32.MAX_VALUE)) return outOfRange(name, "1 to 2147483647 (seconds)");
    config.ticketLifetime = <i64>value.number;
    return "";
  }
  if (name == "max_memory_mib") {
    if (!value.isWhole(1, MAX_MEMORY_MIB)) return outOfRange(name, "1 to 4096");
    config.maxMemoryMib = <i64>value.number;
    return "";
  }
  if (name == "mode") {
    const mode = readMode(value);
    if (mode.error.length > 0) return "mode: " + mode.error;
    config.mode = <i64>mode.mode;
    return "";
  }
  if (name == "enforcement") {
    const enforcement = value.kind == JsonKind.String ? enforcementOf(value.text) : -1;
    if (enforcement < 0) return 'enforcement: expected "observe", "revoked" or "strict"';
    config.enforcement = enforcement;
    return "";
  }
  return readFilterField(config, name, value, environment);
}

/** Reads a field that concerns one filter alone. */
function readFilterField(config: Config, name: string, value: JsonValue, environment: Environment): string {
  if (name == "steering") {
    const text = value.kind == JsonKind.String ? value.text : "";
    if (text == "off") config.steering = SteeringMode.Off;
    else if (text == "hash") config.steering = SteeringMode.Hash;
    else if (text == "exact") config.steering = SteeringMode.Exact;
    else return 'steering: expected "off", "hash" or "exact"';
    return "";
  }
  if (name == "steering_by_source") {
    if (value.kind == JsonKind.Boolean) config.steeringBySource = value.boolean ? BySource.Guess : BySource.Never;
    else if (value.kind == JsonKind.String && value.text == "always") config.steeringBySource = BySource.Always;
    else return name + ': expected true, false or "always"';
    return "";
  }
  if (name == "steering_balance_factor") {
    if (!value.isWhole(MIN_FACTOR, MAX_FACTOR)) return outOfRange(name, "101 to 100000 (per cent of the mean)");
    config.balanceFactor = <u32>value.number;
    return "";
  }
  if (name == "access_log") {
    if (value.kind != JsonKind.Boolean) return name + ": expected true or false";
    config.accessLog = value.boolean;
    return "";
  }
  if (name == "cluster" || name == "exact_cluster") {
    if (value.kind != JsonKind.String || !isVisibleAscii(value.text, MAX_CLUSTER_NAME_LENGTH)) {
      return name + ": expected the name of a cluster of Envoy's, 1 to 127 visible ASCII characters";
    }
    if (name == "cluster") config.cluster = value.text;
    else config.exactCluster = value.text;
    return "";
  }
  if (name == "renegotiation") {
    const text = value.kind == JsonKind.String ? value.text : "";
    if (text != "close" && text != "observe") return name + ': expected "close" or "observe"';
    config.closesRenegotiations = text == "close";
    return "";
  }
  if (name == "encrypted_hello") {
    const text = value.kind == JsonKind.String ? value.text : "";
    if (text != "pass" && text != "refuse") return name + ': expected "pass" or "refuse"';
    config.decryptsHellos = text == "refuse";
    return "";
  }
  if (name == "refusal") return readRefusal(config, value);
  if (name == "removed") return readRemoved(config.removed, value);
  if (name == "upstreams") return readUpstreams(config.upstreams, name, value);
  if (name == "admin") return readAdmin(config, value, environment);
  if (name == "events") return readEvents(config, value);
  if (name == "fleet") return readFleet(config, value);
  return unknownField("", name, FIELDS);
}

function readUpstreams(upstreams: string[], name: string, value: JsonValue): string {
  if (value.kind != JsonKind.Array) return name + ": expected an array of addresses";
  for (let i = 0; i < value.items.length; i++) {
    const item = value.items[i];
    const place = name + "[" + i.toString() + "]: ";
    const address = item.kind == JsonKind.String ? canonicalAddress(item.text) : "";
    if (address.length == 0) {
      return place + 'expected an IP address and a port, as in "10.0.0.7:443" or "[2001:db8::7]:443"';
    }
    if (upstreams.length >= MAX_UPSTREAMS) return place + "more than " + MAX_UPSTREAMS.toString() + " upstreams";
    upstreams.push(address);
  }
  return "";
}

function readEvents(config: Config, object: JsonValue): string {
  if (object.kind != JsonKind.Object) return "events: " + EVENTS_RULE;
  const events = new EventsConfig();
  for (let i = 0; i < object.names.length; i++) {
    const name = object.names[i];
    const value = object.items[i];
    if (name == "cluster") {
      if (value.kind != JsonKind.String || !isVisibleAscii(value.text, MAX_HEADER_VALUE_LENGTH)) {
        return "events.cluster: expected the name of a cluster of Envoy's, 1 to 4096 visible ASCII characters";
      }
      events.cluster = value.text;
    } else if (name == "path") {
      if (
        value.kind != JsonKind.String ||
        !isVisibleAscii(value.text, MAX_HEADER_VALUE_LENGTH) ||
        !value.text.startsWith("/")
      ) {
        return "events.path: expected a path that begins with /, at most 4096 visible ASCII characters";
      }
      events.path = value.text;
    } else {
      return "events." + unknownField("events.", name, EVENTS_FIELDS);
    }
  }
  if (events.cluster.length == 0 || events.path.length == 0) return "events: " + EVENTS_RULE;
  config.events = events;
  return "";
}

function readAdmin(config: Config, object: JsonValue, environment: Environment): string {
  if (object.kind != JsonKind.Object) return 'admin: expected an object, such as {"tokens": ["..."]}';
  const admin = new AdminConfig();
  for (let i = 0; i < object.names.length; i++) {
    const error = readAdminField(admin, object.names[i], object.items[i], environment);
    if (error.length > 0) return "admin." + error;
  }
  config.admin = admin;
  return "";
}

function readAdminField(admin: AdminConfig, name: string, value: JsonValue, environment: Environment): string {
  if (name == "tokens") return readTokens(admin.tokens, name, value);
  if (name == "read_tokens") return readTokens(admin.readTokens, name, value);
  if (name == "tokens_env") return lookUpTokens(admin.tokens, admin.unsetVariables, name, value, environment);
  if (name == "read_tokens_env")
    return lookUpTokens(admin.readTokens, admin.unsetReadVariables, name, value, environment);
  if (name == "allow_unauthenticated") {
    if (value.kind != JsonKind.Boolean) return name + ": expected true or false";
    admin.allowUnauthenticated = value.boolean;
    return "";
  }
  return unknownField("admin.", name, ADMIN_FIELDS);
}

function readTokens(tokens: string[], name: string, value: JsonValue): string {
  if (value.kind != JsonKind.Array) return name + ": expected an array of strings";
  for (let i = 0; i < value.items.length; i++) {
    const item = value.items[i];
    const place = name + "[" + i.toString() + "]";
    if (item.kind != JsonKind.String || !isVisibleAscii(item.text, MAX_HEADER_VALUE_LENGTH))
      return place + ": " + TOKEN_RULE;
    if (item.text.length < MIN_TOKEN_LENGTH) return place + ": " + TOKEN_TOO_SHORT;
    if (tokens.length >= MAX_TOKENS) return place + ": more than " + MAX_TOKENS.toString() + " tokens";
    tokens.push(item.text);
  }
  return "";
}

/**
 * Variables that are not set, or empty, add no token, so one configuration serves with and without them. `validateAdmin`
 * gets their names.
 */
function lookUpTokens(
  tokens: string[],
  unset: string[],
  name: string,
  value: JsonValue,
  environment: Environment,
): string {
  if (value.kind != JsonKind.Array) return name + ": expected an array of names of environment variables";
  for (let i = 0; i < value.items.length; i++) {
    const item = value.items[i];
    const place = name + "[" + i.toString() + "]";
    if (item.kind != JsonKind.String || item.text.length == 0) {
      return place + ": expected the name of an environment variable";
    }
    const token = environment.lookup(item.text);
    if (token === null || token.length == 0) {
      unset.push(item.text);
      continue;
    }
    if (!isVisibleAscii(token, MAX_HEADER_VALUE_LENGTH))
      return place + ": the value of " + quoted(item.text) + " is not a token; " + TOKEN_RULE;
    if (token.length < MIN_TOKEN_LENGTH)
      return place + ": the value of " + quoted(item.text) + " is " + TOKEN_TOO_SHORT;
    if (tokens.length >= MAX_TOKENS) return place + ": more than " + MAX_TOKENS.toString() + " tokens";
    tokens.push(token);
  }
  return "";
}

function outOfRange(name: string, range: string): string {
  return name + ": expected a whole number from " + range;
}

function isBlank(text: usize, length: i32): bool {
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(text + i);
    if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return false;
  }
  return true;
}

const MAX_MEMORY_MIB: u64 = 4096;
/** In per cent of the mean: no upstream can be held to the mean itself. */
const MIN_FACTOR: u64 = 101;
const MAX_FACTOR: u64 = 100000;
/** In characters: of a token, a path, and the name of a cluster as a request's authority. */
const MAX_HEADER_VALUE_LENGTH: i32 = 4096;
/** In characters. */
const MIN_TOKEN_LENGTH: i32 = 8;
/** In characters: of a cluster that connections are sent to by name. */
const MAX_CLUSTER_NAME_LENGTH: i32 = 127;
/** In each list: the token of a request is compared with all of them. */
const MAX_TOKENS: i32 = 64;
const TOKEN_RULE: string = "expected 8 to 4096 visible ASCII characters without spaces";
const TOKEN_TOO_SHORT: string = "shorter than 8 characters, so it can be guessed; make one with: openssl rand -hex 32";
const FIELDS: StaticArray<string> = [
  "cache",
  "cache_size",
  "timeout",
  "mode",
  "removed",
  "removed_seconds",
  "ticket_lifetime",
  "max_memory_mib",
  "enforcement",
  "steering",
  "steering_by_source",
  "steering_balance_factor",
  "access_log",
  "renegotiation",
  "encrypted_hello",
  "refusal",
  "cluster",
  "exact_cluster",
  "upstreams",
  "admin",
  "events",
  "fleet",
];
const EVENTS_FIELDS: StaticArray<string> = ["cluster", "path"];
const EVENTS_RULE: string = 'expected an object with both fields, such as {"cluster": "audit", "path": "/events"}';
const ADMIN_FIELDS: StaticArray<string> = [
  "tokens",
  "read_tokens",
  "tokens_env",
  "read_tokens_env",
  "allow_unauthenticated",
];
