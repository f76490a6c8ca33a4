/**
 * The connections that wait at the host for their ClientHello, oldest first. One that waits too long goes on without a
 * choice, because its client sends nothing or waits for the server; it is watched all the same. Holds one entry for each
 * connection of the last second or so.
 *
 * Two set-ups make every connection wait in vain. A silent client proves neither; the bytes that come after the wait do:
 *
 * - Envoy does not read before it connects, because tcp_proxy has no `max_early_data_bytes`. Then the client's bytes are in
 *   the kernel, and come as soon as the connection goes on: within PROMPT_NANOSECONDS, or a little later if the server is
 *   far away. Later bytes count less, as they may be chance. UNREAD_POINTS are proof, unless a connection was ever heard
 *   while it waited.
 * - The server speaks first. SERVER_FIRST connections whose server's bytes came first after the wait are proof, unless a
 *   ClientHello ever came during a wait.
 *
 * After that only a few are held (`probing.ts`), until one is heard: that is remembered for good.
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
  /** Those that have waited in vain, while bytes that come still count as prompt. */
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

  /** The first bytes of a connection that was let go have come; `state` is its state, with LET_GO. */
  begin(state: usize, byServer: bool): void {
    if (byServer) this.serverFirst++;
    else this.unread += (state & PROMPT) != 0 ? PROMPT_POINTS : 1;
  }

  /** Why connections wait in vain, as far as is known. */
  get fault(): Fault {
    if (!this.heard && this.unread >= UNREAD_POINTS) return Fault.NoEarlyData;
    return !this.heardHello && this.serverFirst >= SERVER_FIRST ? Fault.ServerFirst : Fault.None;
  }

  /** Reports whether to hold the next connection. Counts it if connections wait in vain. */
  admitNext(): bool {
    return this.fault == Fault.None || this.probing.takeTurn();
  }

  /** Lets connections go on that have waited too long. Leaves another context than the root's behind if it did. */
  tick(nowNanoseconds: u64): void {
    // When the wait is known to be in vain, all that wait go on at once.
    const release = this.fault != Fault.None && !this.hasReleased;
    if (release) this.hasReleased = true;
    const queue = this.queue;
    while (queue.length > 0 && (release || queue.since + MAX_WAIT_NANOSECONDS <= nowNanoseconds)) {
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

/** Lets a connection go on that still waits; reports whether none of its bytes had come. */
function letGoOn(contextNumber: u32): bool {
  const context = findContext(contextNumber);
  if (!context || context.state == FINISHED) return false;
  const isFresh = (context.state & FRESH) != 0;
  if (isFresh) {
    if ((context.state & WAITS) == 0) return false;
    context.state = FRESH | LET_GO | PROMPT;
  } else {
    const connection = changetype<ObservedConnection>(context.state);
    // A held one has its ClientHello, and goes on when decisions are in.
    if (!connection.waits || connection.isHeld) return false;
    connection.waits = false;
    connection.fed = 0;
  }
  enter(contextNumber);
  continueConnection();
  return isFresh;
}

const MAX_WAIT_NANOSECONDS: u64 = 1_000_000_000;
const PROMPT_NANOSECONDS: u64 = 250_000_000;
/** Three prompt ones, or two dozen later ones. */
const UNREAD_POINTS: u32 = 24;
const PROMPT_POINTS: u32 = 8;
const SERVER_FIRST: u32 = 3;
