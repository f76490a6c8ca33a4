/**
 * The TLS observer: a network filter in front of tcp_proxy that follows each handshake and tells the cache what it saw.
 *
 * It touches traffic in two cases, both of a session that must not resume. When a server accepts one, its answer is
 * replaced by a fatal alert, which makes the client forget the session (RFC 5246 7.2.2), and the connection is closed
 * on the next tick, so that the alert arrives first. And early data behind a PSK that would be refused is dropped: the
 * server must not act on it (RFC 8446 4.2.10: a client whose early data is not accepted sends it again). All else goes
 * through, untouched and at once; whatever cannot be followed is counted and goes through.
 *
 * Where it steers, a connection waits at the host until its ClientHello is in, and its upstream is chosen then: by a text
 * for Envoy to hash, or by the host's address. What is no TLS goes on with its first byte, what is too long or too slow goes
 * on without a choice.
 *
 * State of a connection: FRESH until its first byte, then the address of its `ObservedConnection`, FINISHED once there
 * is nothing left to learn. Cost of a chunk: one copy of its bytes in windows of 16 KiB while the handshake lasts,
 * nothing afterwards.
 */
import { Config, validateObserver } from "../config/config";
import { encodeHex } from "../bytes/hex";
import { Action, BufferType } from "../host/abi";
import { closeConnection, copyBytes, FilterState } from "../host/connection";
import { prependBytes, replaceBytes, truncateBytes } from "../host/connection";
import { findContext } from "../host/contexts";
import { HostLog } from "../host/host_log";
import { lastingBytes } from "../host/memory";
import { enter, tickEvery } from "../host/http_stream";
import { PropertyPath } from "../host/properties";
import { FINISHED, TICK_MILLISECONDS } from "../host/roots";
import { LogLevel } from "../ports/log";
import { Observation } from "../session/observation";
import { Verdict } from "../session/refusal";
import { Metric } from "../session/statistics";
import { SteeringMode } from "../steering/modes";
import { sourceOf, Steering } from "../steering/steering";
import { Direction, Event, Handshake } from "../tls/handshake";
import { AccessLog } from "./access_log";
import { CacheFilter } from "./cache_filter";
import { ConnectionQueue } from "./connection_queue";
import { FRESH, ObservedConnection, WAITS } from "./observed_connection";
import { SentConnections } from "./sent_connections";
import { SharedCache } from "./shared_cache";
import { WaitingConnections } from "./waiting_connections";

export class Observer extends CacheFilter {
  private observation: Observation | null = null;
  /** Connections that are to be closed on the next tick. */
  private readonly closing: ConnectionQueue = new ConnectionQueue();
  private steering: Steering | null = null;
  private accessLog: AccessLog | null = null;
  private readonly waiting: WaitingConnections = new WaitingConnections();
  /** Null where hosts are hashed to and not named. */
  private sent: SentConnections | null = null;
  /** Name of the cluster that tcp_proxy balances over, empty where it is not told. */
  private cluster: usize = 0;
  private clusterLength: i32 = 0;
  /** Name of the cluster that connects to the host which the filter names. */
  private exactCluster: usize = 0;
  private exactClusterLength: i32 = 0;
  private ticksSoon: bool = false;
  private saidDeaf: bool = false;

  constructor(private readonly rootContext: u32) {
    super("observer");
  }

  tick(): void {
    super.tick();
    const shared = this.shared;
    const steering = this.steering;
    if (shared && steering) {
      const now = shared.cache.clock.nowNanoseconds();
      this.waiting.end(now);
      const sent = this.sent;
      if (sent) sent.tick(steering, now);
      if (this.waiting.isDeaf && !this.saidDeaf) this.sayDeaf();
    }
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
    const steering = this.steering;
    if (steering) steering.free();
    const sent = this.sent;
    if (sent) sent.free();
    this.waiting.free();
    this.closing.free();
    this.steering = null;
    this.sent = null;
    this.observation = null;
    super.free();
  }

