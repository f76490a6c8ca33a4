/**
 * The connections that wait at the host for their ClientHello, in the order in which they came. One that waits for too
 * long, because its client sends nothing, or waits for the server to speak first, goes on without a choice; it is
 * watched all the same. Holds one entry for each connection of the last second.
 *
 * Where Envoy does not read before it has connected, because tcp_proxy has no `max_early_data_bytes`, every connection would
 * wait for nothing. That is found out after a few: from then on only one in PROBE is held, until one of them is heard.
 */
import { continueConnection } from "../host/connection";
import { findContext } from "../host/contexts";
import { enter } from "../host/http_stream";
import { FINISHED } from "../host/roots";
import { ConnectionQueue } from "./connection_queue";
import { FRESH, ObservedConnection, WAITS } from "./observed_connection";

export class WaitingConnections {
  private readonly queue: ConnectionQueue = new ConnectionQueue();
  private ended: u32 = 0;
  private heard: bool = false;
  private passed: u32 = 0;

  free(): void {
    this.queue.free();
  }

  add(context: u32, nowNanoseconds: u64): void {
    this.queue.push(context, 0, nowNanoseconds);
  }

  /** Bytes of a waiting connection have come. */
  hear(): void {
    this.heard = true;
  }

  /** Whether connections have waited in vain, and none has ever been heard. */
  get isDeaf(): bool {
    return !this.heard && this.ended >= DEAF_AFTER;
  }

  /** Whether the next connection is to be held. */
  holdsNext(): bool {
    if (!this.isDeaf) return true;
    this.passed++;
    return this.passed % PROBE == 0;
  }

  /** Lets those go on that have waited for too long. Leaves another context than the root's behind where it did. */
  end(nowNanoseconds: u64): void {
    while (this.queue.length > 0 && this.queue.since + LONGEST_NANOSECONDS <= nowNanoseconds) {
      if (letGoOn(this.queue.context)) this.ended++;
      this.queue.shift();
    }
  }
}

/** Whether it still waited. */
function letGoOn(contextNumber: u32): bool {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED) return false;
  if ((context.state & FRESH) != 0) {
    if ((context.state & WAITS) == 0) return false;
    context.state &= ~WAITS;
  } else {
    const connection = changetype<ObservedConnection>(context.state);
    if (!connection.waits) return false;
    connection.waits = false;
    connection.fed = 0;
  }
  enter(contextNumber);
  continueConnection();
  return true;
}

const LONGEST_NANOSECONDS: u64 = 1_000_000_000;
const DEAF_AFTER: u32 = 8;
const PROBE: u32 = 64;
