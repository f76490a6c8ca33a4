/**
 * The TLS observer: a network filter in front of tcp_proxy that follows each handshake and tells the cache what it saw.
 *
 * It touches traffic in three cases, all of what must not resume. When a server accepts such a session, its answer is
 * replaced by a fatal alert (`refusal_answer.ts`), upon which clients forget the session (RFC 5246 7.2.2), and the connection is closed
 * on the next tick, so that the alert arrives first. Early data behind a PSK that would be refused is dropped: the
 * server must not act on it (RFC 8446 4.2.10: a client whose early data is not accepted sends it again). And a renegotiation, in
 * which nobody here sees what resumes, ends its connection where that is asked for. All else goes through, untouched and at once.
 *
 * The server's answer decides. Whatever a client sends, the watching goes on up to there; an acceptance of what could not be followed
 * is refused, a full handshake never is. A host call that fails on that way closes the connection, and is counted.
 *
 * Where it steers (`upstream_choice.ts`), a connection waits at the host until its ClientHello is in. What is no TLS goes on
 * with its first byte, what is too long or too slow goes on without a choice.
 *
 * State of a connection: FRESH until its first byte, then the address of its `ObservedConnection`, FINISHED once there
 * is nothing left to learn. Cost of a chunk: one copy of its bytes in windows of 16 KiB while the handshake lasts, but for
 * a client's Finished in TLS 1.3, which is told by its length. Afterwards, of a client in TLS 1.2 and before, one copy of five bytes for each record;
 * nothing else.
 */
import { Config, validateObserver } from "../../config/config";
import { Action, BufferType } from "../../host/abi";
import { closeConnection, copyBytes, missingCapability } from "../../host/connection/connection";
import { prependBytes, replaceBytes } from "../../host/connection/connection";
import { findContext } from "../../host/contexts";
import { HostLog } from "../../host/adapters/host_log";
import { enter, tickEvery } from "../../host/http_stream";
import { SOURCE, UPSTREAM } from "../../host/adapters/peer_property";
import { FINISHED, TICK_MILLISECONDS } from "../../host/roots";
import { LogLevel } from "../../ports/log";
import { Enforcement } from "../../session/settings/enforcement";
import { Observation } from "../../resumption/observation";
import { Verdict } from "../../resumption/refusal";
import { Metric } from "../../session/counting/statistics";
import { SteeringMode } from "../../steering/setup/modes";
import { Direction, Event, Handshake } from "../../tls/handshake";
import { ParseError } from "../../tls/wire/parse_error";
import { AccessLog } from "./access_log";
import { CacheFilter } from "../cache/cache_filter";
import { ConnectionQueue } from "../connection/connection_queue";
import { tellSteeringLimit } from "../cache/host_limits";
import { KeptBytes } from "../connection/kept_bytes";
import { FRESH, ObservedConnection, WAITS } from "../connection/observed_connection";
import { RefusalAnswer, SERVER_BYTES_MAX } from "./refusal_answer";
import { Sampling } from "../../resumption/sampling";
import { SharedCache } from "../cache/shared_cache";
import { reportNoSteering } from "../steering/steering_setup";
import { UpstreamChoice } from "../steering/upstream_choice";

