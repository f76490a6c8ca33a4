/**
 * One upstream of a cluster, as a place in `UpstreamTable`.
 *
 * Layout, 80 bytes, little-endian: the fields, then ADDRESS_CAPACITY bytes of address, as text with its port. An IPv6
 * address in brackets with its port has 47 characters at most.
 */

@unmanaged
export class Upstream {
  /** Not to be named up to this second (Unix time); FOREVER if it has left the cluster. */
  avoidedUntil: u32;
  /** The low half of the hash of the key name that only this upstream holds, as far as is known; or 0. */
  ownKey: u32;
  /** While it is away: when it may be tried again (Unix time). */
  nextTry: u32;
  /** Number of connections in a row that others have answered in its place, up to a bound. */
  failures: u8;
  /** Others have answered in its place, and it has not answered since. */
  away: bool;
  /** While it is away: how often it was tried. */
  tries: u8;
  addressLength: u8;
  /** Number of its last return, among those of all upstreams. */
  lastReturn: u32;


  @inline
  get address(): usize {
    return changetype<usize>(this) + ADDRESS_OFFSET;
  }

  is(address: usize, length: i32): bool {
    return this.addressLength == <u8>length && memory.compare(this.address, address, length) == 0;
  }

  /** Makes it another upstream, of which only the address is known. */
  become(address: usize, length: i32): void {
    memory.fill(changetype<usize>(this), 0, UPSTREAM_SIZE);
    this.addressLength = <u8>length;
    memory.copy(this.address, address, length);
  }
}

/** A number + 1 fits a byte. Also the bound of `upstreams` in the configuration. */
export const MAX_UPSTREAMS: i32 = 254;
export const UPSTREAM_SIZE: usize = 80;
export const ADDRESS_CAPACITY: i32 = 60;
/** As `avoidedUntil`: the upstream has left the cluster. */
export const FOREVER: u32 = 0xffffffff;
const ADDRESS_OFFSET: usize = 20;
