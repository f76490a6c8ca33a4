/**
 * How kinds, protocols, origins, causes and states are called in the API. Protocols have OpenSSL's names (SSL_get_version(3)). 0 stands for
 * a name that does not exist.
 */
import { Cause, Kind, Origin } from "../../session/record/session";
import { KeyState } from "../../session/revocation/ticket_keys";

export const KIND_NAMES: string = "id, ticket, psk";
export const PROTOCOL_NAMES: string = "SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3";

export function kindName(kind: u8): string {
  if (kind == Kind.TICKET) return "ticket";
  return kind == Kind.PSK ? "psk" : "id";
}

export function kindOf(name: string): u8 {
  if (name == "id") return Kind.ID;
  if (name == "ticket") return Kind.TICKET;
  return name == "psk" ? Kind.PSK : 0;
}

/** The name of a version on the wire, or "0xNNNN" where it has none. */
export function protocolName(version: u16): string {
  const index = <i32>version - FIRST_VERSION;
  return index >= 0 && index < PROTOCOLS.length ? PROTOCOLS[index] : codePoint(version);
}

/** The version on the wire. */
export function protocolOf(name: string): u16 {
  const index = PROTOCOLS.indexOf(name);
  return index < 0 ? 0 : <u16>(FIRST_VERSION + index);
}

export function originName(origin: u8): string {
  return origin == Origin.API ? "api" : "observed";
}

export function causeName(cause: u8): string {
  return cause == Cause.FLUSH ? "flush" : "api";
}

/** What is known of a ticket key. */
export function keyStateName(state: u8): string {
  if (state == KeyState.CONFIGURED) return "configured";
  if (state == KeyState.SHARED) return "shared";
  return state == KeyState.REMOVED ? "removed" : "learned";
}

/** "0x" and four lower-case hexadecimal digits. */
export function codePoint(value: u16): string {
  return "0x" + (<u32>value).toString(16).padStart(4, "0");
}

const FIRST_VERSION: i32 = 0x0300;
const PROTOCOLS: StaticArray<string> = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