export class Observer extends CacheFilter {
  private observation: Observation | null = null;
  /** Connections that are to be closed on the next tick. */
  private readonly closing: ConnectionQueue = new ConnectionQueue();
  private readonly kept: KeptBytes = new KeptBytes();
  private readonly answer: RefusalAnswer = new RefusalAnswer();
  private accessLog: AccessLog | null = null;
  /** Null where nothing is steered. */
  private upstreamChoice: UpstreamChoice | null = null;
  private readonly sampling: Sampling = new Sampling();
  private ticksSoon: bool = false;
  /** Under `revoked`, a renegotiation ends its connection. */
  private closesRenegotiations: bool = true;
  /** Of the client's chunk that was read last: bytes behind the end of the watching, and how many bytes of it go on. */
  private unread: i32 = 0;
  private goesOnTo: i32 = 0;
  private saidFailed: bool = false;
  private saidRenegotiation: bool = false;

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
      if (!enter(context)) this.callFailed("proxy_set_effective_context");
      else if (!closeConnection()) this.callFailed("proxy_close_stream");
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
    const shared = this.shared;
    if (!shared) return FINISHED;
    if (!shared.inForce) shared.claim();
    const upstreamChoice = this.upstreamChoice;
    if (!upstreamChoice || !upstreamChoice.holds(context)) return FRESH;
    this.action = Action.STOP_ITERATION;
    return FRESH | WAITS;
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const shared = this.shared;
    if (shared) shared.misplaced(ON_HTTP);
    return Action.CONTINUE;
  }

  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    const observation = this.observation;
    const fresh = (state & FRESH) != 0;
    if (!observation || (length == 0 && fresh)) return state;
    const connection = fresh ? this.begin(context, state, buffer) : changetype<ObservedConnection | null>(state);
    if (!connection) return FINISHED;
    if (connection.refused) {
      this.swallow(connection, buffer, length);
    } else if (connection.follows) {
      if (buffer == BufferType.DOWNSTREAM_DATA) return this.follow(connection, 0, length);
    } else {
      const watched =
        buffer == BufferType.DOWNSTREAM_DATA
          ? this.clientSeen(observation, connection, length, endOfStream)
          : this.serverSeen(observation, connection, length, endOfStream);
      if (!watched) {
        const next = this.leave(observation, connection, buffer);
        return next != FINISHED && buffer == BufferType.DOWNSTREAM_DATA ? this.followRest(connection) : next;
      }
    }
    return changetype<usize>(connection);
  }

  connectionClosed(state: usize): void {
    if ((state & FRESH) != 0) return;
    const connection = changetype<ObservedConnection>(state);
    const observation = this.observation;
    const handshake = connection.handshake;
    if (observation && handshake && !connection.refused) this.ended(observation, connection, handshake);
    connection.free();
  }

  protected refusalOf(config: Config): string {
    const refusal = validateObserver(config);
    if (refusal.length > 0 || config.enforcement == <i64>Enforcement.OBSERVE) return refusal;
    const missing = missingCapability();
    return missing.length == 0 ? "" : FORBIDDEN + missing + ALLOW;
  }

  protected opened(shared: SharedCache, config: Config): void {
    this.observation = new Observation(shared.cache, UPSTREAM, config.decryptsHellos, SOURCE);
    this.accessLog = config.accessLog ? new AccessLog() : null;
    if (config.steering != SteeringMode.Off) this.upstreamChoice = new UpstreamChoice(shared, config);
    else reportNoSteering(shared, config);
    tellSteeringLimit(config.steering, config.steeringBySource, shared.store);
    if (config.steering == SteeringMode.Exact) {
      // No host is named before the first tick, which sees that its cluster is there.
      this.ticksSoon = true;
      tickEvery(SOON_MILLISECONDS);
    }
    this.closesRenegotiations = config.closesRenegotiations;
    this.answer.choose(config.legacyAlert, config.modernAlert, config.refusalPlace);
  }

  /** Begins to watch a connection, with its first byte; null where that cannot be. */
  private begin(context: u32, state: usize, buffer: i32): ObservedConnection | null {
    const connection = ObservedConnection.create(context);
    const handshake = connection ? connection.handshake : null;
    if (!handshake || handshake.small) this.count(Metric.UNWATCHED);
    if (!connection) {
      // So many at once that there is no room to read a server's answer: nobody could say whether this one resumes.
      if (this.enforces() && !closeConnection()) this.callFailed("proxy_close_stream");
      return null;
    }
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) {
      connection.waits = (state & WAITS) != 0;
      upstreamChoice.hear(state, buffer == BufferType.UPSTREAM_DATA);
    }
    return connection;
  }

  /** Nothing more is to be learned of a handshake: answers the next state of its connection. */
  private leave(observation: Observation, connection: ObservedConnection, buffer: i32): usize {
    const handshake = connection.handshake;
    if (connection.refused) {
      connection.forgetHandshake();
      return changetype<usize>(connection);
    }
    if (handshake) this.ended(observation, connection, handshake);
    if (connection.heldLength > 0) {
      // What the server has sent so far can only go on with bytes of the server.
      if (buffer == BufferType.DOWNSTREAM_DATA) {
        connection.forgetHandshake();
        return changetype<usize>(connection);
      }
      this.giveBack(connection);
    }
    connection.follows = handshake != null && handshake.handOver(connection.follower);
    connection.forgetHandshake();
    if (connection.follows || connection.refused) return changetype<usize>(connection);
    connection.free();
    return FINISHED;
  }

  /** Bytes of the client; false once there is nothing left to learn. */
  private clientSeen(observation: Observation, connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    const handshake = connection.handshake;
    this.unread = 0;
    if (!handshake) return false;
    if (!connection.dropsEarlyData && handshake.completeUnread(length)) {
      return this.goesOn(observation, connection, handshake, Event.Complete);
    }
    const kept = this.kept;
    if (connection.dropsEarlyData) kept.begin(BufferType.DOWNSTREAM_DATA, 0, length);
    const watched = this.readClient(observation, connection, handshake, length);
    this.goesOnTo = kept.active ? kept.length : length;
    if (kept.active && !kept.putBack(length)) return this.fail(connection, "proxy_set_buffer_bytes");
    if (watched) this.waitFurther(connection, length, endOfStream);
    return watched;
  }

  /** Reads a chunk of the client; false once there is nothing left to learn. What is kept of it is whole in any case. */
  private readClient(
    observation: Observation,
    connection: ObservedConnection,
    handshake: Handshake,
    length: i32,
  ): bool {
    const kept = this.kept;
    let watched = true;
    for (let offset = connection.fed; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.DOWNSTREAM_DATA, offset, size, WINDOW)) {
        return this.fail(connection, "proxy_get_buffer_bytes");
      }
      let position = 0;
      while (position < size) {
        const bytes = WINDOW + <usize>position;
        const left = size - position;
        if (!watched) {
          kept.add(bytes, left);
          break;
        }
        const event = this.feedClient(connection, handshake, bytes, left);
        position += handshake.consumed;
        if (event == Event.ClientHello) this.helloSeen(observation, connection, handshake, offset + position, length);
        else if (event != Event.NeedMore) {
          watched = this.goesOn(observation, connection, handshake, event);
          if (!watched) this.unread = length - offset - position;
        }
        if (!watched && !kept.active) return false;
      }
    }
    return watched;
  }

  /** Feeds bytes of the client, and keeps those that are to go on where early data is dropped. */
  private feedClient(connection: ObservedConnection, handshake: Handshake, bytes: usize, length: i32): Event {
    // A HelloRetryRequest declines early data as well, and a second ClientHello follows it (RFC 8446 4.2.10).
    const declined = connection.answered || handshake.retried;
    if (declined && handshake.betweenRecords) connection.dropsEarlyData = false;
    const kept = this.kept;
    if (!connection.dropsEarlyData) {
      const event = handshake.feed(Direction.Downstream, bytes, length);
      if (kept.active) kept.add(bytes, handshake.consumed);
      return event;
    }
    const early = handshake.inEarlyData(load<u8>(bytes));
    const event = handshake.feedStep(bytes, length);
    if (!early) kept.add(bytes, handshake.consumed);
    else if (!connection.droppedEarlyData) {
      connection.droppedEarlyData = true;
      this.count(Metric.EARLY_DATA_DROPPED);
    }
    return event;
  }

  /** A ClientHello ends at `offset` of a chunk of `length` bytes. */
  private helloSeen(
    observation: Observation,
    connection: ObservedConnection,
    handshake: Handshake,
    offset: i32,
    length: i32,
  ): void {
    this.countUnfollowed(connection, handshake, handshake.unsure != 0);
    if (!handshake.retried) observation.clientHello();
    // What has gone through so far was no answer to this one.
    connection.passes = false;
    if (connection.waits) this.steer(observation, connection, handshake);
    if (connection.dropsEarlyData || !observation.dropsEarlyData(handshake)) return;
    connection.dropsEarlyData = true;
    if (!this.kept.begin(BufferType.DOWNSTREAM_DATA, offset, length)) this.fail(connection, "proxy_get_buffer_bytes");
  }

  /** Counts what the client's side has wrong; `unsure`: not all of its offers could be followed. */
  private countUnfollowed(connection: ObservedConnection, handshake: Handshake, unsure: bool): void {
    const error = handshake.takeUncounted();
    if (error != ParseError.None) this.count(Metric.PARSE_ERRORS + <i32>error);
    if (connection.unfollowed || (!unsure && error == ParseError.None)) return;
    connection.unfollowed = true;
    this.count(Metric.UNFOLLOWED);
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

  /** Lets a connection wait on for its ClientHello; what is too long goes on without a choice. */
  private waitFurther(connection: ObservedConnection, length: i32, endOfStream: bool): void {
    if (!connection.waits || endOfStream || length >= MAX_WAITING_BYTES) {
      connection.waits = false;
      connection.fed = 0;
      return;
    }
    connection.fed = length;
    this.action = Action.STOP_ITERATION;
  }

  /** Bytes of the server; false once there is nothing left to learn. */
  private serverSeen(observation: Observation, connection: ObservedConnection, length: i32, endOfStream: bool): bool {
    const handshake = connection.handshake;
    if (!handshake) return false;
    if (length == 0 && !endOfStream) return true;
    for (let offset = 0; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.UPSTREAM_DATA, offset, size, WINDOW)) {
        return this.fail(connection, "proxy_get_buffer_bytes");
      }
      let position = 0;
      while (position < size) {
        const event = handshake.feed(Direction.Upstream, WINDOW + <usize>position, size - position);
        position += handshake.consumed;
        if (event == Event.ServerHello) {
          if (!this.judgeAnswer(observation, connection, handshake, length)) return false;
        } else if (event != Event.NeedMore && !this.goesOn(observation, connection, handshake, event)) {
          return false;
        }
      }
    }
    return this.passAnswerOn(observation, connection, handshake, length, endOfStream);
  }

  /** Lets what a server has sent go on, or holds it back while it may yet be what must not be. */
  private passAnswerOn(
    observation: Observation,
    connection: ObservedConnection,
    handshake: Handshake,
    length: i32,
    endOfStream: bool,
  ): bool {
    const midway = handshake.undecided || handshake.partial(Direction.Upstream);
    if (!connection.answered && !connection.passes && midway && !endOfStream) {
      // What would resume if it were accepted goes through at once; a removal from now on is for the next handshake.
      connection.passes = connection.heldLength == 0 && !observation.wouldRefuse(handshake);
      if (!connection.passes) {
        if (this.holdBack(connection, length)) return true;
        if (connection.refused) return false;
        this.log(observation, handshake, observation.refuseUndecided(handshake));
        this.refuse(connection, handshake, length);
        return false;
      }
    }
    if (connection.heldLength > 0) this.giveBack(connection);
    return true;
  }

  /** The server has said whether it resumes; false where that must not be, and nothing more goes on. */
  private judgeAnswer(
    observation: Observation,
    connection: ObservedConnection,
    handshake: Handshake,
    length: i32,
  ): bool {
    connection.answered = true;
    connection.sampled = handshake.acceptedKind == 0 || this.sampling.takesNext();
    this.countUnfollowed(connection, handshake, false);
    const upstreamChoice = this.upstreamChoice;
    observation.diversion = upstreamChoice ? upstreamChoice.diversionOf(connection) : 0;
    const verdict = observation.serverHello(handshake, !connection.passes, connection.sampled);
    connection.handle = observation.handle;
    if (upstreamChoice) upstreamChoice.answered(connection, handshake);
    if (verdict == Verdict.Unfollowed) this.countUnfollowed(connection, handshake, true);
    this.log(observation, handshake, verdict);
    if (verdict != Verdict.Resume) this.refuse(connection, handshake, length);
    // Of a connection without its client's side there is nothing more to learn.
    return verdict == Verdict.Resume && !handshake.small;
  }

  private log(observation: Observation, handshake: Handshake, verdict: Verdict): void {
    const log = this.accessLog;
    if (log) log.answered(observation, handshake, verdict);
  }

  /** The watching of a handshake has ended, and it was not refused. */
  private ended(observation: Observation, connection: ObservedConnection, handshake: Handshake): void {
    if (handshake.small) return;
    observation.ended(handshake, connection.handle);
    const log = this.accessLog;
    if (log) log.ended(observation, handshake);
  }

  /** Lets the client see an alert in the place of the server's answer, and closes when it has. */
  private refuse(connection: ObservedConnection, handshake: Handshake, length: i32): void {
    connection.refused = true;
    const answer = this.answer;
    answer.make(handshake.decided ? handshake.version : 0, SERVER_BYTES, this.firstBytes(connection, length));
    connection.releaseHeld();
    if (!replaceBytes(BufferType.UPSTREAM_DATA, length, answer.start, answer.length)) {
      this.fail(connection, "proxy_set_buffer_bytes");
      return;
    }
    this.closing.push(connection.context, 0, 0);
    this.tickSoon(connection.context);
  }

  /** Copies what the server's flight begins with, held back or at hand, to SERVER_BYTES; answers how many bytes. */
  private firstBytes(connection: ObservedConnection, length: i32): i32 {
    const held = min(connection.heldLength, SERVER_BYTES_MAX);
    memory.copy(SERVER_BYTES, connection.held, held);
    const fresh = min(length, SERVER_BYTES_MAX - held);
    if (fresh == 0) return held;
    return copyBytes(BufferType.UPSTREAM_DATA, 0, fresh, SERVER_BYTES + <usize>held) ? held + fresh : held;
  }

  /** Takes the server's bytes out of the host's buffer until its answer is whole; false where they are too many, or it fails. */
  private holdBack(connection: ObservedConnection, length: i32): bool {
    const room = connection.hold(length);
    if (room == 0) return false;
    if (!copyBytes(BufferType.UPSTREAM_DATA, 0, length, room)) return this.fail(connection, "proxy_get_buffer_bytes");
    return replaceBytes(BufferType.UPSTREAM_DATA, length, 0, 0) || this.fail(connection, "proxy_set_buffer_bytes");
  }

  /** Puts what was held back in front of the server's bytes at hand. */
  private giveBack(connection: ObservedConnection): void {
    if (!prependBytes(BufferType.UPSTREAM_DATA, connection.held, connection.heldLength)) {
      this.fail(connection, "proxy_set_buffer_bytes");
    }
    connection.releaseHeld();
  }

  /** Nothing more of a refused connection goes on. */
  private swallow(connection: ObservedConnection, buffer: i32, length: i32): void {
    if (length > 0 && !replaceBytes(buffer, length, 0, 0)) this.fail(connection, "proxy_set_buffer_bytes");
  }

  /** Events that are the same for both directions; false where the watching ends. */
  private goesOn(observation: Observation, connection: ObservedConnection, handshake: Handshake, event: Event): bool {
    switch (event) {
      case Event.Complete:
        this.completed(observation, connection, handshake);
        return false;
      case Event.Unfollowed:
        this.count(Metric.NOT_TLS);
        this.countUnfollowed(connection, handshake, true);
        connection.waits = false;
        return true;
      case Event.NotTls:
        if (!handshake.small && handshake.begun) this.count(Metric.NOT_TLS);
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

  private completed(observation: Observation, connection: ObservedConnection, handshake: Handshake): void {
    observation.complete(handshake, connection.handle, connection.sampled);
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.completed(connection, handshake);
  }

  /** What the client's last chunk has behind the end of its handshake. Answers the next state of the connection. */
  private followRest(connection: ObservedConnection): usize {
    if (!connection.follows || this.unread == 0) return changetype<usize>(connection);
    return this.follow(connection, this.goesOnTo - this.unread, this.goesOnTo);
  }

  /** A client's bytes behind a handshake of TLS <= 1.2, from `start` on. Answers the next state of the connection. */
  private follow(connection: ObservedConnection, start: i32, length: i32): usize {
    const follower = connection.follower;
    const state = changetype<usize>(connection);
    let offset = start;
    while (offset < length) {
      const left = min(follower.bodyLeft, length - offset);
      if (left > 0) {
        follower.passBody(left);
        offset += left;
        continue;
      }
      const count = min(length - offset, HEADER_SIZE);
      if (!copyBytes(BufferType.DOWNSTREAM_DATA, offset, count, WINDOW)) {
        this.fail(connection, "proxy_get_buffer_bytes");
        return state;
      }
      for (let i = 0; i < count && follower.bodyLeft == 0; i++) {
        offset++;
        if (follower.pushHeader(load<u8>(WINDOW + <usize>i))) return this.renegotiate(connection, length);
      }
    }
    return state;
  }

  /** A renegotiation begins in the chunk at hand. Answers the next state of the connection. */
  private renegotiate(connection: ObservedConnection, length: i32): usize {
    this.count(Metric.RENEGOTIATIONS);
    const closes = this.endsRenegotiation();
    const log = this.accessLog;
    if (log) log.renegotiated(closes);
    if (!closes) {
      connection.free();
      return FINISHED;
    }
    if (!this.saidRenegotiation) new HostLog().write(LogLevel.Warn, RENEGOTIATION_CLOSED);
    this.saidRenegotiation = true;
    connection.refused = true;
    this.swallow(connection, BufferType.DOWNSTREAM_DATA, length);
    if (!closeConnection()) this.callFailed("proxy_close_stream");
    return changetype<usize>(connection);
  }

  private endsRenegotiation(): bool {
    const enforcement = this.enforcement();
    return enforcement == Enforcement.STRICT || (enforcement == Enforcement.REVOKED && this.closesRenegotiations);
  }

  private enforces(): bool {
    return this.enforcement() != Enforcement.OBSERVE;
  }

  /** One of `Enforcement`, as it is now. */
  private enforcement(): u32 {
    const shared = this.shared;
    if (!shared) return Enforcement.OBSERVE;
    shared.cache.readSettings();
    return shared.cache.settings.enforcement;
  }

  /**
   * A call of the host failed, without which nobody can say what goes on: ends the connection, and what is at hand stays with the host,
   * which may have more on its way to the client. Under `observe` it goes on unwatched.
   * False: there is nothing left to learn.
   */
  private fail(connection: ObservedConnection, call: string): bool {
    this.callFailed(call);
    if (!connection.refused && !this.enforces()) {
      this.count(Metric.UNWATCHED);
      return false;
    }
    connection.refused = true;
    this.action = Action.STOP_ITERATION;
    if (!closeConnection()) this.callFailed("proxy_close_stream");
    return false;
  }

  private callFailed(call: string): void {
    this.count(Metric.HOST_CALLS_FAILED);
    if (this.saidFailed) return;
    this.saidFailed = true;
    new HostLog().write(LogLevel.Error, FAILED + call + ALLOW);
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
const SERVER_BYTES: usize = memory.data(SERVER_BYTES_MAX, 8);
/** Of a record (RFC 8446 5.1). */
const HEADER_SIZE: i32 = 5;
const SOON_MILLISECONDS: u32 = 5;
const ON_HTTP: string =
  ": root_id observer stands among HTTP filters, where it sees no handshake: nothing is learned or refused; " +
  'put it in front of tcp_proxy (envoy.filters.network.wasm), or write root_id "guard" here';
const FORBIDDEN: string = "enforcement: the configuration does not allow ";
const FAILED: string = "enforcement: the host does not carry out ";
const ALLOW: string =
  ", so what must not resume could not be refused: allow it in capability_restriction_config, or leave that out";
const RENEGOTIATION_CLOSED: string =
  "a client began a renegotiation, in which a removed session could resume unseen: its connection was closed; " +
  'where clients have to renegotiate, set "renegotiation": "observe"';
