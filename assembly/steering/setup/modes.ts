/** How the operator wants connections steered. */

export const enum SteeringMode {
  /** Not at all: no connection is ever held. */
  Off = 0,
  /** Envoy hashes a text that the filter sets. */
  Hash = 1,
  /** Envoy connects to the host that the filter names. */
  Exact = 2,
}

/** What the source of a connection, its address and server name, is good for. */
export const enum BySource {
  Never = 0,
  /** It is a guess where nothing else is known of what a client offers. */
  Guess = 1,
  /** All that nothing better is known of goes to one upstream for each source. */
  Always = 2,
}
