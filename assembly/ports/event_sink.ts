/** A receiver of events: one delivery at a time. */
export abstract class EventSink {
  /** Begins to send a JSON text of `length` bytes; false if that is impossible now. */
  abstract send(text: usize, length: i32): bool;

  /** Words for the log: why the last delivery did not begin or was not accepted. */
  abstract get fault(): string;

  /** The state of the last delivery. */
  abstract get state(): Delivery;
}

export const enum Delivery {
  /** Nothing was sent since the last delivery ended. */
  None = 0,
  UnderWay = 1,
  /** The receiver has responded with 2xx. */
  Accepted = 2,
  /** It has responded otherwise, or not in time. */
  Failed = 3,
}
