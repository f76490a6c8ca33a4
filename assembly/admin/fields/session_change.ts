/**
 * The fields of PUT /v1/sessions/{id}: any of kind, protocol, cipher, sni, upstream, timeout. Null makes protocol, cipher,
 * sni or upstream unknown; kind and timeout always have a value. Addresses are brought into Envoy's spelling.
 */
import { JsonKind, JsonValue } from "../../json/value";
import { quoted } from "../../json/quote";
import { Known, MAX_SNI_LENGTH, Session } from "../../session/record/session";
import { canonicalAddress } from "../../bytes/address";
import { cipherOf } from "./cipher_suites";
import { ADDRESS_EXPECTED, kindOf, KINDS_EXPECTED, protocolOf, PROTOCOLS_EXPECTED } from "./value_names";
import { SessionId } from "./session_id";

export const SESSION_FIELDS: StaticArray<string> = ["kind", "protocol", "cipher", "sni", "upstream", "timeout"];

export class SessionChange {
  /** Its pointers are valid as long as this object is. */
  readonly session: Session = new Session();
  /** Empty if all fields are right; else the first fault, and what would be right. */
  error: string = "";
  private sni: ArrayBuffer = new ArrayBuffer(0);
  private upstream: ArrayBuffer = new ArrayBuffer(0);

  constructor(private readonly id: SessionId) {
    this.session.id = id.pointer;
    this.session.idLength = id.length;
  }

  /** Reads an object that has no fields but SESSION_FIELDS. */
  read(object: JsonValue): void {
    for (let i = 0; i < object.names.length && this.error.length == 0; i++) {
      const name = object.names[i];
      const value = object.items[i];
      if (value.kind == JsonKind.Null && this.clear(name)) continue;
      this.readField(name, value);
    }
  }

  private readField(name: string, value: JsonValue): void {
    if (name == "kind") this.readKind(value);
    else if (name == "protocol") this.readProtocol(value);
    else if (name == "cipher") this.readCipher(value);
    else if (name == "sni") this.readSni(value);
    else if (name == "upstream") this.readUpstream(value);
    else this.readTimeout(value);
  }

  /** Reads the fields of an object that GET gave, which has others besides; null stays unknown. */
  readShown(object: JsonValue): void {
    for (let i = 0; i < SESSION_FIELDS.length && this.error.length == 0; i++) {
      const value = object.member(SESSION_FIELDS[i]);
      if (value !== null && value.kind != JsonKind.Null) this.readField(SESSION_FIELDS[i], value);
    }
  }

  /** Makes a field unknown; false if it always has a value. */
  private clear(name: string): bool {
    let field: u32 = 0;
    if (name == "protocol") field = Known.PROTOCOL;
    else if (name == "cipher") field = Known.CIPHER;
    else if (name == "sni") field = Known.SNI;
    else if (name == "upstream") field = Known.UPSTREAM;
    this.session.cleared |= field;
    return field != 0;
  }

  private readKind(value: JsonValue): void {
    const kind = kindOf(textOf(value));
    if (kind == 0) {
      this.error = "kind: " + shown(value) + KINDS_EXPECTED;
      return;
    }
    this.session.kind = kind;
    this.session.known |= Known.KIND;
  }

  private readProtocol(value: JsonValue): void {
    const protocol = protocolOf(textOf(value));
    if (protocol == 0) {
      this.error = "protocol: " + shown(value) + PROTOCOLS_EXPECTED + ", or null";
      return;
    }
    this.session.protocol = protocol;
    this.session.known |= Known.PROTOCOL;
  }

  private readCipher(value: JsonValue): void {
    const cipher = cipherOf(textOf(value));
    if (cipher < 0) {
      this.error = "cipher: " + shown(value) + "expected an IANA name such as TLS_AES_128_GCM_SHA256, 0xNNNN, or null";
      return;
    }
    this.session.cipher = <u16>cipher;
    this.session.known |= Known.CIPHER;
  }

  private readSni(value: JsonValue): void {
    this.sni = String.UTF8.encode(textOf(value));
    const length = this.sni.byteLength;
    if (length < 1 || length > MAX_SNI_LENGTH) {
      this.error = "sni: expected a string of 1 to " + MAX_SNI_LENGTH.toString() + " bytes in UTF-8, or null";
      return;
    }
    this.session.sni = changetype<usize>(this.sni);
    this.session.sniLength = length;
    this.session.known |= Known.SNI;
  }

  private readUpstream(value: JsonValue): void {
    this.upstream = String.UTF8.encode(canonicalAddress(textOf(value)));
    if (this.upstream.byteLength == 0) {
      this.error = "upstream: " + shown(value) + ADDRESS_EXPECTED + ", or null";
      return;
    }
    this.session.upstream = changetype<usize>(this.upstream);
    this.session.upstreamLength = this.upstream.byteLength;
    this.session.known |= Known.UPSTREAM;
  }

  private readTimeout(value: JsonValue): void {
    if (!value.isWhole(1, i32.MAX_VALUE)) {
      this.error = "timeout: expected whole seconds from 1 to 2147483647";
      return;
    }
    this.session.timeoutSeconds = <u32>value.number;
    this.session.known |= Known.TIMEOUT;
  }
}

/** Returns the text of a string, else the empty text, which no field takes. */
function textOf(value: JsonValue): string {
  return value.kind == JsonKind.String ? value.text : "";
}

function shown(value: JsonValue): string {
  return value.kind == JsonKind.String ? quoted(value.text) + " is not one; " : "";
}
