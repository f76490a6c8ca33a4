/**
 * Addresses of upstreams in the spelling of Envoy's `upstream.address`: "10.0.0.7:443", "[2001:db8::1]:443". A given address
 * is brought into it (RFC 5952, and inet_ntop(3) for embedded IPv4), so that it equals the observed one.
 */
import { digitValue } from "./hex";

/** Returns the address in Envoy's spelling; empty for any other text, as names, zones and port 0. */
export function canonicalAddress(text: string): string {
  if (text.length > MAX_LENGTH) return "";
  const colon = text.lastIndexOf(":");
  if (colon < 1 || !isPort(text.substring(colon + 1))) return "";
  const port = text.substring(colon);
  const host = text.substring(0, colon);
  if (!host.startsWith("[")) return ipv4(host) < 0 ? "" : text;
  if (!host.endsWith("]")) return "";
  const groups = ipv6(host.substring(1, host.length - 1));
  return groups === null ? "" : "[" + canonicalIpv6(groups) + "]" + port;
}

/** Returns the length of an address without its port; all of it if there is no port, 0 if `length` is not positive. */
export function lengthWithoutPort(address: usize, length: i32): i32 {
  if (length <= 0) return 0;
  let end = length;
  while (end > 0 && load<u8>(address + <usize>(end - 1)) != COLON) end--;
  return end > 0 ? end : length;
}

/** 1 to 65535 without leading zeros. */
function isPort(text: string): bool {
  const port = decimal(text, 5);
  return port >= 1 && port <= 65535;
}

/** Returns a number of at most `digits` digits without leading zeros; -1 for any other text. */
function decimal(text: string, digits: i32): i32 {
  if (text.length < 1 || text.length > digits) return -1;
  if (text.length > 1 && text.charCodeAt(0) == 0x30) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
    value = value * 10 + (code - 0x30);
  }
  return value;
}

/** Returns the four octets as a number; -1 for any other text. */
function ipv4(text: string): i64 {
  const octets = text.split(".");
  if (octets.length != 4) return -1;
  let address: i64 = 0;
  for (let i = 0; i < 4; i++) {
    const octet = decimal(octets[i], 3);
    if (octet < 0 || octet > 255) return -1;
    address = (address << 8) | (<i64>octet);
  }
  return address;
}

/** Returns the eight groups of an IPv6 address (RFC 4291 2.2); null for any other text. */
function ipv6(text: string): StaticArray<u16> | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const compressed = halves.length == 2;
  const head: u16[] = [];
  const tail: u16[] = [];
  if (!readGroups(halves[0], head, compressed ? Half.Beginning : Half.End)) return null;
  if (compressed && !readGroups(halves[1], tail, Half.End)) return null;
  const given = head.length + tail.length;
  if (compressed ? given > 7 : given != 8) return null;

  const groups = new StaticArray<u16>(8);
  for (let i = 0; i < head.length; i++) groups[i] = head[i];
  for (let i = 0; i < tail.length; i++) groups[8 - tail.length + i] = tail[i];
  return groups;
}

/** Reads the groups between colons, none of an empty text; IPv4 may end the address. */
function readGroups(text: string, groups: u16[], half: Half): bool {
  if (text.length == 0) return true;
  const parts = text.split(":");
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part.includes(".")) {
      if (half != Half.End || i + 1 != parts.length) return false;
      const address = ipv4(part);
      if (address < 0) return false;
      groups.push(<u16>(address >> 16));
      groups.push(<u16>address);
      continue;
    }
    const group = hexadecimal(part);
    if (group < 0) return false;
    groups.push(<u16>group);
  }
  return groups.length <= 8;
}

/** Returns a number of one to four digits; -1 for any other text. */
function hexadecimal(text: string): i32 {
  if (text.length < 1 || text.length > 4) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = digitValue(text.charCodeAt(i));
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

/** Lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as "::". */
function canonicalIpv6(groups: StaticArray<u16>): string {
  let runStart = -1;
  let runLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] == 0) length++;
    if (length > runLength) {
      runStart = i;
      runLength = length;
    }
    i += length;
  }
  // ::ffff:a.b.c.d (RFC 4291 2.5.5.2) and the older ::a.b.c.d.
  const embedded = runStart == 0 && (runLength == 6 || (runLength == 5 && groups[5] == 0xffff));
  const end = embedded ? 6 : 8;

  let text = "";
  for (let i = 0; i < end; i++) {
    if (i == runStart) {
      text += "::";
      i += runLength - 1;
      continue;
    }
    if (text.length > 0 && !text.endsWith(":")) text += ":";
    text += (<u32>groups[i]).toString(16);
  }
  if (!embedded) return text;
  if (!text.endsWith(":")) text += ":";
  return text + dotted(groups[6]) + "." + dotted(groups[7]);
}

function dotted(group: u16): string {
  return ((<u32>group) >> 8).toString() + "." + ((<u32>group) & 0xff).toString();
}

/** Of the groups: those before "::", or those that end the address. */
const enum Half {
  Beginning = 0,
  End = 1,
}

/** "[" and 45 characters of IPv6, "]:" and 5 digits, and some more: a given address need not be in its shortest form. */
const MAX_LENGTH: i32 = 64;
const COLON: u8 = 0x3a;
