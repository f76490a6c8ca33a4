/**
 * What becomes of a server's answer: it waits here until it can be judged, goes on, or is replaced by a refusal
 * (`refusal_answer.ts`), after which nothing goes either way and the connection is closed on the next tick. So the alert
 * arrives first.
 */
import { Config } from "../../config/config";
import { BufferType } from "../../host/abi";
import { copyBytes, prependBytes, removeBytes, replaceBytes } from "../../host/connection/connection";
import { findContext } from "../../host/contexts";
import { enter } from "../../host/effective_context";
import { Handshake } from "../../tls/handshake";
import { ConnectionQueue } from "../connection/connection_queue";
import { ObservedConnection } from "../connection/observed_connection";
import { HostFailures } from "./host_failures";
import { RefusalAnswer, SERVER_BYTES_CAPACITY } from "./refusal_answer";
import { RootTicks } from "./root_ticks";

export class AnswerGate {
  private readonly answer: RefusalAnswer = new RefusalAnswer();
  /** Refused connections that are to be closed on the next tick. */
  private readonly closing: ConnectionQueue = new ConnectionQueue();

  constructor(
    private readonly failures: HostFailures,
    private readonly ticks: RootTicks,
    config: Config,
  ) {
    this.answer.choose(config.legacyAlert, config.modernAlert, config.refusalPlace);
  }

  free(): void {
    this.closing.free();
  }

  /** Closes refused connections. Leaves another context than the root's behind. */
  tick(): void {
    const closing = this.closing;
    while (closing.length > 0) {
      const context = closing.context;
      closing.shift();
      if (!findContext(context)) continue;
      if (enter(context)) this.failures.close();
      else this.failures.note("proxy_set_effective_context");
    }
  }

  /** Takes the server's `length` bytes out of the host's buffer; false if they are too many, or a host call fails. */
  holdBack(connection: ObservedConnection, length: i32): bool {
    const room = connection.hold(length);
    if (room == 0) return false;
    if (!copyBytes(BufferType.UPSTREAM_DATA, 0, length, room)) {
      return this.failures.end(connection, "proxy_get_buffer_bytes");
    }
    return removeBytes(BufferType.UPSTREAM_DATA, length) || this.failures.end(connection, "proxy_set_buffer_bytes");
  }

  /** Puts the bytes that were held back in front of the server's current ones. */
  giveBack(connection: ObservedConnection): void {
    if (!prependBytes(BufferType.UPSTREAM_DATA, connection.held, connection.heldLength)) {
      this.failures.end(connection, "proxy_set_buffer_bytes");
    }
    connection.releaseHeld();
  }

  /** Replaces the server's answer, of which `length` bytes are with the host, and has the connection closed. */
  refuse(connection: ObservedConnection, handshake: Handshake, length: i32): void {
    connection.refused = true;
    const answer = this.answer;
    answer.make(handshake.decided ? handshake.version : 0, SERVER_BYTES, this.copyFlight(connection, length));
    connection.releaseHeld();
    if (!replaceBytes(BufferType.UPSTREAM_DATA, length, answer.start, answer.length)) {
      this.failures.end(connection, "proxy_set_buffer_bytes");
      return;
    }
    this.closing.push(connection.context, 0, 0);
    this.ticks.bringForwardFrom(connection.context);
  }

  /** Drops bytes of a refused connection. */
  swallow(connection: ObservedConnection, buffer: i32, length: i32): void {
    if (length > 0 && !removeBytes(buffer, length)) this.failures.end(connection, "proxy_set_buffer_bytes");
  }

  /** Copies the beginning of the server's flight, held back or with the host, to SERVER_BYTES; returns its length. */
  private copyFlight(connection: ObservedConnection, length: i32): i32 {
    const held = min(connection.heldLength, SERVER_BYTES_CAPACITY);
    memory.copy(SERVER_BYTES, connection.held, held);
    const fresh = min(length, SERVER_BYTES_CAPACITY - held);
    if (fresh == 0) return held;
    return copyBytes(BufferType.UPSTREAM_DATA, 0, fresh, SERVER_BYTES + <usize>held) ? held + fresh : held;
  }
}

const SERVER_BYTES: usize = memory.data(SERVER_BYTES_CAPACITY, 8);
