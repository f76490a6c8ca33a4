/**
 * The admin API as an HTTP filter: collects a request, calls `admin/`, and answers. It answers every request itself; none
 * goes on to a router.
 *
 * Listings and work on the whole cache run in slices (`turns.ts`): the first slice at once, the others on fast ticks. The
 * answer is sent when the work is finished. A change is finished even if its caller has gone. The number of waiting requests
 * and the size of waiting bodies are bounded: one too many is answered with 503. A request whose body does not begin to come
 * is answered with 408 within a second.
 */
import { AdminApi } from "../../admin/api";
import { unavailable } from "../../admin/http/problem";
import { Call } from "../../admin/http/call";
import { Config, oddTokens, validateAdmin } from "../../config/config";
import { Action } from "../../host/abi";
import { EnvoyFacts } from "../../host/adapters/envoy_facts";
import { enter, tickEvery } from "../../host/effective_context";
import { answer, requestHeader } from "../../host/http_stream";
import { FINISHED, TICK_MILLISECONDS } from "../../host/roots";
import { Job, SLICE_NANOSECONDS } from "../../work/job";
import { SteeringReport } from "../../steering/setup/report";
import { CacheFilter } from "../cache/cache_filter";
import { RolledBack } from "../cache/rolled_back";
import { Gathered, RequestBody } from "./request_body";
import { SharedCache } from "../cache/shared_cache";
import { Turn, Turns } from "../../work/turns";

/** One request and its answer. */
class Exchange extends Turn {
  readonly call: Call = new Call();
  readonly body: RequestBody = new RequestBody();
  /** When the headers came, by the clock of the day. Only while the body is awaited. */
  since: u64 = 0;

  constructor(
    context: u32,
    private readonly filter: AdminFilter,
  ) {
    super(context);
  }

  get job(): Job | null {
    return this.call.response.job;
  }

  get reads(): bool {
    return this.call.response.reads;
  }

  finish(): void {
    this.filter.finish(this);
  }
}

export class AdminFilter extends CacheFilter {
  private api: AdminApi | null = null;
  private steering: SteeringReport | null = null;
  private turns: Turns | null = null;
  private readonly exchanges: Map<u32, Exchange> = new Map<u32, Exchange>();
  private isFast: bool = false;
  /** When the background last had a tick, in nanoseconds since 1970. */
  private lastBackground: u64 = 0;
  private readonly rolledBack: RolledBack = new RolledBack();

  constructor(private readonly rootContext: u32) {
    super("admin");
  }

  free(): void {
    super.free();
    const api = this.api;
    if (api) api.free();
    this.api = null;
    const steering = this.steering;
    if (steering) steering.free();
    this.steering = null;
    this.turns = null;
  }

  tick(): void {
    this.hasTicked = true;
    const turns = this.turns;
    const shared = this.shared;
    if (!turns || !shared) return;
    const now = shared.cache.clock.nowNanoseconds();
    // The background has its ticks, however many requests wait.
    if (this.isFast && now - this.lastBackground < TICK_NANOSECONDS) {
      turns.tick();
    } else {
      this.lastBackground = now;
      if (this.exchanges.size > 0) this.endWithoutBody();
      if (!this.isFast) turns.tick();
      super.tick();
    }
    if (this.isFast && turns.length == 0) this.tickSlowly();
  }

  requestHeaders(context: u32, endOfStream: bool): i32 {
    const api = this.api;
    const shared = this.shared;
    if (!api || !shared) return Action.CONTINUE;
    if (!this.hasTicked) this.missTick(shared);
    const exchange = new Exchange(context, this);
    const request = exchange.call.request;
    request.method = requestHeader(":method");
    request.path = requestHeader(":path");
    request.authorization = requestHeader("authorization");
    if (request.isRoot) {
      request.accept = requestHeader("accept");
      request.acceptEncoding = requestHeader("accept-encoding");
      request.ifNoneMatch = requestHeader("if-none-match");
    }
    request.contentType = requestHeader("content-type");
    const decided = api.begin(exchange.call);
    // A caller without a token must not put a configuration in force.
    if (exchange.call.response.status != UNAUTHORIZED) this.rolledBack.noteRequest(shared);
    if (decided) {
      this.reply(exchange);
    } else if (endOfStream) {
      this.handle(api, exchange);
    } else if (this.exchanges.size >= MAX_EXCHANGES) {
      unavailable(exchange.call.response, TOO_MANY);
      this.reply(exchange);
    } else {
      exchange.since = api.nowNanoseconds();
      this.exchanges.set(context, exchange);
    }
    return Action.STOP_ITERATION;
  }

