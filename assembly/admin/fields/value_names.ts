/** Names of the API for kinds, protocols, origins, causes and states of ticket keys; and the texts for unknown values. */
import { FIRST_PROTOCOL, KIND_NAMES, PROTOCOL_NAMES } from "../../session/record/protocol_names";
import { Cause, Kind, Origin } from "../../session/record/session";
import { KeyState } from "../../session/revocation/ticket_keys";

export function kindName(kind: u8): string {
  const index = <i32>kind - <i32>Kind.ID;
  return KIND_NAMES[index >= 0 && index < KIND_NAMES.length ? index : 0];
}

/** One of `Kind`; 0 if there is none of that name. */
export function kindOf(name: string): u8 {
  return <u8>(KIND_NAMES.indexOf(name) + <i32>Kind.ID);
}

/** The name of a version on the wire, or "0xNNNN" if it has none. */
export function protocolName(version: u16): string {
  const index = <i32>version - <i32>FIRST_PROTOCOL;
  return index >= 0 && index < PROTOCOL_NAMES.length ? PROTOCOL_NAMES[index] : codePoint(version);
}

/** The version on the wire; 0 if there is none of that name. */
export function protocolOf(name: string): u16 {
  const index = PROTOCOL_NAMES.indexOf(name);
  return index < 0 ? 0 : FIRST_PROTOCOL + <u16>index;
}

export function originName(origin: u8): string {
  return origin == Origin.API ? "api" : "observed";
}

export function causeName(cause: u8): string {
  if (cause == Cause.CONFIG) return "config";
  return cause == Cause.FLUSH ? "flush" : "api";
}

export function keyStateName(state: u8): string {
  if (state == KeyState.CONFIGURED) return "configured";
  if (state == KeyState.SHARED) return "shared";
  return state == KeyState.REMOVED ? "removed" : "learned";
}

/** "0x" and four lower-case hexadecimal digits. */
export function codePoint(value: u16): string {
  return "0x" + (<u32>value).toString(16).padStart(4, "0");
}

export const ADDRESS_EXPECTED: string = 'expected "IPv4:port" or "[IPv6]:port"';
export const KINDS_EXPECTED: string = "expected one of " + KIND_NAMES.join(", ");
export const PROTOCOLS_EXPECTED: string = "expected one of " + PROTOCOL_NAMES.join(", ");
