import { Config, NO_ALERT, RefusalPlace } from "../../../assembly/config/config";
import { parseConfig } from "../../../assembly/config/parse";
import { Environment } from "../../../assembly/ports/environment";

class NoEnvironment extends Environment {
  lookup(name: string): string | null {
    return null;
  }
}

function parse(text: string): Config {
  const bytes = String.UTF8.encode(text);
  return parseConfig(changetype<usize>(bytes), bytes.byteLength, new NoEnvironment());
}

function errorOf(text: string): string {
  return parse(text).error;
}

const ALERTS: StaticArray<string> = [
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
];
/** RFC 8446 6.2 */
const NUMBERS: StaticArray<i32> = [10, 20, 40, 45, 46, 47, 49, 50, 51, 70, 71, 80, 115];
const RULE =
  'expected an object such as {"tls12": "handshake_failure", "tls12_behind": "server_hello", "tls13": "handshake_failure"}';
const NAMES = '"' + ALERTS.join('", "') + '", "none"';

describe("the refusal of a configuration", () => {
  it("is handshake_failure, behind the server's hello, by default", () => {
    const texts = ["{}", '{"refusal":{}}'];
    for (let i = 0; i < texts.length; i++) {
      const config = parse(texts[i]);
      expect(config.error).toBe("");
      expect(config.legacyAlert).toBe(40);
      expect(config.modernAlert).toBe(40);
      expect<i32>(config.refusalPlace).toBe(RefusalPlace.ServerHello);
    }
  });

  it("takes each alert by its name, for each version by itself", () => {
    for (let i = 0; i < ALERTS.length; i++) {
      const legacy = parse('{"refusal":{"tls12":"' + ALERTS[i] + '"}}');
      expect(legacy.error).toBe("");
      expect(legacy.legacyAlert).toBe(NUMBERS[i]);
      expect(legacy.modernAlert).toBe(40);
      const modern = parse('{"refusal":{"tls13":"' + ALERTS[i] + '"}}');
      expect(modern.error).toBe("");
      expect(modern.modernAlert).toBe(NUMBERS[i]);
      expect(modern.legacyAlert).toBe(40);
    }
    const none = parse('{"refusal":{"tls12":"none","tls13":"none"}}');
    expect(none.error).toBe("");
    expect(none.legacyAlert).toBe(NO_ALERT);
    expect(none.modernAlert).toBe(NO_ALERT);
  });

  it("takes the place of the alert", () => {
    expect<i32>(parse('{"refusal":{"tls12_behind":"nothing"}}').refusalPlace).toBe(RefusalPlace.Instead);
    expect<i32>(parse('{"refusal":{"tls12_behind":"server_hello"}}').refusalPlace).toBe(RefusalPlace.ServerHello);
    const changed = parse('{"refusal":{"tls12_behind":"change_cipher_spec"}}');
    expect<i32>(changed.refusalPlace).toBe(RefusalPlace.ChangeCipherSpec);
  });

  it("is an object with those fields and no others", () => {
    const wrong = [
      '"none"',
      "[]",
      "40",
      "true",
      "null",
      '{"tls11":"none"}',
      '{"tls12":"none","alert":"none"}',
      '{"":1}',
    ];
    for (let i = 0; i < wrong.length; i++) expect(errorOf('{"refusal":' + wrong[i] + "}")).toBe("refusal: " + RULE);
  });

  it("has no other alerts, and suggests one", () => {
    const wrong = ['"warning"', '"close_notify"', '""', "40", "null", "{}", '["none"]'];
    for (let i = 0; i < wrong.length; i++) {
      expect(errorOf('{"refusal":{"tls12":' + wrong[i] + "}}")).toBe("refusal.tls12: expected one of " + NAMES);
      expect(errorOf('{"refusal":{"tls13":' + wrong[i] + "}}")).toBe("refusal.tls13: expected one of " + NAMES);
    }
    expect(errorOf('{"refusal":{"tls12":"handshake_failed"}}')).toBe(
      "refusal.tls12: expected one of " + NAMES + '; did you mean "handshake_failure"?',
    );
    expect(errorOf('{"refusal":{"tls13":"Internal_Error"}}')).toBe(
      "refusal.tls13: expected one of " + NAMES + '; did you mean "internal_error"?',
    );
  });

  it("has no other places of the alert", () => {
    const error = 'refusal.tls12_behind: expected "nothing", "server_hello" or "change_cipher_spec"';
    const wrong = ['"finished"', '"SERVER_HELLO"', '""', "1", "null"];
    for (let i = 0; i < wrong.length; i++) {
      expect(errorOf('{"refusal":{"tls12_behind":' + wrong[i] + "}}")).toBe(error);
    }
  });

  it("is suggested for a name that is close to it", () => {
    expect(errorOf('{"refusals":{}}')).toBe('"refusals": no such field; did you mean refusal?');
  });
});

describe("the renegotiation of a configuration", () => {
  it("closes by default", () => {
    expect(parse("{}").closesRenegotiations).toBe(true);
    expect(parse('{"renegotiation":"close"}').closesRenegotiations).toBe(true);
    expect(parse('{"renegotiation":"observe"}').closesRenegotiations).toBe(false);
    expect(parse('{"renegotiation":"observe"}').error).toBe("");
  });

  it("has two values", () => {
    const wrong = ['"Close"', '"refuse"', '""', "true", "false", "null", "1", "{}"];
    for (let i = 0; i < wrong.length; i++) {
      expect(errorOf('{"renegotiation":' + wrong[i] + "}")).toBe('renegotiation: expected "close" or "observe"');
    }
    expect(errorOf('{"renegotation":"close"}')).toBe('"renegotation": no such field; did you mean renegotiation?');
  });
});

describe("the encrypted hello of a configuration", () => {
  it("passes by default", () => {
    expect(parse("{}").decryptsHellos).toBe(false);
    expect(parse('{"encrypted_hello":"pass"}').decryptsHellos).toBe(false);
    expect(parse('{"encrypted_hello":"refuse"}').decryptsHellos).toBe(true);
    expect(parse('{"encrypted_hello":"refuse"}').error).toBe("");
  });

  it("has two values", () => {
    const wrong = ['"Pass"', '"close"', '""', "true", "null", "0", "[]"];
    for (let i = 0; i < wrong.length; i++) {
      expect(errorOf('{"encrypted_hello":' + wrong[i] + "}")).toBe('encrypted_hello: expected "pass" or "refuse"');
    }
    expect(errorOf('{"encrypted_helo":"pass"}')).toBe('"encrypted_helo": no such field; did you mean encrypted_hello?');
  });
});
