/**
 * The connections that wait at the host for their ClientHello, in the order in which they came. One that waits for too
 * long, because its client sends nothing, or waits for the server to speak first, goes on without a choice; it is
 * watched all the same. Holds one entry for each connection of the last second or so.
 *
 * Two set-ups let every connection wait for nothing. Who says nothing is evidence of neither; what comes afterwards is:
 *
 * - Envoy does not read before it has connected, because tcp_proxy has no `max_early_data_bytes`. Then the client's bytes lay in the
 *   kernel, and come as soon as the connection goes on: within PROMPT_NANOSECONDS, or a little later where the server is far away, which
 *   counts less, as it may be chance. As long as no connection was ever heard while it waited, UNREAD_POINTS are proof.
 * - The server speaks first. As long as no ClientHello has ever come while its connection waited, SERVER_FIRST connections are
 *   proof in which, after the waiting, the server's bytes came before the client's.
 *
 * From then on only few are held (`probing.ts`), until one of them is heard: that is remembered for good.
 */
import { continueConnection } from "../../host/connection/connection";
import { findContext } from "../../host/contexts";
import { enter } from "../../host/effective_context";
import { FINISHED } from "../../host/roots";
import { Fault } from "../../steering/setup/steering_state";
import { ConnectionQueue } from "../connection/connection_queue";
import { FRESH, LET_GO, ObservedConnection, PROMPT, WAITS } from "../connection/observed_connection";
import { Probing } from "./probing";

export class WaitingConnections {
  private readonly queue: ConnectionQueue = new ConnectionQueue();
  /** Those that have waited in vain, for as long as bytes that come count as prompt. */
  private readonly letGo: ConnectionQueue = new ConnectionQueue();
  private readonly probing: Probing = new Probing();
  private heard: bool = false;
  private heardHello: bool = false;
  private unread: u32 = 0;
  private serverFirst: u32 = 0;
  private hasReleased: bool = false;

  free(): void {
    this.queue.free();
    this.letGo.free();
  }

  add(context: u32, nowNanoseconds: u64): void {
    this.queue.push(context, 0, nowNanoseconds);
  }

  /** Bytes of a waiting connection have come. */
  hear(): void {
    this.heard = true;
  }

  /** The ClientHello of a waiting connection has come. */
  hearHello(): void {
    this.heardHello = true;
  }

  /** The first bytes of a connection have come that had waited in vain; `state` is its state, with LET_GO. */
  begin(state: usize, byServer: bool): void {
    if (byServer) this.serverFirst++;
    else this.unread += (state & PROMPT) != 0 ? PROMPT_POINTS : 1;
  }

  /** Why connections wait for nothing, as far as is known. */
  get fault(): Fault {
    if (!this.heard && this.unread >= UNREAD_POINTS) return Fault.NoEarlyData;
    return !this.heardHello && this.serverFirst >= SERVER_FIRST ? Fault.ServerFirst : Fault.None;
  }

  /** Whether the next connection is to be held. */
  holdsNext(): bool {
    return this.fault == Fault.None || this.probing.takesNext();
  }

  /** Lets those go on that have waited for too long. Leaves another context than the root's behind where it did. */
  tick(nowNanoseconds: u64): void {
    // Once it is known to be in vain, nobody who came before waits any longer.
    const release = this.fault != Fault.None && !this.hasReleased;
    if (release) this.hasReleased = true;
    const queue = this.queue;
    while (queue.length > 0 && (release || queue.since + LONGEST_NANOSECONDS <= nowNanoseconds)) {
      if (letGoOn(queue.context)) this.letGo.push(queue.context, 0, nowNanoseconds);
      queue.shift();
    }
    const letGo = this.letGo;
    while (letGo.length > 0 && letGo.since + PROMPT_NANOSECONDS <= nowNanoseconds) {
      const context = findContext(letGo.context);
      if (context && (context.state & FRESH) != 0) context.state &= ~PROMPT;
      letGo.shift();
    }
  }
}

/** Whether it still waited, and nothing had come of it. */
function letGoOn(contextNumber: u32): bool {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED) return false;
  const isFresh = (context.state & FRESH) != 0;
  if (isFresh) {
    if ((context.state & WAITS) == 0) return false;
    context.state = FRESH | LET_GO | PROMPT;
  } else {
    const connection = changetype<ObservedConnection>(context.state);
    if (!connection.waits) return false;
    connection.waits = false;
    connection.fed = 0;
  }
  enter(contextNumber);
  continueConnection();
  return isFresh;
}

const LONGEST_NANOSECONDS: u64 = 1_000_000_000;
const PROMPT_NANOSECONDS: u64 = 250_000_000;
/** Three prompt ones, or two dozen later ones. */
const UNREAD_POINTS: u32 = 24;
const PROMPT_POINTS: u32 = 8;
const SERVER_FIRST: u32 = 3;
