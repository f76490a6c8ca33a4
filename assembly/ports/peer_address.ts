/** The address of one end of the current connection: its client, or the server that has answered. */
export abstract class PeerAddress {
  /**
   * Copies the address with its port, as text (RFC 3986 host and port), to `into`. Returns its length, or -1 if it is
   * unknown or longer than `capacity`. The first read is one of the most expensive calls of a handshake, so make it only if
   * it is needed; later ones cost a copy.
   */
  abstract read(into: usize, capacity: i32): i32;
}
