/** How connections are steered, by configuration. */

export const enum SteeringMode {
  /** Not at all: no connection is ever held. */
  Off = 0,
  /** Envoy hashes a text that the filter sets. */
  Hash = 1,
  /** Envoy connects to the host that the filter names. */
  Exact = 2,
}

/** Which connections follow their source, which is the address and server name. */
export const enum BySource {
  Never = 0,
  /** Those whose offer has no known issuer. */
  Guess = 1,
  /** All whose offer has no known issuer, and new ones: one upstream for each source. */
  Always = 2,
}
