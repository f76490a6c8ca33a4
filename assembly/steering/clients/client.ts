/**
 * The client of the current connection. Steering distinguishes clients by their address without the port, hashed with the
 * cache's secret key, so that no client can aim at another's place in a table.
 *
 * The address is read at its first use, once for each connection. Allocates nothing.
 */
import { lengthWithoutPort } from "../../bytes/address";
import { PeerAddress } from "../../ports/peer_address";
import { KeyedHash } from "../../shared/keyed_hash";
import { Handshake } from "../../tls/handshake";

export class Client {
  private length: i32 = NOT_READ;

  constructor(
    private readonly address: PeerAddress,
    private readonly hash: KeyedHash,
  ) {}

  /** Makes another connection the current one. */
  begin(): void {
    this.length = NOT_READ;
  }

  /**
   * Hash of the address and the server name of the hello: a client with both the same is likely to have the same sessions. 0
   * if the address is not known.
   */
  source(handshake: Handshake): u32 {
    const length = this.read();
    if (length == 0) return 0;
    const source = this.hash.of(ADDRESS, length);
    return handshake.sniLength > 0 ? source ^ (this.hash.of(handshake.sni, handshake.sniLength) * 0x9e3779b1) : source;
  }

  /**
   * Hash of an IPv4 address, or of the IPv6 network of 64 bits that one site has (RFC 4291 2.5.4), as one client can have
   * many addresses in it. 0 only if the address is not known.
   */
  get network(): u32 {
    const length = this.read();
    return length == 0 ? 0 : this.hash.of(ADDRESS, networkLength(length)) | 1;
  }

  /** Reads the address; returns its length without the port, 0 if it is not known. */
  private read(): i32 {
    if (this.length == NOT_READ) this.length = lengthWithoutPort(ADDRESS, this.address.read(ADDRESS, ADDRESS_CAPACITY));
    return this.length;
  }
}

/** Length of the network in the text: of IPv6, up to the fourth colon, or up to two in a row, which stand for zeros. */
function networkLength(length: i32): i32 {
  if (load<u8>(ADDRESS) != BRACKET) return length;
  let colons = 0;
  for (let i = 1; i < length; i++) {
    if (load<u8>(ADDRESS + <usize>i) != COLON) continue;
    colons++;
    if (colons == 4 || load<u8>(ADDRESS + <usize>(i - 1)) == COLON) return i;
  }
  return length;
}

const NOT_READ: i32 = -1;
const COLON: u8 = 0x3a;
const BRACKET: u8 = 0x5b;
/** An IPv6 address with its port in brackets has 47 characters at most. */
const ADDRESS_CAPACITY: i32 = 64;
const ADDRESS: usize = memory.data(ADDRESS_CAPACITY);
