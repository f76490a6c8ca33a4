/** What the domain needs to send events away: one delivery at a time. */
export abstract class EventSink {
  /** Begins to send a JSON text, `length` bytes; false where that is not possible now. */
  abstract send(text: usize, length: i32): bool;

  /** Why the last delivery did not begin, or was not accepted: words for the log. */
  abstract get fault(): string;

  /** What became of the last delivery. */
  abstract get state(): Delivery;
}

export const enum Delivery {
  /** Nothing was sent since the last one ended. */
  None = 0,
  UnderWay = 1,
  /** The receiver has answered with 2xx. */
  Accepted = 2,
  /** It has not, or not in time. */
  Failed = 3,
}
