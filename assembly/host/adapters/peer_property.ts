/** PeerAddress: a property of the current connection. */
import { PeerAddress } from "../../ports/peer_address";
import { PropertyPath } from "../properties";

class PeerProperty extends PeerAddress {
  constructor(private readonly path: PropertyPath) {
    super();
  }

  read(into: usize, capacity: i32): i32 {
    return this.path.read(into, capacity);
  }
}

/** The client's. */
export const SOURCE = new PeerProperty(new PropertyPath("source.address"));
/** The server's; there is one once its bytes have come. */
export const UPSTREAM = new PeerProperty(new PropertyPath("upstream.address"));