  requestBody(context: u32, length: i32, endOfStream: bool): i32 {
    const api = this.api;
    if (!api || !this.exchanges.has(context)) return Action.STOP_ITERATION_NO_BUFFER;
    const exchange = this.exchanges.get(context);
    const gathered = exchange.body.gather(length);
    if (gathered == Gathered.Kept) {
      if (!endOfStream) return Action.STOP_ITERATION_NO_BUFFER;
      this.exchanges.delete(context);
      this.handle(api, exchange);
      return Action.STOP_ITERATION_NO_BUFFER;
    }
    this.exchanges.delete(context);
    if (gathered == Gathered.TooLarge) api.tooLarge(exchange.call.response);
    else unavailable(exchange.call.response, gathered == Gathered.NoRoom ? TOO_MANY : NOT_READ);
    this.reply(exchange);
    return Action.STOP_ITERATION_NO_BUFFER;
  }

  requestTrailers(context: u32): i32 {
    const api = this.api;
    if (!api || !this.exchanges.has(context)) return Action.STOP_ITERATION;
    const exchange = this.exchanges.get(context);
    this.exchanges.delete(context);
    this.handle(api, exchange);
    return Action.STOP_ITERATION;
  }

  connectionOpened(context: u32): usize {
    const shared = this.shared;
    if (shared) shared.misplaced(ON_NETWORK);
    return FINISHED;
  }

  streamClosed(context: u32): void {
    if (this.exchanges.has(context)) {
      this.exchanges.get(context).body.free();
      this.exchanges.delete(context);
    }
    const turns = this.turns;
    if (turns) turns.close(context);
  }

  protected refusalOf(config: Config): string {
    return validateAdmin(config);
  }

  protected oddityOf(config: Config): string {
    return oddTokens(config);
  }

  protected opened(shared: SharedCache, config: Config): void {
    const steering = new SteeringReport(shared.cache.settings.cacheName, shared.store);
    this.steering = steering;
    this.api = new AdminApi(shared.cache, config, new EnvoyFacts(), steering);
    this.turns = new Turns(shared.cache.clock);
  }

  private handle(api: AdminApi, exchange: Exchange): void {
    const response = exchange.call.response;
    const turns = this.turns;
    if (!turns || turns.length >= MAX_EXCHANGES) {
      // Refused before the change is made: a change that was made must not be answered with 503.
      unavailable(response, TOO_MANY);
      return this.reply(exchange);
    }
    exchange.call.request.bodyPointer = exchange.body.start;
    exchange.call.request.bodyLength = exchange.body.length;
    api.handle(exchange.call);
    exchange.body.free();
    const shared = this.shared;
    // Many changes at once are answered no faster than their events are collected.
    if (shared) shared.cache.relieve(SLICE_NANOSECONDS / 2);
    if (response.job == null) return this.reply(exchange);
    if (turns.begin(exchange)) {
      api.finish(response);
      return this.reply(exchange);
    }
    this.tickFast(exchange.context);
  }

  /** The job of an exchange is done. */
  finish(exchange: Exchange): void {
    const api = this.api;
    if (!api) return;
    api.finish(exchange.call.response);
    if (exchange.closed) return;
    enter(exchange.context);
    this.reply(exchange);
  }

  private tickFast(context: u32): void {
    if (this.isFast) return;
    this.isFast = true;
    enter(this.rootContext);
    tickEvery(FAST_TICK_MILLISECONDS);
    enter(context);
  }

  /** Nothing waits any more. */
  private tickSlowly(): void {
    this.isFast = false;
    enter(this.rootContext);
    tickEvery(TICK_MILLISECONDS);
  }

  /** Answers requests whose body has not begun to come. Without this they might wait for ever. */
  private endWithoutBody(): void {
    const api = this.api;
    if (!api) return;
    const now = api.nowNanoseconds();
    const contexts = this.exchanges.keys();
    for (let i = 0; i < contexts.length; i++) {
      const exchange = this.exchanges.get(contexts[i]);
      // If the clock was set back, this wraps to a very long time: better too early than never.
      if (exchange.body.length > 0 || now - exchange.since < BODY_NANOSECONDS) continue;
      this.exchanges.delete(contexts[i]);
      api.bodyMissing(exchange.call.response);
      enter(exchange.context);
      this.reply(exchange);
    }
    enter(this.rootContext);
  }

  private reply(exchange: Exchange): void {
    exchange.closed = true;
    exchange.body.free();
    const response = exchange.call.response;
    answer(response.status, response.headers, response.bodyPointer(), response.bodyLength());
  }
}

/** Bodies and jobs that may wait at the same time on one worker. */
const MAX_EXCHANGES: i32 = 1024;
const ON_NETWORK: string =
  ": root_id admin is among network filters, where it gets no request: put it among HTTP filters (envoy.filters.http.wasm)";
const UNAUTHORIZED: i32 = 401;
const TOO_MANY: string = "too many requests are waiting on this worker; try again";
const NOT_READ: string = "the body could not be read; try again";
/** Together with a tick, less than a second. */
const BODY_NANOSECONDS: u64 = 700_000_000;
const FAST_TICK_MILLISECONDS: u32 = 2;
const TICK_NANOSECONDS: u64 = <u64>TICK_MILLISECONDS * 1_000_000;
