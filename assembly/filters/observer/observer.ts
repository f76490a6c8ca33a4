/**
 * The observer: a network filter in front of tcp_proxy. It follows each TLS handshake and reports it to the cache.
 *
 * It changes traffic in three cases only, each about a session that must not resume:
 *
 * - If a server accepts such a session, a fatal alert takes the place of its answer (`answer_gate.ts`), upon which clients
 *   forget the session (RFC 5246 7.2.2).
 * - Early data behind a PSK that would be refused is dropped (`early_data.ts`).
 * - A renegotiation, which might resume such a session unseen, ends its connection if it is configured to
 *   (`renegotiations.ts`).
 *
 * All other bytes go through, untouched and at once, unless `fleet.start` is `wait`: then a hello that offers an unknown session
 * waits until decisions of other proxies are in (`fleet_wait.ts`). If the filter steers (`upstream_choice.ts`), a connection waits at the
 * host until its ClientHello is in. A connection that does not speak TLS goes on with its first byte; one whose hello is too
 * long or too slow goes on without a choice.
 *
 * This file has the filter's life and configuration; `handshake_watch.ts` has the path of a handshake.
 */
import { Config, validateObserver } from "../../config/config";
import { Action } from "../../host/abi";
import { missingCapability, missingForHolding } from "../../host/connection/connection";
import { FINISHED, TICK_MILLISECONDS } from "../../host/roots";
import { Enforcement } from "../../session/settings/enforcement";
import { SteeringMode } from "../../steering/setup/modes";
import { CacheFilter } from "../cache/cache_filter";
import { logSteeringLimit } from "../cache/host_limits";
import { SharedCache } from "../cache/shared_cache";
import { HeldConnections } from "../connection/held_connections";
import { FRESH, ObservedConnection, WAITS } from "../connection/observed_connection";
import { reportNoSteering } from "../steering/steering_setup";
import { UpstreamChoice } from "../steering/upstream_choice";
import { HandshakeWatch } from "./handshake_watch";
import { RootTicks } from "./root_ticks";

export class Observer extends CacheFilter {
  private watch: HandshakeWatch | null = null;
  /** Null if nothing is steered. */
  private upstreamChoice: UpstreamChoice | null = null;
  private readonly ticks: RootTicks;
  private readonly held: HeldConnections = new HeldConnections();
  /** When the background last had a tick while ticks came fast, in nanoseconds since 1970. */
  private lastBackground: u64 = 0;

  constructor(rootContext: u32) {
    super("observer");
    this.ticks = new RootTicks(rootContext);
  }

  tick(): void {
    if (!this.ticks.isFast || this.isBackgroundDue()) {
      super.tick();
      const watch = this.watch;
      if (watch) watch.tick();
    }
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.tick();
    const watch = this.watch;
    if (watch) watch.tickFast();
    this.ticks.end();
  }

  free(): void {
    this.close();
    this.held.free();
    super.free();
  }

  connectionOpened(context: u32): usize {
    const shared = this.shared;
    if (!shared) return FINISHED;
    if (!this.hasTicked) this.missTick(shared);
    if (!shared.inForce) shared.claim();
    const upstreamChoice = this.upstreamChoice;
    if (!upstreamChoice || !upstreamChoice.beginWaiting(context)) return FRESH;
    this.action = Action.STOP_ITERATION;
    return FRESH | WAITS;
  }

  dataSeen(context: u32, state: usize, buffer: i32, length: i32, endOfStream: bool): usize {
    const watch = this.watch;
    return watch ? watch.dataSeen(context, state, buffer, length, endOfStream) : state;
  }

  connectionClosed(state: usize): void {
    if ((state & FRESH) != 0) return;
    const connection = changetype<ObservedConnection>(state);
    this.held.remove(connection);
    const watch = this.watch;
    if (watch) watch.connectionClosed(connection);
    connection.free();
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const shared = this.shared;
    if (shared) shared.misplaced(ON_HTTP);
    return Action.CONTINUE;
  }

  protected refusalOf(config: Config): string {
    const refusal = validateObserver(config);
    if (refusal.length > 0) return refusal;
    const fleet = config.fleet;
    const unheld = fleet && fleet.waits ? missingForHolding() : "";
    if (unheld.length > 0) return WAIT_FORBIDDEN + unheld + WAIT_ALLOW;
    if (config.enforcement == <i64>Enforcement.OBSERVE) return "";
    const missing = missingCapability();
    return missing.length == 0 ? "" : FORBIDDEN + missing + ALLOW;
  }

  protected opened(shared: SharedCache, config: Config): void {
    this.close();
    if (config.steering != SteeringMode.Off) this.upstreamChoice = new UpstreamChoice(shared, config);
    else reportNoSteering(shared, config);
    this.watch = new HandshakeWatch(shared, config, this, this.ticks, this.upstreamChoice, this.held);
    logSteeringLimit(config.steering, config.steeringBySource, shared.store);
    // No host is named before the first tick, which sees that the cluster is there.
    if (config.steering == SteeringMode.Exact) this.ticks.bringForward();
  }

  /** Whether the background is due amid fast ticks; notes that it has its tick now. */
  private isBackgroundDue(): bool {
    const shared = this.shared;
    if (!shared) return true;
    const now = shared.cache.clock.nowNanoseconds();
    if (now - this.lastBackground < TICK_NANOSECONDS) return false;
    this.lastBackground = now;
    return true;
  }

  /** Frees everything that was made on the cache. */
  private close(): void {
    const upstreamChoice = this.upstreamChoice;
    if (upstreamChoice) upstreamChoice.free();
    this.upstreamChoice = null;
    const watch = this.watch;
    if (watch) watch.free();
    this.watch = null;
  }
}

const TICK_NANOSECONDS: u64 = <u64>TICK_MILLISECONDS * 1_000_000;
const ON_HTTP: string =
  ": root_id observer is among HTTP filters, where it sees no handshake: nothing is learned or refused; " +
  'put it in front of tcp_proxy (envoy.filters.network.wasm), or write root_id "guard" here';
const FORBIDDEN: string = "enforcement: refusing needs ";
const ALLOW: string =
  ', which the configuration does not allow: add it to capability_restriction_config, or set "enforcement": "observe"';
const WAIT_FORBIDDEN: string = "fleet.start: waiting needs ";
const WAIT_ALLOW: string =
  ', which the configuration does not allow: add it to capability_restriction_config, or set "start": "serve"';
