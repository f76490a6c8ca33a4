/**
 * The TLS observer: a network filter in front of tcp_proxy that follows each handshake and tells the cache what it
 * saw. It never stops, changes or delays a byte; whatever it cannot follow it counts and lets through.
 *
 * State of a connection: FRESH until its first byte, then the address of its `Handshake`, FINISHED once there is
 * nothing left to learn. Cost of a chunk: one copy of its bytes in windows of 16 KiB while the handshake lasts, nothing
 * afterwards.
 */
import { Config } from "../config/config";
import { parseConfig } from "../config/parse";
import { BufferType, HostResult, proxy_get_buffer_bytes } from "../host/abi";
import { HostEnvironment } from "../host/environment";
import { HostLog } from "../host/host_log";
import { OUT_LENGTH, OUT_POINTER, receivedLength, receiveInto } from "../host/memory";
import { PropertyPath } from "../host/properties";
import { FINISHED, Root } from "../host/roots";
import { LogLevel } from "../ports/log";
import { Observation } from "../session/observation";
import { Metric } from "../session/statistics";
import { Direction, Event, Handshake } from "../tls/handshake";
import { SharedCache } from "./shared_cache";

export class Observer extends Root {
  private shared: SharedCache | null = null;
  private observation: Observation | null = null;

  configure(text: usize, length: i32): bool {
    const config: Config = parseConfig(text, length, new HostEnvironment());
    if (config.error.length > 0) {
      new HostLog().write(LogLevel.Error, "configuration of the observer: " + config.error);
      return false;
    }
    const shared = SharedCache.open(config, ROLE);
    if (!shared) return false;
    this.shared = shared;
    this.observation = new Observation(shared.cache);
    return true;
  }

  tick(): void {
    const shared = this.shared;
    if (shared) shared.tick();
  }

  callAnswered(token: u32): void {
    const shared = this.shared;
    if (shared) shared.callAnswered(token);
  }

  free(): void {
    const shared = this.shared;
    if (shared) shared.free();
    this.shared = null;
    this.observation = null;
  }

  connectionOpened(context: u32): usize {
    return this.observation ? FRESH : FINISHED;
  }

  dataSeen(state: usize, buffer: i32, length: i32): usize {
    const observation = this.observation;
    if (!observation) return FINISHED;
    const handshake = state == FRESH ? Handshake.create() : changetype<Handshake>(state);
    if (!handshake) {
      this.count(Metric.UNWATCHED);
      return FINISHED;
    }
    const direction = buffer == BufferType.DOWNSTREAM_DATA ? Direction.Downstream : Direction.Upstream;
    for (let offset = 0; offset < length; offset += WINDOW_SIZE) {
      const size = min(length - offset, WINDOW_SIZE);
      receiveInto(WINDOW, WINDOW_SIZE);
      const result = proxy_get_buffer_bytes(buffer, offset, size, OUT_POINTER, OUT_LENGTH);
      if (result != HostResult.OK || receivedLength() != size) {
        this.count(Metric.UNWATCHED);
        return this.finish(handshake);
      }
      if (!this.follow(observation, handshake, direction, size)) return this.finish(handshake);
    }
    return changetype<usize>(handshake);
  }

  connectionClosed(state: usize): void {
    if (state == FRESH) return;
    const observation = this.observation;
    if (observation) observation.failed();
    changetype<Handshake>(state).free();
  }

  /** Feeds a window of bytes to the handshake; false once there is nothing left to learn. */
  private follow(observation: Observation, handshake: Handshake, direction: i32, size: i32): bool {
    let position = 0;
    while (position < size) {
      const event = handshake.feed(direction, WINDOW + <usize>position, size - position);
      position += handshake.consumed;
      switch (event) {
        case Event.NeedMore:
          return true;
        case Event.ClientHello:
          if (!handshake.retried) observation.clientHello();
          break;
        case Event.ServerHello:
          observation.serverHello(handshake, UPSTREAM, UPSTREAM_ADDRESS.read(UPSTREAM, UPSTREAM_CAPACITY));
          break;
        case Event.Complete:
          observation.complete(handshake, UPSTREAM, UPSTREAM_ADDRESS.read(UPSTREAM, UPSTREAM_CAPACITY));
          return false;
        case Event.NotTls:
          this.count(Metric.NOT_TLS);
          return false;
        case Event.Malformed:
          this.count(Metric.PARSE_ERRORS + <i32>handshake.error);
          return false;
        default:
          observation.failed();
          return false;
      }
    }
    return true;
  }

  private finish(handshake: Handshake): usize {
    handshake.free();
    return FINISHED;
  }

  private count(metric: i32): void {
    const shared = this.shared;
    if (shared) shared.cache.metrics.increase(metric, 1);
  }
}

const ROLE: string = "observer";
/** No address of a block of memory. */
const FRESH: usize = 1;
const WINDOW_SIZE: i32 = 16384;
const WINDOW: usize = memory.data(16384, 8);
/** Address of the upstream host of the connection at hand; there is one once its bytes have come. */
const UPSTREAM_ADDRESS = new PropertyPath("upstream.address");
const UPSTREAM_CAPACITY: i32 = 128;
const UPSTREAM: usize = memory.data(128);
