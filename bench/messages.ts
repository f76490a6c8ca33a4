/** The messages between the benchmark and its load generator, over the channel that Node opens to a child. */

/** A TLS version and how its handshakes end: in full, or resumed by a session ID, a ticket, or a PSK. */
export type Handshake = "full12" | "resumed12_id" | "resumed12" | "full13" | "resumed13";

export type Order =
  | { order: "handshakes"; port: number; handshake: Handshake; count: number; concurrency: number }
  | { order: "download"; port: number; bytes: number }
  /** Opens connections, finishes their handshakes and keeps them. */
  | { order: "open"; port: number; count: number; concurrency: number }
  /** Ends what `open` has opened, without a word: a reset. */
  | { order: "drop" }
  /** Connections whose clients vanish: before their first byte, within the ClientHello, or behind it, by turns. */
  | { order: "vanish"; port: number; count: number; concurrency: number };

/** How many handshakes were resumed, of those that were done. */
export type Report = { done: number; resumed: number } | { error: string };
