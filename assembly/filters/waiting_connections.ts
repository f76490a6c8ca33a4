/**
 * The connections that wait at the host for their ClientHello, in the order in which they came. One that waits for too
 * long, because its client sends nothing, or waits for the server to speak first, goes on without a choice; it is
 * watched all the same. Holds one entry for each connection of the last second.
 */
import { continueConnection } from "../host/connection";
import { findContext } from "../host/contexts";
import { enter } from "../host/http_stream";
import { FINISHED } from "../host/roots";
import { FRESH, ObservedConnection, WAITS } from "./observed_connection";

export class WaitingConnections {
  private readonly contexts: u32[] = [];
  private readonly since: u64[] = [];

  add(context: u32, nowNanoseconds: u64): void {
    this.contexts.push(context);
    this.since.push(nowNanoseconds);
  }

  /** Lets those go on that have waited for too long. Leaves another context than the root's behind where it did. */
  end(nowNanoseconds: u64): void {
    let ended = 0;
    while (ended < this.contexts.length && this.since[ended] + LONGEST_NANOSECONDS <= nowNanoseconds) {
      letGoOn(this.contexts[ended]);
      ended++;
    }
    if (ended == 0) return;
    this.contexts.splice(0, ended);
    this.since.splice(0, ended);
  }
}

function letGoOn(contextNumber: u32): void {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED) return;
  if ((context.state & FRESH) != 0) {
    if ((context.state & WAITS) == 0) return;
    context.state &= ~WAITS;
  } else {
    const connection = changetype<ObservedConnection>(context.state);
    if (!connection.waits) return;
    connection.waits = false;
    connection.fed = 0;
  }
  enter(contextNumber);
  continueConnection();
}

const LONGEST_NANOSECONDS: u64 = 1_000_000_000;
