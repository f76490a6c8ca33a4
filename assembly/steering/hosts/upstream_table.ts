/**
 * The table of `tokens.ts`: the upstreams of one cluster by number, and the upstream that each token led to when it was seen
 * last.
 *
 * Layout, little-endian: the fields, 16 bytes; UPSTREAM_PLACES places of 80 bytes (`upstream.ts`), of which MAX_UPSTREAMS
 * are used; for each of TOKENS u8 number of its upstream + 1 (0 = not known); for each of TOKENS u8 the low byte of the era
 * in which it was seen last.
 */
import { ADDRESS_CAPACITY, MAX_UPSTREAMS, Upstream, UPSTREAM_SIZE } from "./upstream";

/** See the head of this file. */
@unmanaged
export class UpstreamTable {
  private count: u32;
  /** Raised when a token is found to have moved, or an upstream is back. */
  era: u32;
  /** How often an upstream has come back. */
  returns: u32;
  private zero: u32;

  /** Number of upstreams that were ever seen. */
  @inline
  get upstreams(): i32 {
    return <i32>this.count;
  }

  at(upstream: i32): Upstream {
    return changetype<Upstream>(changetype<usize>(this) + UPSTREAMS_OFFSET + <usize>upstream * UPSTREAM_SIZE);
  }

  /** Number of the upstream that a token led to when it was seen last, -1 if it never was. */
  leads(token: i32): i32 {
    return <i32>load<u8>(changetype<usize>(this) + LEADS_OFFSET + <usize>token) - 1;
  }

  /** Whether a token was seen in this era. */
  isSeen(token: i32): bool {
    return load<u8>(changetype<usize>(this) + SEEN_OFFSET + <usize>token) == <u8>this.era;
  }

  /** Whether any token is known to lead to an upstream. */
  get leadsAnywhere(): bool {
    for (let token: i32 = 0; token < <i32>TOKENS; token++) {
      if (this.leads(token) >= 0) return true;
    }
    return false;
  }

  /** Notes where a token led. If it led elsewhere in this era, another one begins. */
  note(token: i32, upstream: i32): void {
    const before = this.leads(token);
    if (before >= 0 && before != upstream && this.isSeen(token)) this.era++;
    store<u8>(changetype<usize>(this) + LEADS_OFFSET + <usize>token, <u8>(upstream + 1));
    store<u8>(changetype<usize>(this) + SEEN_OFFSET + <usize>token, <u8>this.era);
  }

  /** Takes the next number; -1 if all are taken. */
  nextNumber(): i32 {
    const number = this.upstreams;
    if (number >= MAX_UPSTREAMS) return -1;
    this.count = <u32>number + 1;
    return number;
  }

  /**
   * Whether a stored table of TABLE_SIZE bytes can be relied on: its numbers name upstreams, and its addresses fit their
   * places.
   */
  get isWhole(): bool {
    if (this.count > <u32>MAX_UPSTREAMS) return false;
    const upstreams = this.upstreams;
    for (let number = 0; number < upstreams; number++) {
      if (<i32>this.at(number).addressLength > ADDRESS_CAPACITY) return false;
    }
    for (let token: i32 = 0; token < <i32>TOKENS; token++) {
      if (this.leads(token) >= upstreams) return false;
    }
    return true;
  }
}

export const TOKENS: u32 = 256;
/** Other versions of this module may share the table, so it keeps its unused place. */
const UPSTREAM_PLACES: usize = 255;
const UPSTREAMS_OFFSET: usize = 16;
const LEADS_OFFSET: usize = UPSTREAMS_OFFSET + UPSTREAM_PLACES * UPSTREAM_SIZE;
const SEEN_OFFSET: usize = LEADS_OFFSET + <usize>TOKENS;
export const TABLE_SIZE: i32 = <i32>(SEEN_OFFSET + <usize>TOKENS);
