/**
 * What is known of one upstream of a cluster, as a place in the table of `tokens.ts`.
 *
 * Layout, 80 bytes, little-endian: see the fields; then 60 bytes of address, as text with its port. An IPv6 address with its port in
 * brackets has 47 characters at most.
 */

@unmanaged
export class Upstream {
  /** Not to be named before this second has passed (Unix seconds); FOREVER if it has left the cluster. */
  avoidedUntil: u32;
  /** Of the key name that this upstream alone is known to hold: the low half of its hash, or 0 if there is none. */
  ownKey: u32;
  /** While it is away: when it may be tried again (Unix seconds). */
  nextTry: u32;
  /** Connections in a row that it was to answer and did not, up to a bound. */
  failures: u8;
  /** Others have answered in its place, and it has not answered since. */
  away: bool;
  /** While it is away: how often it was tried. */
  tries: u8;
  addressLength: u8;
  /** Which of all returns was its last one; see `Tokens.returns`. */
  lastReturn: u32;


  @inline
  get address(): usize {
    return changetype<usize>(this) + ADDRESS_OFFSET;
  }

  is(address: usize, length: i32): bool {
    return this.addressLength == <u8>length && memory.compare(this.address, address, length) == 0;
  }

  /** Begins anew, for another address. */
  become(address: usize, length: i32): void {
    memory.fill(changetype<usize>(this), 0, UPSTREAM_SIZE);
    this.addressLength = <u8>length;
    memory.copy(this.address, address, length);
  }
}

export const MAX_UPSTREAMS: i32 = 254;
export const UPSTREAM_SIZE: usize = 80;
export const MAX_ADDRESS: i32 = 60;
/** To avoid an upstream that has left the cluster. */
export const FOREVER: u32 = 0xffffffff;
const ADDRESS_OFFSET: usize = 20;
