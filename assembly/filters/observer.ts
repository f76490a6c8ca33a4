/**
 * The TLS observer: a network filter in front of tcp_proxy that follows each handshake and tells the cache what it saw.
 *
 * It touches traffic in two cases, both of a session that must not resume. When a server accepts one, its answer is
 * replaced by a fatal alert, which makes the client forget the session (RFC 5246 7.2.2), and the connection is closed
 * on the next tick, so that the alert arrives first. And early data behind a PSK that would be refused is dropped: the
 * server must not act on it (RFC 8446 4.2.10: a client whose early data is not accepted sends it again). All else goes
 * through, untouched and at once; whatever cannot be followed is counted and goes through.
 *
 * Where it steers (`upstream_choice.ts`), a connection waits at the host until its ClientHello is in. What is no TLS goes on
 * with its first byte, what is too long or too slow goes on without a choice.
 *
 * State of a connection: FRESH until its first byte, then the address of its `ObservedConnection`, FINISHED once there
 * is nothing left to learn. Cost of a chunk: one copy of its bytes in windows of 16 KiB while the handshake lasts, but for
 * a client's Finished, which is told by its length; nothing afterwards.
 */
import { Config, validateObserver } from "../config/config";
import { Action, BufferType } from "../host/abi";
import { closeConnection, copyBytes } from "../host/connection";
import { prependBytes, replaceBytes, truncateBytes } from "../host/connection";
import { findContext } from "../host/contexts";
import { enter, tickEvery } from "../host/http_stream";
import { UPSTREAM } from "../host/peer_property";
import { FINISHED, TICK_MILLISECONDS } from "../host/roots";
import { Observation } from "../session/observation";
import { Verdict } from "../session/refusal";
import { Metric } from "../session/statistics";
import { SteeringMode } from "../steering/modes";
import { Direction, Event, Handshake } from "../tls/handshake";
import { AccessLog } from "./access_log";
import { CacheFilter } from "./cache_filter";
import { ConnectionQueue } from "./connection_queue";
import { FRESH, ObservedConnection, WAITS } from "./observed_connection";
import { Sampling } from "./sampling";
import { SharedCache } from "./shared_cache";
import { UpstreamChoice } from "./upstream_choice";

export class Observer extends CacheFilter {
  private observation: Observation | null = null;
  /** Connections that are to be closed on the next tick. */
  private readonly closing: ConnectionQueue = new ConnectionQueue();
  private accessLog: AccessLog | null = null;
  /** Null where nothing is steered. */
  private upstreamChoice: UpstreamChoice | null = null;
  private readonly sampling: Sampling = new Sampling();
  private ticksSoon: bool = false;

  constructor(private readonly rootContext: u32) {
    super("observer");
  }

  tick(): void {
    super.tick();
    this.sampling.tick();
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.tick();
    while (this.closing.length > 0) {
      const context = this.closing.context;
      this.closing.shift();
      if (!findContext(context)) continue;
      enter(context);
      closeConnection();
    }
    enter(this.rootContext);
    if (!this.ticksSoon) return;
    this.ticksSoon = false;
    tickEvery(TICK_MILLISECONDS);
  }

  free(): void {
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.free();
    this.closing.free();
    this.upstreamChoice = null;
    this.observation = null;
    super.free();
  }

  connectionOpened(context: u32): usize {
    if (!this.shared) return FINISHED;
    // Odd, so that it is no address; it carries the context to the first byte.
    const state = ((<usize>context) << 2) | FRESH;
    const upstreamChoice = this.upstreamChoice;
    if (!upstreamChoice || !upstreamChoice.holds(context)) return state;
    this.action = Action.STOP_ITERATION;
    return state | WAITS;
  }

