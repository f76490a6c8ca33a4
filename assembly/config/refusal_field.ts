/**
 * The field `refusal` of a configuration: the alerts of a refusal, and their place on the wire.
 *
 *     {"tls12": "handshake_failure", "tls12_behind": "server_hello", "tls13": "handshake_failure"}
 *
 * The alerts are those of RFC 8446 6 and RFC 5246 7.2 that end a connection, by their names there. docs/evidence/clients.md
 * shows the reaction of clients to each.
 */
import { JsonKind, JsonValue } from "../json/value";
import { Config, NO_ALERT, RefusalPlace } from "./config";
import { nearest } from "./nearest";

/** Returns the error; empty if the field is right. */
export function readRefusal(config: Config, object: JsonValue): string {
  if (object.kind != JsonKind.Object) return "refusal: " + RULE;
  for (let i = 0; i < object.names.length; i++) {
    const name = object.names[i];
    const value = object.items[i];
    if (name == "tls12_behind") {
      const text = value.kind == JsonKind.String ? value.text : "";
      if (text == "nothing") config.refusalPlace = RefusalPlace.Instead;
      else if (text == "server_hello") config.refusalPlace = RefusalPlace.ServerHello;
      else if (text == "change_cipher_spec") config.refusalPlace = RefusalPlace.ChangeCipherSpec;
      else return 'refusal.tls12_behind: expected "nothing", "server_hello" or "change_cipher_spec"';
      continue;
    }
    if (name != "tls12" && name != "tls13") return "refusal: " + RULE;
    const number = value.kind == JsonKind.String ? alertOf(value.text) : UNKNOWN;
    if (number == UNKNOWN) {
      const meant = value.kind == JsonKind.String ? nearest(value.text, NAMES) : "";
      const hint = meant.length > 0 ? '; did you mean "' + meant + '"?' : "";
      return "refusal." + name + ': expected one of "' + NAMES.join('", "') + '"' + hint;
    }
    if (name == "tls12") config.legacyAlert = number;
    else config.modernAlert = number;
  }
  return "";
}

function alertOf(name: string): i32 {
  for (let i = 0; i < NAMES.length; i++) if (NAMES[i] == name) return NUMBERS[i];
  return UNKNOWN;
}

const UNKNOWN: i32 = -2;
const RULE: string =
  'expected an object such as {"tls12": "handshake_failure", "tls12_behind": "server_hello", "tls13": "handshake_failure"}';
const NAMES: StaticArray<string> = [
  "unexpected_message",
  "bad_record_mac",
  "handshake_failure",
  "certificate_expired",
  "certificate_unknown",
  "illegal_parameter",
  "access_denied",
  "decode_error",
  "decrypt_error",
  "protocol_version",
  "insufficient_security",
  "internal_error",
  "unknown_psk_identity",
  "none",
];
const NUMBERS: StaticArray<i32> = [10, 20, 40, 45, 46, 47, 49, 50, 51, 70, 71, 80, 115, NO_ALERT];
