/**
 * Follows each handshake on its way through the observer, from the first byte of a connection to the end of its handshake,
 * and decides what goes on. In reading order: `dataSeen`; the client's bytes, up to the choice of an upstream; the wait for
 * decisions of other proxies; the server's bytes, up to the judgement of its answer; events of both; the end.
 *
 * The server's answer decides. Whatever a client sends, the watching goes on up to there; an acceptance of an offer that
 * could not be followed is refused, a full handshake never is. A failed host call on that way closes the connection
 * (`host_failures.ts`).
 *
 * State of a connection: FRESH until its first byte, then the address of its `ObservedConnection`, FINISHED when there is
 * nothing left to learn. Cost of a chunk: one copy of its bytes in windows of 16 KiB while the handshake lasts, but for a
 * client's Finished of TLS 1.3, which its length tells.
 */
import { Config } from "../../config/config";
import { Action, BufferType } from "../../host/abi";
import { SOURCE, UPSTREAM } from "../../host/adapters/peer_property";
import { continueConnection, copyBytes } from "../../host/connection/connection";
import { enterConnection } from "../../host/connection_properties";
import { enter } from "../../host/effective_context";
import { tellMissingCallback } from "../../host/notices/missing_callback";
import { FINISHED, Root } from "../../host/roots";
import { Observation } from "../../resumption/observation";
import { Verdict } from "../../resumption/refusal";
import { Sampling } from "../../resumption/sampling";
import { Metric } from "../../session/counting/statistics";
import { beginInstant, endInstant } from "../../shared/instant";
import { Direction, Event, Handshake } from "../../tls/handshake";
import { ParseError } from "../../tls/wire/parse_error";
import { ContentType, MessageType } from "../../tls/wire/protocol";
import { MAJOR_VERSION, RECORD_HEADER_SIZE } from "../../tls/wire/record";
import { fleetStartOf } from "../cache/fleet_start";
import { SharedCache } from "../cache/shared_cache";
import { HeldConnections } from "../connection/held_connections";
import { FRESH, ObservedConnection, WAITS } from "../connection/observed_connection";
import { UpstreamChoice } from "../steering/upstream_choice";
import { AccessLog } from "./access_log";
import { AnswerGate } from "./answer_gate";
import { EarlyData } from "./early_data";
import { FleetWait } from "./fleet_wait";
import { HostFailures } from "./host_failures";
import { Renegotiations } from "./renegotiations";
import { RootTicks } from "./root_ticks";

export class HandshakeWatch {
  private readonly observation: Observation;
  private readonly accessLog: AccessLog | null;
  private readonly failures: HostFailures;
  private readonly gate: AnswerGate;
  private readonly earlyData: EarlyData;
  private readonly renegotiations: Renegotiations;
  private readonly sampling: Sampling = new Sampling();
  /** Null if nothing waits for decisions of other proxies. */
  private fleetWait: FleetWait | null = null;
  /** Number of bytes in the client's last chunk behind the end of its handshake. */
  private unread: i32 = 0;
  /** Number of bytes that go on of the client's last chunk. */
  private passed: i32 = 0;

  constructor(
    private readonly shared: SharedCache,
    config: Config,
    private readonly root: Root,
    private readonly ticks: RootTicks,
    /** Null if nothing is steered. */
    private readonly upstreamChoice: UpstreamChoice | null,
    private readonly held: HeldConnections,
  ) {
    const accessLog = config.accessLog ? new AccessLog() : null;
    const failures = new HostFailures(shared, root);
    const gate = new AnswerGate(failures, ticks, config);
    this.observation = new Observation(shared.cache, UPSTREAM, config.decryptsHellos, SOURCE);
    this.accessLog = accessLog;
    this.failures = failures;
    this.gate = gate;
    this.earlyData = new EarlyData(shared.cache.metrics);
    this.renegotiations = new Renegotiations(shared, config, failures, gate, accessLog);
    const start = fleetStartOf(shared, config.fleet);
    if (start) this.fleetWait = new FleetWait(start, held, ticks, shared.cache.clock);
    this.observation.judge.awaitsDecisions = start != null && start.isPending;
  }