  dataSeen(state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    const observation = this.observation;
    if (!observation || (length == 0 && (state & FRESH) != 0)) return state;
    const fresh = (state & FRESH) != 0;
    const connection = fresh
      ? ObservedConnection.create(<u32>(state >> 2))
      : changetype<ObservedConnection | null>(state);
    if (!connection) {
      this.count(Metric.UNWATCHED);
      return FINISHED;
    }
    const upstreamChoice = this.upstreamChoice;
    if (fresh && upstreamChoice && (state & WAITS) != 0) {
      connection.waits = true;
      upstreamChoice.hear();
    }
    if (connection.refused) {
      truncateBytes(buffer, 0, length);
      return changetype<usize>(connection);
    }
    const watched =
      buffer == BufferType.DOWNSTREAM_DATA
        ? this.clientSeen(observation, connection, length, endOfStream)
        : this.serverSeen(observation, connection, length, endOfStream);
    if (watched) return changetype<usize>(connection);
    const handshake = connection.handshake;
    if (handshake && !connection.refused) this.ended(observation, handshake);
    if (connection.refused) {
      connection.forgetHandshake();
      return changetype<usize>(connection);
    }
    if (connection.heldLength > 0) {
      // What the server has sent so far can only go on with bytes of the server.
      if (buffer == BufferType.DOWNSTREAM_DATA) {
        connection.forgetHandshake();
        return changetype<usize>(connection);
      }
      prependBytes(buffer, connection.held, connection.heldLength);
    }
    connection.free();
    return FINISHED;
  }

  connectionClosed(state: usize): void {
    if ((state & FRESH) != 0) return;
    const connection = changetype<ObservedConnection>(state);
    const observation = this.observation;
    const handshake = connection.handshake;
    if (observation && handshake) this.ended(observation, handshake);
    connection.free();
  }

  protected refusalOf(config: Config): string {
    return validateObserver(config);
  }

  protected opened(shared: SharedCache, config: Config): void {
    this.observation = new Observation(shared.cache, UPSTREAM);
    this.accessLog = config.accessLog ? new AccessLog() : null;
    this.upstreamChoice = config.steering == SteeringMode.Off ? null : new UpstreamChoice(shared, config);
  }

