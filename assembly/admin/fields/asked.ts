/** Filters of a list by an upstream's address or a server name, in the form in which the cache holds them. */
import { canonicalAddress } from "../../bytes/address";
import { equalsLowered, lowerCase } from "../../bytes/ascii";
import { ADDRESS_EXPECTED } from "./value_names";

export class AskedUpstream {
  /** In Envoy's spelling; empty matches any. */
  readonly text: string;
  readonly bytes: ArrayBuffer;
  /** Empty if the value is right; else the fault. */
  readonly error: string;

  /** `value` is null if the query has no such filter. */
  constructor(value: string | null) {
    const text = value === null ? "" : canonicalAddress(value);
    this.text = text;
    this.bytes = String.UTF8.encode(text);
    this.error = value !== null && text.length == 0 ? "upstream: " + ADDRESS_EXPECTED : "";
  }

  matches(address: usize, length: i32): bool {
    const asked = this.bytes;
    if (asked.byteLength == 0) return true;
    return asked.byteLength == length && memory.compare(address, changetype<usize>(asked), length) == 0;
  }
}

export class AskedServerName {
  /** In lower case; empty matches any. */
  readonly bytes: ArrayBuffer;
  /** Empty if the value is right; else the fault. */
  readonly error: string;

  /** `value` is null if the query has no such filter. */
  constructor(value: string | null) {
    const bytes = String.UTF8.encode(value === null ? "" : value);
    lowerCase(changetype<usize>(bytes), bytes.byteLength);
    this.bytes = bytes;
    this.error = value !== null && value.length == 0 ? "sni: expected a server name; leave sni out for all names" : "";
  }

  matches(name: usize, length: i32): bool {
    const asked = this.bytes;
    if (asked.byteLength == 0) return true;
    return asked.byteLength == length && equalsLowered(name, changetype<usize>(asked), length);
  }
}
