/**
 * The connections that are held at the host until decisions of other proxies are in (`filters/cache/fleet_start.ts`), oldest
 * first. Those that end give their place back, so nobody can fill the places with connections that are gone. O(1) on average.
 */
import { findContext } from "../../host/contexts";
import { FINISHED } from "../../host/roots";
import { ConnectionQueue } from "./connection_queue";
import { FRESH, ObservedConnection } from "./observed_connection";

export class HeldConnections {
  /** Their contexts, and those of connections that have ended or gone on since. */
  private readonly queue: ConnectionQueue = new ConnectionQueue();
  private count: u32 = 0;

  free(): void {
    this.queue.free();
  }

  get isEmpty(): bool {
    return this.count == 0;
  }

  /** Adds a connection; false if there are too many. */
  add(connection: ObservedConnection): bool {
    if (this.count == MAX_HELD) return false;
    if (this.queue.length == 2 * MAX_HELD) this.dropOthers();
    this.queue.push(connection.context, 0, 0);
    connection.isHeld = true;
    this.count++;
    return true;
  }

  /** Takes a connection out, if it is held. */
  remove(connection: ObservedConnection): void {
    if (!connection.isHeld) return;
    connection.isHeld = false;
    this.count--;
  }

  /** Takes the oldest one out; null if there is none. */
  shift(): ObservedConnection | null {
    const queue = this.queue;
    while (queue.length > 0) {
      const connection = heldBy(queue.context);
      queue.shift();
      if (!connection) continue;
      this.remove(connection);
      return connection;
    }
    return null;
  }

  /** Drops the contexts of all that are not held any more: at least half of the queue. */
  private dropOthers(): void {
    const queue = this.queue;
    for (let left = queue.length; left > 0; left--) {
      const context = queue.context;
      queue.shift();
      if (heldBy(context)) queue.push(context, 0, 0);
    }
  }
}

/** Returns the connection of a context, if it is held. */
function heldBy(contextNumber: u32): ObservedConnection | null {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED || (context.state & FRESH) != 0) return null;
  const connection = changetype<ObservedConnection>(context.state);
  return connection.isHeld ? connection : null;
}

/** In one virtual machine. With its handshake, and its hello at the host, each takes some 4 KiB. */
export const MAX_HELD: u32 = 16384;