  free(): void {
    this.gate.free();
    const fleetWait = this.fleetWait;
    if (fleetWait) fleetWait.free();
  }

  /** Ten times a second. */
  tick(): void {
    this.sampling.tick();
  }

  /** With every tick, however fast they come. Leaves another context than the root's behind. */
  tickFast(): void {
    this.gate.tick();
    this.goOnAfterStart();
  }

  /** Bytes of a connection have come. Returns its next state. */
  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    beginInstant();
    const next = this.followData(context, state, buffer, length, endOfStream);
    endInstant();
    return next;
  }

  private followData(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    const isFresh = (state & FRESH) != 0;
    if (length == 0 && isFresh) return state;
    const connection = isFresh ? this.begin(context, state, buffer) : changetype<ObservedConnection | null>(state);
    if (!connection) return FINISHED;
    if (connection.refused) {
      this.gate.swallow(connection, buffer, length);
      return changetype<usize>(connection);
    }
    const isClient = buffer == BufferType.DOWNSTREAM_DATA;
    if (connection.follows) {
      return isClient ? this.renegotiations.follow(connection, 0, length) : changetype<usize>(connection);
    }
    this.unread = 0;
    const handshake = connection.handshake;
    const isWatched =
      handshake != null &&
      (isClient
        ? this.clientSeen(connection, handshake, length, endOfStream)
        : this.serverSeen(connection, handshake, length, endOfStream));
    return isWatched ? changetype<usize>(connection) : this.leave(connection, buffer);
  }

  /** The connection is gone. */
  connectionClosed(connection: ObservedConnection): void {
    const handshake = connection.handshake;
    if (handshake && !connection.refused) this.ended(connection, handshake);
  }

  /** Begins to watch a connection, with its first byte; null if that is impossible. */
  private begin(context: u32, state: usize, buffer: i32): ObservedConnection | null {
    const connection = ObservedConnection.create(context);
    const handshake = connection ? connection.handshake : null;
    if (!handshake || handshake.small) this.count(Metric.UNWATCHED);
    if (buffer == BufferType.UPSTREAM_DATA) tellUnheardClient();
    if (!connection) {
      // So many at once that there is no room to read a server's answer: nobody could say whether this one resumes.
      this.failures.closeUnwatched();
      return null;
    }
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) {
      connection.waits = (state & WAITS) != 0;
      upstreamChoice.hear(state, buffer == BufferType.UPSTREAM_DATA);
    }
    return connection;
  }

  // --- The client's bytes

  /** Follows a chunk of the client; false when there is nothing left to learn. */
  private clientSeen(connection: ObservedConnection, handshake: Handshake, length: i32, endOfStream: bool): bool {
    if (!connection.dropsEarlyData && handshake.completeUnread(length)) {
      return this.handleEvent(connection, handshake, Event.Complete);
    }
    const earlyData = this.earlyData;
    earlyData.beginChunk(connection, length);
    const isWatched = this.readClient(connection, handshake, length);
    this.passed = earlyData.keptOf(length);
    if (!earlyData.endChunk(length)) return this.failures.end(connection, "proxy_set_buffer_bytes");
    if (isWatched) this.waitFurther(connection, length, endOfStream);
    return isWatched;
  }

  /**
   * Reads a chunk of the client; false when there is nothing left to learn. If early data is dropped, all other bytes are
   * kept.
   */
  private readClient(connection: ObservedConnection, handshake: Handshake, length: i32): bool {
    const earlyData = this.earlyData;
    let isWatched = true;
    for (let offset = connection.fed; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.DOWNSTREAM_DATA, offset, size, WINDOW)) {
        return this.failures.end(connection, "proxy_get_buffer_bytes");
      }
      let position = 0;
      while (position < size) {
        const bytes = WINDOW + <usize>position;
        const left = size - position;
        if (!isWatched) {
          earlyData.keep(bytes, left);
          break;
        }
        const event = earlyData.feed(connection, handshake, bytes, left);
        position += handshake.consumed;
        if (event == Event.ClientHello) this.helloSeen(connection, handshake, offset + position, length);
        else if (event != Event.NeedMore) {
          isWatched = this.handleEvent(connection, handshake, event);
          if (!isWatched) this.unread = length - offset - position;
        }
        if (!isWatched && !earlyData.gathers) return false;
      }
    }
    return isWatched;
  }

  /** A ClientHello ends at `offset` of a chunk of `length` bytes. */
  private helloSeen(connection: ObservedConnection, handshake: Handshake, offset: i32, length: i32): void {
    this.countErrors(connection, handshake);
    if (handshake.offers.unsure != 0) this.countUnfollowed(connection);
    if (!handshake.retried) this.observation.countClientHello();
    // Bytes that the server has sent so far did not answer this hello.
    connection.passes = false;
    if (this.startHolding(connection, handshake)) {
      connection.fed = length;
      connection.isHeldWithMore = offset < length;
      return;
    }
    if (connection.waits) this.steer(connection, handshake);
    if (connection.dropsEarlyData || !this.observation.judge.wouldRefuseEarlyData(handshake)) return;
    if (!this.earlyData.dropFrom(connection, offset, length)) this.failures.end(connection, "proxy_get_buffer_bytes");
  }

  /** Chooses the upstream of a connection whose ClientHello is in. */
  private steer(connection: ObservedConnection, handshake: Handshake): void {
    connection.waits = false;
    const upstreamChoice = this.upstreamChoice;
    if (!upstreamChoice) return;
    const isSent = upstreamChoice.choose(connection, handshake, this.observation.describeFirst(handshake));
    if (isSent) this.ticks.bringForwardFrom(connection.context);
  }

  /** Lets a connection wait on for its ClientHello; one that is too long goes on without a choice. */
  private waitFurther(connection: ObservedConnection, length: i32, endOfStream: bool): void {
    if (connection.isHeld) return this.holdFurther(connection);
    if (!connection.waits || endOfStream || length >= MAX_HELD_HELLO) {
      connection.waits = false;
      connection.fed = 0;
      return;
    }
    connection.fed = length;
    this.root.action = Action.STOP_ITERATION;
  }

  // --- The wait for decisions of other proxies

  /** Begins to hold a connection whose ClientHello is in, if it must be; reports whether it is. */
  private startHolding(connection: ObservedConnection, handshake: Handshake): bool {
    const fleetWait = this.fleetWait;
    if (!fleetWait || !fleetWait.isPending) return false;
    return this.observation.judge.offersUnheld(handshake) && fleetWait.hold(connection);
  }

  /** Keeps the bytes of a held connection at the host; if they are too many, it does not wait any longer. */
  private holdFurther(connection: ObservedConnection): void {
    if (this.passed > connection.fed) connection.isHeldWithMore = true;
    connection.fed = this.passed;
    if (connection.fed <= MAX_HELD_BYTES || !this.endHold(connection)) this.root.action = Action.STOP_ITERATION;
  }

  /** Lets the connections go on that were held, when decisions are in. Leaves another context than the root's behind. */
  private goOnAfterStart(): void {
    const fleetWait = this.fleetWait;
    if (!fleetWait) return;
    fleetWait.tick();
    if (fleetWait.isPending) return;
    this.observation.judge.awaitsDecisions = false;
    for (let next = fleetWait.next(); next != null; next = fleetWait.next()) {
      enter(next.context);
      enterConnection(next.context);
      if (this.endHold(next)) continueConnection();
      enterConnection(0);
    }
    if (!fleetWait.isOver) return;
    this.ticks.slowDown();
    fleetWait.free();
    this.fleetWait = null;
  }

  /**
   * Judges the hello of a connection that was held until now, in its context, and chooses its upstream. Returns false if it
   * must not go on: early data stands behind a PSK that would be refused, and nobody can take it out of the host's buffer.
   */
  private endHold(connection: ObservedConnection): bool {
    this.held.remove(connection);
    connection.fed = 0;
    const handshake = connection.handshake;
    if (connection.refused || !handshake) return !connection.refused;
    if (connection.isHeldWithMore) {
      const verdict = this.observation.refuseEarlyData(handshake);
      if (verdict != Verdict.Resume) {
        this.logAnswer(handshake, verdict);
        connection.refused = true;
        this.failures.close();
        return false;
      }
    } else {
      connection.dropsEarlyData = this.observation.judge.wouldRefuseEarlyData(handshake);
    }
    if (connection.waits) this.steer(connection, handshake);
    return true;
  }

  /** The watching of a connection ends while it is held, as when its server speaks first: its bytes go on. */
  private dropHold(connection: ObservedConnection, buffer: i32): void {
    this.held.remove(connection);
    connection.fed = 0;
    // With bytes of the client, those that were held go on anyway.
    if (buffer == BufferType.UPSTREAM_DATA && !connection.refused) continueConnection();
  }

  // --- The server's bytes

  /** Follows a chunk of the server; false when there is nothing left to learn. */
  private serverSeen(connection: ObservedConnection, handshake: Handshake, length: i32, endOfStream: bool): bool {
    if (length == 0 && !endOfStream) return true;
    for (let offset = 0; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      if (!copyBytes(BufferType.UPSTREAM_DATA, offset, size, WINDOW)) {
        return this.failures.end(connection, "proxy_get_buffer_bytes");
      }
      let position = 0;
      while (position < size) {
        const event = handshake.feed(Direction.Upstream, WINDOW + <usize>position, size - position);
        position += handshake.consumed;
        if (event == Event.ServerHello) {
          if (!this.judgeAnswer(connection, handshake, length)) return false;
        } else if (event != Event.NeedMore && !this.handleEvent(connection, handshake, event)) {
          return false;
        }
      }
    }
    return this.passAnswerOn(connection, handshake, length, endOfStream);
  }

  /**
   * The server's answer is in. Refuses a resumption that must not be; false if it was refused, or there is nothing left to
   * learn.
   */
  private judgeAnswer(connection: ObservedConnection, handshake: Handshake, length: i32): bool {
    const observation = this.observation;
    connection.answered = true;
    connection.sampled = handshake.acceptedKind == 0 || this.sampling.countNext();
    this.countErrors(connection, handshake);
    const upstreamChoice = this.upstreamChoice;
    observation.diversion = upstreamChoice ? upstreamChoice.diversionOf(connection) : 0;
    const verdict = observation.judgeAnswer(handshake, connection.passes, connection.sampled);
    connection.handle = observation.handle;
    if (upstreamChoice) upstreamChoice.answered(connection, handshake);
    if (verdict == Verdict.Unfollowed) this.countUnfollowed(connection);
    this.logAnswer(handshake, verdict);
    if (verdict != Verdict.Resume) this.gate.refuse(connection, handshake, length);
    // Without its client's side, a connection has nothing more to teach.
    return verdict == Verdict.Resume && !handshake.small;
  }

  /** Lets the server's bytes go on, or holds them back while they may turn out to resume a session that must not. */
  private passAnswerOn(connection: ObservedConnection, handshake: Handshake, length: i32, endOfStream: bool): bool {
    const isMidway = handshake.undecided || handshake.partial(Direction.Upstream);
    if (!connection.answered && !connection.passes && isMidway && !endOfStream) {
      // An offer that may resume lets the answer through at once; a removal from now on is for the next handshake.
      connection.passes = connection.heldLength == 0 && !this.observation.judge.wouldRefuse(handshake);
      if (!connection.passes) {
        if (this.gate.holdBack(connection, length)) return true;
        if (connection.refused) return false;
        this.logAnswer(handshake, this.observation.refuseUndecided(handshake));
        this.gate.refuse(connection, handshake, length);
        return false;
      }
    }
    if (connection.heldLength > 0) this.gate.giveBack(connection);
    return true;
  }

  private logAnswer(handshake: Handshake, verdict: Verdict): void {
    const log = this.accessLog;
    if (log) log.writeAnswer(this.observation, handshake, verdict);
  }

  // --- Events of both directions, and the end

  /** Handles an event that is the same for both directions; false when the watching ends. */
  private handleEvent(connection: ObservedConnection, handshake: Handshake, event: Event): bool {
    switch (event) {
      case Event.Complete:
        this.completed(connection, handshake);
        return false;
      case Event.Unfollowed:
        this.count(Metric.NOT_TLS);
        this.countErrors(connection, handshake);
        this.countUnfollowed(connection);
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

  private completed(connection: ObservedConnection, handshake: Handshake): void {
    this.observation.complete(handshake, connection.handle, connection.sampled);
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.completed(connection, handshake);
  }

  /** Ends the watching of a handshake. Returns the next state of its connection. */
  private leave(connection: ObservedConnection, buffer: i32): usize {
    const state = changetype<usize>(connection);
    const handshake = connection.handshake;
    if (connection.isHeld) this.dropHold(connection, buffer);
    if (connection.refused) {
      connection.forgetHandshake();
      return state;
    }
    if (handshake) this.ended(connection, handshake);
    if (connection.heldLength > 0) {
      // Bytes of the server that were held back can only go on with others of the server.
      if (buffer == BufferType.DOWNSTREAM_DATA) {
        connection.forgetHandshake();
        return state;
      }
      this.gate.giveBack(connection);
    }
    connection.follows = handshake != null && handshake.handOver(connection.follower);
    connection.forgetHandshake();
    if (!connection.follows) {
      if (connection.refused) return state;
      connection.free();
      return FINISHED;
    }
    if (buffer != BufferType.DOWNSTREAM_DATA || this.unread == 0) return state;
    return this.renegotiations.follow(connection, this.passed - this.unread, this.passed);
  }

  /** The watching of a handshake has ended without a refusal. */
  private ended(connection: ObservedConnection, handshake: Handshake): void {
    if (handshake.small) return;
    this.observation.end(handshake, connection.handle);
    const log = this.accessLog;
    if (log) log.writeEnd(this.observation, handshake);
  }

  /** Counts an error on the client's side that was not counted yet; its connection could then not be followed. */
  private countErrors(connection: ObservedConnection, handshake: Handshake): void {
    const error = handshake.takeUncounted();
    if (error == ParseError.None) return;
    this.count(Metric.PARSE_ERRORS + <i32>error);
    this.countUnfollowed(connection);
  }

  /** Counts, once, a connection whose offers could not all be followed. */
  private countUnfollowed(connection: ObservedConnection): void {
    if (connection.unfollowed) return;
    connection.unfollowed = true;
    this.count(Metric.UNFOLLOWED);
  }

  private count(metric: i32): void {
    this.shared.cache.metrics.increase(metric, 1);
  }
}

/** The server's bytes are the first of a connection. If they answer a ClientHello, that hello was not shown here. */
function tellUnheardClient(): void {
  if (!copyBytes(BufferType.UPSTREAM_DATA, 0, RECORD_HEADER_SIZE + 1, WINDOW)) return;
  if (load<u8>(WINDOW) != <u8>ContentType.HANDSHAKE || load<u8>(WINDOW, 1) != MAJOR_VERSION) return;
  if (load<u8>(WINDOW + <usize>RECORD_HEADER_SIZE) != <u8>MessageType.SERVER_HELLO) return;
  tellMissingCallback("proxy_on_downstream_data", "nothing is learned or refused");
}

/** The host holds at most so many bytes of a client; with a longer ClientHello, the connection goes on without a choice. */
const MAX_HELD_HELLO: i32 = 16384;
/** A ClientHello and the early data behind it, which most servers bound by 16 KiB. */
const MAX_HELD_BYTES: i32 = 65536;
const WINDOW_SIZE: i32 = 16384;
const WINDOW: usize = memory.data(WINDOW_SIZE, 8);
