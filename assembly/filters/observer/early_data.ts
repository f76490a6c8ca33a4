/**
 * Drops a client's early data behind a PSK that would be refused: its server must not act on it. A client whose early data
 * is not accepted sends it again (RFC 8446 4.2.10).
 *
 * While bytes of a chunk are dropped, the others are gathered, and take the place of the whole chunk when it ends.
 */
import { BufferType } from "../../host/abi";
import { Metrics } from "../../ports/metrics";
import { Metric } from "../../session/counting/statistics";
import { Direction, Event, Handshake } from "../../tls/handshake";
import { KeptBytes } from "../connection/kept_bytes";
import { ObservedConnection } from "../connection/observed_connection";

export class EarlyData {
  private readonly kept: KeptBytes = new KeptBytes();

  constructor(private readonly metrics: Metrics) {}

  /** Whether bytes of the current chunk are being gathered: then its last byte has to be fed or kept, too. */
  get gathers(): bool {
    return this.kept.active;
  }

  /** Begins a chunk of `length` bytes of a client. */
  beginChunk(connection: ObservedConnection, length: i32): void {
    if (connection.dropsEarlyData) this.kept.begin(BufferType.DOWNSTREAM_DATA, 0, length);
  }

  /**
   * Drops early data from `offset` of a chunk of `length` bytes on, where a ClientHello ends. False if the host does not
   * show the hello.
   */
  dropFrom(connection: ObservedConnection, offset: i32, length: i32): bool {
    connection.dropsEarlyData = true;
    return this.kept.begin(BufferType.DOWNSTREAM_DATA, offset, length);
  }

  /**
   * Feeds bytes of a client to its handshake, which takes `handshake.consumed` of them, and keeps those that are to go on.
   */
  feed(connection: ObservedConnection, handshake: Handshake, bytes: usize, length: i32): Event {
    // A HelloRetryRequest declines early data as well, and a second ClientHello follows it (RFC 8446 4.2.10).
    const isDeclined = connection.answered || handshake.retried;
    if (isDeclined && handshake.betweenRecords) connection.dropsEarlyData = false;
    const kept = this.kept;
    if (!connection.dropsEarlyData) {
      const event = handshake.feed(Direction.Downstream, bytes, length);
      if (kept.active) kept.add(bytes, handshake.consumed);
      return event;
    }
    const isEarly = handshake.inEarlyData(load<u8>(bytes));
    const event = handshake.feedStep(bytes, length);
    if (!isEarly) kept.add(bytes, handshake.consumed);
    else this.countDropped(connection);
    return event;
  }

  /** Keeps bytes that no handshake is to see. */
  keep(bytes: usize, length: i32): void {
    this.kept.add(bytes, length);
  }

  /** Number of bytes that go on of a chunk of `length`. */
  keptOf(length: i32): i32 {
    return this.kept.active ? this.kept.length : length;
  }

  /** Ends a chunk of `length` bytes; false if the host does not replace it. */
  endChunk(length: i32): bool {
    return !this.kept.active || this.kept.putBack(length);
  }

  private countDropped(connection: ObservedConnection): void {
    if (connection.droppedEarlyData) return;
    connection.droppedEarlyData = true;
    this.metrics.increase(Metric.EARLY_DATA_DROPPED, 1);
  }
}