  connectionOpened(context: u32): usize {
    const shared = this.shared;
    if (!shared) return FINISHED;
    // Odd, so that it is no address; it carries the context to the first byte.
    const state = ((<usize>context) << 2) | FRESH;
    if (!this.steering || !this.waiting.holdsNext()) return state;
    this.waiting.add(context, shared.cache.clock.nowNanoseconds());
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
    if (fresh) {
      connection.waits = (state & WAITS) != 0;
      if (connection.waits) this.waiting.hear();
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
    this.observation = new Observation(shared.cache);
    this.accessLog = config.accessLog ? new AccessLog() : null;
    if (config.steering != SteeringMode.Off) this.openSteering(shared, config);
  }

  private openSteering(shared: SharedCache, config: Config): void {
    const exact = config.steering == SteeringMode.Exact;
    const steering = new Steering(shared.cache, shared.store, config.cluster, config.steeringBySource, exact);
    for (let i = 0; i < config.upstreams.length; i++) {
      const address = String.UTF8.encode(config.upstreams[i]);
      steering.configure(changetype<usize>(address), address.byteLength);
    }
    this.steering = steering;
    this.cluster = lastingBytes(config.cluster);
    this.clusterLength = config.cluster.length;
    if (!exact) return;
    this.exactCluster = lastingBytes(config.exactCluster);
    this.exactClusterLength = config.exactCluster.length;
    this.sent = new SentConnections(CLUSTER, this.cluster, this.clusterLength);
  }

  private sayDeaf(): void {
    this.saidDeaf = true;
    new HostLog().write(LogLevel.Error, NO_EARLY_DATA);
  }

  /** Bytes of the client; false once there is nothing left to learn. */
  private clientSeen(observation: Observation, connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    const handshake = connection.handshake;
    if (!handshake) return false;
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
        } else if (event != Event.NeedMore && !this.goesOn(observation, handshake, event)) {
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
    const steering = this.steering;
    if (!steering) return;
    const sourceLength = SOURCE_ADDRESS.read(SOURCE, SOURCE_CAPACITY);
    connection.source = sourceLength > 0 ? sourceOf(SOURCE, sourceLength, handshake) : 0;
    steering.choose(handshake, connection.source, observation.firstOffer(handshake));
    connection.token = steering.token;
    if (steering.hashes) {
      store<u64>(CHOICE, steering.text);
      encodeHex(CHOICE, 8, CHOICE_TEXT);
      HASHABLE.set(CHOICE_TEXT, 16);
    }
    if (steering.namesHost) this.send(connection, steering);
  }

  /** Sends a connection to the one host that was chosen. */
  private send(connection: ObservedConnection, steering: Steering): void {
    const shared = this.shared;
    const sent = this.sent;
    if (!shared || !sent) return;
    const upstream = steering.upstream;
    const tokens = steering.tokens;
    if (!HOST.set(tokens.addressOf(upstream), tokens.addressLengthOf(upstream))) return;
    if (!CLUSTER.set(this.exactCluster, this.exactClusterLength)) return;
    connection.wanted = upstream;
    sent.add(connection.context, upstream, shared.cache.clock.nowNanoseconds());
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
        } else if (event != Event.NeedMore && !this.goesOn(observation, handshake, event)) {
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

  /** Whether the connection at hand went to the cluster that steering is for: what others teach is not true of it. */
  private isOfCluster(): bool {
    if (this.clusterLength == 0) return true;
    const length = CLUSTER_NAME.read(NAME, NAME_CAPACITY);
    if (length < 0) return true;
    if (length == this.clusterLength && memory.compare(NAME, this.cluster, length) == 0) return true;
    return length == this.exactClusterLength && memory.compare(NAME, this.exactCluster, length) == 0;
  }

  private refuses(observation: Observation, connection: ObservedConnection, handshake: Handshake): bool {
    const upstreamLength = UPSTREAM_ADDRESS.read(UPSTREAM, UPSTREAM_CAPACITY);
    const steering = this.steering;
    if (steering && this.isOfCluster()) {
      const wanted = connection.wanted;
      steering.answered(handshake, connection.token, wanted, connection.source, UPSTREAM, upstreamLength);
    }
    const verdict = observation.serverHello(handshake, UPSTREAM, upstreamLength, !connection.passes);
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
  private goesOn(observation: Observation, handshake: Handshake, event: Event): bool {
    switch (event) {
      case Event.Complete:
        observation.complete(handshake, UPSTREAM, UPSTREAM_ADDRESS.read(UPSTREAM, UPSTREAM_CAPACITY));
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

/** Longer than any ClientHello that is read. */
const MAX_WAITING_BYTES: i32 = 16384;
/** Address of the client of the connection at hand. */
const SOURCE_ADDRESS = new PropertyPath("source.address");
const SOURCE_CAPACITY: i32 = 64;
const SOURCE: usize = memory.data(64);
/** The cluster that the connection at hand went to; there is one once its bytes have come. */
const CLUSTER_NAME = new PropertyPath("xds.cluster_name");
const NAME_CAPACITY: i32 = 128;
const NAME: usize = memory.data(128);
const CHOICE: usize = memory.data(8, 8);
const CHOICE_TEXT: usize = memory.data(16);
const WINDOW_SIZE: i32 = 16384;
const WINDOW: usize = memory.data(16384, 8);
const SOON_MILLISECONDS: u32 = 5;
/** What tcp_proxy reads: the text to hash, the cluster, and the host of a cluster of the type ORIGINAL_DST. */
const HASHABLE = new FilterState("envoy.hashable_string");
const CLUSTER = new FilterState("envoy.tcp_proxy.cluster");
const HOST = new FilterState("envoy.network.transport_socket.original_dst_address");
/** Address of the upstream host of the connection at hand; there is one once its bytes have come. */
const UPSTREAM_ADDRESS = new PropertyPath("upstream.address");
const UPSTREAM_CAPACITY: i32 = 128;
const UPSTREAM: usize = memory.data(128);
const NO_EARLY_DATA: string =
  "steering: connections had to wait for nothing, so they are no longer held, and nothing is steered: tcp_proxy does not " +
  "read before it has connected; set max_early_data_bytes: 16384 on it";
/** A record of the type alert: fatal, handshake_failure (RFC 8446 6, RFC 5246 7.2). */
const ALERT_SIZE: i32 = 7;
const ALERT: usize = memory.data<u8>([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]);
