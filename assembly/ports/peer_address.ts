/** What the domain asks of the connection at hand: where one of its ends is, its client or the server that has answered. */
export abstract class PeerAddress {
  /**
   * Copies the address with its port, as text (RFC 3986 host and port), to `into`; answers with its length, or -1 where it is
   * not known or longer than `capacity`. To ask for the first time is one of the dearest calls of a handshake, so it is done
   * where it is needed only; again, it costs a copy.
   */
  abstract read(into: usize, capacity: i32): i32;
}
