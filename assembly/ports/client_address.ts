/** What the domain asks of the connection at hand: where its client is. */
export abstract class ClientAddress {
  /** Copies the address with its port, as text, to `into`; answers with its length, or -1 where it is not known. */
  abstract read(into: usize, capacity: i32): i32;
}