  /** Bytes of the client; false once there is nothing left to learn. */
  private clientSeen(observation: Observation, connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    const handshake = connection.handshake;
    if (!handshake) return false;
    if (!connection.dropsEarlyData && handshake.completesUnread(length)) {
      return this.goesOn(observation, connection, handshake, Event.Complete);
    }
    // A HelloRetryRequest declines early data as well, and a second ClientHello follows it (RFC 8446 4.2.10).
    const declined = connection.answered || handshake.retried;
    // Where early data begins to be dropped in this chunk, and how much of it was dropped from its beginning.
    let dropFrom = connection.dropsEarlyData && !declined ? 0 : length;
    let dropped = 0;
    for (let offset = connection.fed; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.DOWNSTREAM_DATA, offset, size, WINDOW)) return this.unwatched();
      let position = 0;
      while (position < size) {
        if (connection.dropsEarlyData && declined) {
          // The server has declined it: what comes after the record at hand is for it to see.
          if (!handshake.partial(Direction.Downstream)) {
            connection.dropsEarlyData = false;
            dropped = offset + position;
            continue;
          }
          const ignored = handshake.feed(Direction.Downstream, WINDOW + <usize>position, 1);
          if (ignored > Event.ServerHello) return false;
          position += handshake.consumed;
          continue;
        }
        const event = handshake.feed(Direction.Downstream, WINDOW + <usize>position, size - position);
        position += handshake.consumed;
        if (event == Event.ClientHello) {
          if (!handshake.retried) observation.clientHello();
          if (connection.waits) this.steer(observation, connection, handshake);
          if (observation.dropsEarlyData(handshake)) {
            connection.dropsEarlyData = true;
            dropFrom = offset + position;
          }
        } else if (event != Event.NeedMore && !this.goesOn(observation, connection, handshake, event)) {
          return false;
        }
      }
    }
    if (this.keepsWaiting(connection, length, endOfStream)) return true;
    if (connection.dropsEarlyData && declined) dropped = length;
    if (dropped > 0) replaceBytes(BufferType.DOWNSTREAM_DATA, dropped, 0, 0);
    else if (dropFrom < length) truncateBytes(BufferType.DOWNSTREAM_DATA, dropFrom, length);
    return true;
  }

  /** Chooses the upstream of a connection whose ClientHello is in. */
  private steer(observation: Observation, connection: ObservedConnection, handshake: Handshake): void {
    connection.waits = false;
    const upstreamChoice = this.upstreamChoice;
    if (!upstreamChoice) return;
    if (upstreamChoice.choose(connection, handshake, observation.firstOffer(handshake)))
      this.tickSoon(connection.context);
  }

  /** The next tick is to come soon; `context` is the one at hand. */
  private tickSoon(context: u32): void {
    this.ticksSoon = true;
    enter(this.rootContext);
    tickEvery(SOON_MILLISECONDS);
    enter(context);
  }

  /** Whether a connection goes on waiting for its ClientHello; what is too long goes on without a choice. */
  private keepsWaiting(connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    if (!connection.waits || endOfStream || length >= MAX_WAITING_BYTES) {
      connection.waits = false;
      connection.fed = 0;
      return false;
    }
    connection.fed = length;
    this.action = Action.STOP_ITERATION;
    return true;
  }

  /** Bytes of the server; false once there is nothing left to learn. */
  private serverSeen(observation: Observation, connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    const handshake = connection.handshake;
    if (!handshake) return false;
    for (let offset = 0; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.UPSTREAM_DATA, offset, size, WINDOW)) return this.unwatched();
      let position = 0;
      while (position < size) {
        const event = handshake.feed(Direction.Upstream, WINDOW + <usize>position, size - position);
        position += handshake.consumed;
        if (event == Event.ServerHello) {
          connection.answered = true;
          if (this.refuses(observation, connection, handshake)) {
            this.refuse(connection, length);
            return false;
          }
        } else if (event != Event.NeedMore && !this.goesOn(observation, connection, handshake, event)) {
          return false;
        }
      }
    }
    const midway = handshake.undecided || handshake.partial(Direction.Upstream);
    if (!connection.answered && !connection.passes && midway && !endOfStream) {
      // What would resume if it were accepted goes through at once; a removal from now on is for the next handshake.
      connection.passes = connection.heldLength == 0 && !observation.wouldRefuse(handshake);
      if (!connection.passes && this.holdBack(connection, length)) return true;
    }
    if (connection.heldLength > 0) {
      prependBytes(BufferType.UPSTREAM_DATA, connection.held, connection.heldLength);
      connection.releaseHeld();
    }
    return true;
  }

  private refuses(observation: Observation, connection: ObservedConnection, handshake: Handshake): bool {
    connection.sampled = handshake.acceptedKind == 0 || this.sampling.takesNext();
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.answered(connection, handshake);
    const verdict = observation.serverHello(handshake, !connection.passes, connection.sampled);
    const log = this.accessLog;
    if (log) log.answered(observation, handshake, verdict);
    return verdict != Verdict.Resume;
  }

  /** The watching of a handshake has ended, and it was not refused. */
  private ended(observation: Observation, handshake: Handshake): void {
    observation.ended(handshake);
    const log = this.accessLog;
    if (log) log.ended(handshake);
  }

  /** Lets the client see an alert in the place of the server's answer, and closes when it has. */
  private refuse(connection: ObservedConnection, length: i32): void {
    connection.refused = true;
    connection.releaseHeld();
    replaceBytes(BufferType.UPSTREAM_DATA, length, ALERT, ALERT_SIZE);
    this.closing.push(connection.context, 0, 0);
    this.tickSoon(connection.context);
  }

  /** Takes the server's bytes out of the host's buffer until its answer is whole. */
  private holdBack(connection: ObservedConnection, length: i32): bool {
    const room = connection.hold(length);
    if (room == 0) return false;
    copyBytes(BufferType.UPSTREAM_DATA, 0, length, room);
    truncateBytes(BufferType.UPSTREAM_DATA, 0, length);
    return true;
  }

  /** Events that are the same for both directions; false where the watching ends. */
  private goesOn(observation: Observation, connection: ObservedConnection, handshake: Handshake, event: Event): bool {
    switch (event) {
      case Event.Complete:
        observation.complete(handshake, connection.sampled);
        return false;
      case Event.NotTls:
        this.count(Metric.NOT_TLS);
        return false;
      case Event.Malformed:
        this.count(Metric.PARSE_ERRORS + <i32>handshake.error);
        return false;
      case Event.Failed:
        return false;
      default:
        return true;
    }
  }

  private unwatched(): bool {
    this.count(Metric.UNWATCHED);
    return false;
  }

  private count(metric: i32): void {
    const shared = this.shared;
    if (shared) shared.cache.metrics.increase(metric, 1);
  }
}

/** The most that is held at the host; a ClientHello that is longer goes on without a choice. */
const MAX_WAITING_BYTES: i32 = 16384;
const WINDOW_SIZE: i32 = 16384;
const WINDOW: usize = memory.data(16384, 8);
const SOON_MILLISECONDS: u32 = 5;
/** A record of the type alert: fatal, handshake_failure (RFC 8446 6, RFC 5246 7.2). */
const ALERT_SIZE: i32 = 7;
const ALERT: usize = memory.data<u8>([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
