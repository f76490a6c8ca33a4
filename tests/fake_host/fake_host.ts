/**
 * A proxy-wasm host in Node that runs the built module as Envoy 1.40 does, without sockets: several workers, each with
 * VMs of its own, over one shared data, one set of metrics and one clock.
 *
 *   const host = new FakeHost();
 *   const worker = host.worker();
 *   worker.configure("observer", { cache: "default" });
 *   worker.connection({ upstream: "10.0.0.7:443" }).fromClient(hello);
 *
 * Everything happens at once and in the order of the calls: no timers, no parallelism. Races are made by hand, with the
 * hooks of `host.sharedData`. A trap of the module is thrown as `Trap`.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { AnswerBody } from "../support/answer.ts";
import { Action, LOG_LEVELS, type LogLevel, Status } from "./abi.ts";
import { FakeClock } from "./clock.ts";
import type { Grpc } from "./grpc.ts";
import { Metrics } from "./metrics.ts";
import { SharedData } from "./shared_data.ts";
import { type Context, type HostFunction, type LocalResponse, type Surroundings, Vm } from "./vm.ts";

export { Trap } from "./vm.ts";

/** An object is given as JSON, text as UTF-8, bytes as they are. */
export type Configuration = Record<string, unknown> | string | Uint8Array;

export interface RequestOptions {
  /** Sent as `Authorization: Bearer TOKEN`. */
  token?: string;
  /** An object is sent as JSON; text and bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The body comes in pieces of at most this many bytes. */
  pieceBytes?: number;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  text: string;
  json: AnswerBody;
}

export class FakeHost {
  readonly sharedData = new SharedData();
  readonly metrics = new Metrics();
  readonly clock = new FakeClock();
  readonly workers: Worker[] = [];
  /** The latest lines, oldest first. */
  readonly log: { level: LogLevel; text: string }[] = [];
  /** Set before a worker is made, it gathers the names of the host functions and callbacks that are used. */
  called: Set<string> | undefined;
  /** Set before a worker is made: host functions that its VMs may not call. */
  readonly denied = new Set<string>();
  /** Set before a worker is made: names of the clusters that the host has, as they are at each moment. */
  clusters: Set<string> | undefined;
  /** Set before a worker is made: the gRPC of the host's only cluster for it. */
  grpc: Grpc | undefined;
  /** Set before a worker is made: host functions that fail as long as they are in it, whatever is allowed. */
  failing: Set<string> | undefined;

  /**
   * `environment`: what vm_config.environment_variables would give to the module. `keepsNoProperties`: the host knows no
   * `declare_property`, so that what the module sets lasts for one stream only. `wasm`: another module than the built one.
   */
  constructor(
    readonly environment: Record<string, string> = {},
    private readonly keepsNoProperties = false,
    readonly wasm?: WebAssembly.Module,
  ) {}

  /** `wasm`: the module of this worker, as while an upgrade is under way. */
  worker(wasm = this.wasm): Worker {
    const worker = new Worker(this, wasm);
    this.workers.push(worker);
    return worker;
  }

  /** One tick of every filter on every worker; no time goes by. */
  tick(): void {
    for (const worker of this.workers) worker.tick();
  }

  /** Time goes by until some filter's next tick, and that tick is made; false if none wants any. */
  nextTick(): boolean {
    const next = this.nextDue();
    if (next === undefined) return false;
    this.clock.move(Math.max(0, next.dueSeconds - this.clock.exactSeconds));
    next.tick();
    return true;
  }

  /** Time goes by, with the ticks that belong to it (of a long time, those of its last two seconds). */
  pass(seconds: number): void {
    const end = this.clock.exactSeconds + seconds;
    if (seconds > 2) this.clock.move(seconds - 2);
    for (;;) {
      const next = this.nextDue();
      if (next === undefined || next.dueSeconds > end) break;
      this.nextTick();
    }
    this.clock.move(Math.max(0, end - this.clock.exactSeconds));
  }

  private nextDue(): Root | undefined {
    let next: Root | undefined;
    for (const worker of this.workers) {
      for (const root of worker.ticking()) {
        if (next === undefined || root.dueSeconds < next.dueSeconds) next = root;
      }
    }
    return next;
  }

  /** Sum of all metrics whose name contains each of the parts. */
  metric(...parts: string[]): number {
    return this.metrics.sum(...parts);
  }

  surroundings(): Surroundings {
    return {
      sharedData: this.sharedData,
      metrics: this.metrics,
      clock: this.clock,
      environment: this.environment,
      keepsNoProperties: this.keepsNoProperties,
      denied: this.denied,
      ...(this.failing === undefined ? {} : { around: failingWhereIn(this.failing) }),
      ...(this.called === undefined ? {} : { called: this.called }),
      ...(this.clusters === undefined ? {} : { clusters: this.clusters }),
      ...(this.grpc === undefined ? {} : { grpc: this.grpc }),
      log: (level, text) => {
        this.log.push({ level: LOG_LEVELS[level] ?? "critical", text });
        if (this.log.length > LOG_LINES) this.log.splice(0, LOG_LINES / 2);
      },
    };
  }
}

function failingWhereIn(failing: ReadonlySet<string>): (answer: HostFunction, name: string) => HostFunction {
  return (answer, name) =>
    (...parameters) =>
      failing.has(name) ? Status.InternalFailure : answer(...parameters);
}

export class Worker {
  private readonly vms = new Map<string, Vm>();
  private readonly roots = new Map<string, Root>();
  /** The number of the next context: hosts count on for as long as they run. */
  nextContext = 1;

  constructor(
    private readonly host: FakeHost,
    private readonly wasm?: WebAssembly.Module,
  ) {}

  /**
   * Gives a filter its configuration; false if it refuses. Filters with different `vmConfiguration` live in VMs of
   * their own, by default each root ID has one. A second configuration of a root replaces the first, as an update does.
   */
  configure(rootId: string, configuration: Configuration, vmConfiguration = rootId): boolean {
    let vm = this.vms.get(vmConfiguration);
    const fresh = vm === undefined;
    vm ??= new Vm(this.wasm ?? module(), this.host.surroundings(), Buffer.from(vmConfiguration));
    this.vms.set(vmConfiguration, vm);
    const context: Context = { id: this.nextContext++, rootId, configuration: configurationBytes(configuration) };
    vm.add(context);
    vm.call(context, "proxy_on_context_create", [context.id, 0]);
    if (fresh && vm.call(context, "proxy_on_vm_start", [context.id, vmConfiguration.length], 1) === 0) return false;
    if (vm.call(context, "proxy_on_configure", [context.id, context.configuration?.length ?? 0], 1) === 0) {
      end(vm, context);
      return false;
    }
    const replaced = this.roots.get(rootId);
    if (replaced !== undefined) end(replaced.vm, replaced.context);
    this.roots.set(rootId, new Root(vm, context, this.host.clock));
    return true;
  }

  /** Takes a filter away, as the removal of its listener does. */
  remove(rootId: string): void {
    const { vm, context } = this.root(rootId);
    end(vm, context);
    this.roots.delete(rootId);
  }

  tick(): void {
    for (const root of this.ticking()) root.tick();
  }

  /** The filters that asked for ticks, but for those of a VM that is in the middle of a call (see `SharedData`'s hooks). */
  ticking(): Root[] {
    return [...this.roots.values()].filter((root) => root.ticks && !root.vm.busy);
  }

  /** A new connection on the listener of the network filter. */
  connection(options: ConnectionOptions = {}): Connection {
    const { vm, context } = this.root("observer");
    return new Connection(vm, context, this.nextContext++, options);
  }

  /** A new connection on a listener that terminates TLS, in front of the guard. */
  https(options: HttpsOptions = {}): HttpsConnection {
    const { vm, context } = this.root("guard");
    return new HttpsConnection(vm, context, () => this.nextContext++, options);
  }

  /** Sends a request and waits for its answer, with ticks if it takes some. */
  request(method: string, path: string, options: RequestOptions = {}): Answer {
    return this.answerTo(this.begin(method, path, options), `${method} ${path}`);
  }

  /** Waits for the answer to a request, with ticks if it takes some; `what` names it. */
  answerTo(exchange: Exchange, what: string): Answer {
    for (let i = 0; exchange.answer === undefined && i < MAX_TICKS_FOR_AN_ANSWER; i++) {
      if (!this.host.nextTick()) break;
    }
    if (exchange.answer === undefined) throw new Error(`no answer to ${what} after many ticks`);
    return exchange.answer;
  }

  /** Sends a request to one filter; its answer may come later. An error if the filter lets it pass. */
  begin(method: string, path: string, options: RequestOptions = {}, rootId = "admin"): Exchange {
    const { vm, context } = this.root(rootId);
    return new Exchange(vm, context, this.nextContext++, method, path, options);
  }

  /** Linear memory of all VMs of this worker. */
  get memoryBytes(): number {
    let total = 0;
    for (const vm of this.vms.values()) total += vm.memoryBytes;
    return total;
  }

  /** Linear memory of the VM in which a filter runs. */
  memory(rootId: string): WebAssembly.Memory {
    return this.root(rootId).vm.memory;
  }

  private root(rootId: string): Root {
    const root = this.roots.get(rootId);
    if (root === undefined) throw new Error(`no filter "${rootId}" is configured on this worker`);
    return root;
  }
}

/** One filter of one worker. */
class Root {
  /** When its next tick is due, by the guest's clock. */
  dueSeconds: number;

  constructor(
    readonly vm: Vm,
    readonly context: Context,
    private readonly clock: FakeClock,
  ) {
    this.dueSeconds = clock.exactSeconds + this.periodSeconds;
  }

  get ticks(): boolean {
    return this.periodSeconds > 0;
  }

  tick(): void {
    this.vm.call(this.context, "proxy_on_tick", [this.context.id]);
    this.dueSeconds = this.clock.exactSeconds + this.periodSeconds;
  }

  private get periodSeconds(): number {
    return (this.context.tickPeriodMilliseconds ?? 0) / 1000;
  }
}

export interface ConnectionOptions {
  upstream?: string;
  source?: string;
}

/** One TCP connection through the network filter and tcp_proxy. */
export class Connection {
  /** The bytes that tcp_proxy was given for the upstream, and those that the client received. */
  readonly toServer: Buffer[] = [];
  readonly toClient: Buffer[] = [];
  closed = false;

  private readonly context: Context;
  private readonly properties: Map<string, Buffer>;

  constructor(
    private readonly vm: Vm,
    root: Context,
    id: number,
    private readonly options: ConnectionOptions,
  ) {
    this.properties = new Map([
      ["source.address", Buffer.from(options.source ?? "127.0.0.1:50000")],
      ["destination.address", Buffer.from("127.0.0.1:10443")],
    ]);
    this.context = { id, rootId: root.rootId, root, properties: this.properties };
    this.context.onClose = (): void => this.close();
    this.context.onContinue = (): void => this.goOn();
    vm.add(this.context);
    vm.call(this.context, "proxy_on_context_create", [id, root.id]);
    vm.call(this.context, "proxy_on_new_connection", [id]);
  }

  /** Bytes arrive from the client. */
  fromClient(bytes: Uint8Array, end = false): this {
    const { context, vm } = this;
    context.downstreamData = join(context.downstreamData, bytes);
    const { length } = context.downstreamData;
    const action = vm.call(context, "proxy_on_downstream_data", [context.id, length, end ? 1 : 0]);
    if (action === Action.StopIteration) return this;
    if (context.downstreamData.length > 0) this.toServer.push(context.downstreamData);
    delete context.downstreamData;
    return this;
  }

  /** Bytes arrive from the upstream. */
  fromServer(bytes: Uint8Array, end = false): this {
    const { context, vm } = this;
    if (!this.properties.has("upstream.address") && this.options.upstream !== undefined) {
      this.properties.set("upstream.address", Buffer.from(this.options.upstream));
    }
    context.upstreamData = join(context.upstreamData, bytes);
    const { length } = context.upstreamData;
    const action = vm.call(context, "proxy_on_upstream_data", [context.id, length, end ? 1 : 0]);
    if (action === Action.StopIteration) {
      if (!this.closed) throw new Error("the module stopped upstream data, which cannot be continued");
      delete context.upstreamData;
      return this;
    }
    if (context.upstreamData.length > 0) this.toClient.push(context.upstreamData);
    delete context.upstreamData;
    return this;
  }

  /** The host lets go on what the module had stopped: its bytes pass by the module. */
  private goOn(): void {
    const { context } = this;
    if (this.closed) return;
    if (context.downstreamData !== undefined && context.downstreamData.length > 0) {
      this.toServer.push(context.downstreamData);
    }
    delete context.downstreamData;
  }

  /** Both directions in the order given. */
  exchange(flights: Iterable<Flight>): this {
    for (const { from, bytes } of flights) {
      if (from === "client") this.fromClient(bytes);
      else this.fromServer(bytes);
    }
    return this;
  }

  /** The module's choice of host for tcp_proxy. */
  get filterState(): ReadonlyMap<string, string> {
    return this.context.filterState ?? new Map<string, string>();
  }

  /** The fields that the module has left for its access log. */
  get logged(): Record<string, string> {
    return loggedIn(this.properties);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.vm.call(this.context, "proxy_on_downstream_connection_close", [this.context.id, 1]);
    this.vm.call(this.context, "proxy_on_upstream_connection_close", [this.context.id, 1]);
    end(this.vm, this.context);
  }
}

export interface Flight {
  from: "client" | "server";
  bytes: Uint8Array;
}

export interface HttpsOptions {
  /** The text of `%DOWNSTREAM_TLS_SESSION_ID%`; without it, there is no filter state. */
  sessionId?: string;
  protocol?: string;
  sni?: string;
}

/** One connection whose TLS Envoy itself terminates. Its requests may overlap, as in HTTP/2. */
export class HttpsConnection {
  private readonly kept = new Map<string, Buffer>();

  constructor(
    private readonly vm: Vm,
    private readonly root: Context,
    private readonly nextContext: () => number,
    private readonly options: HttpsOptions,
  ) {}

  /** A whole request. */
  request(): Passage {
    const passage = this.begin();
    passage.end();
    return passage;
  }

  /** A request that is still open. */
  begin(): Passage {
    const { protocol, sessionId, sni } = this.options;
    const properties = new Map([
      ["connection.tls_version", Buffer.from(protocol ?? "TLSv1.2")],
      ["connection.requested_server_name", Buffer.from(sni ?? "", "latin1")],
    ]);
    if (sessionId !== undefined) properties.set("filter_state.tls_sid", Buffer.from(sessionId, "latin1"));
    return new Passage(this.vm, this.root, this.nextContext(), properties, this.kept);
  }
}

/** One request through the guard: on to the router, or answered by the guard. */
export class Passage {
  passedThrough = false;
  answer: Answer | undefined;
  private readonly context: Context;

  constructor(
    private readonly vm: Vm,
    root: Context,
    id: number,
    properties: Map<string, Buffer>,
    connectionProperties: Map<string, Buffer>,
  ) {
    this.context = {
      id,
      rootId: root.rootId,
      root,
      properties,
      connectionProperties,
      requestHeaders: headersOf("GET", "/", {}),
      onLocalResponse: (response) => (this.answer = answerOf(response)),
    };
    vm.add(this.context);
    vm.call(this.context, "proxy_on_context_create", [id, root.id]);
    const action = vm.call(this.context, "proxy_on_request_headers", [id, 4, 1]);
    this.passedThrough = action === Action.Continue;
    if (this.passedThrough === (this.answer !== undefined)) {
      throw new Error("a request is either answered and stopped, or neither");
    }
  }

  /** The fields that the module has left for its access log. */
  get logged(): Record<string, string> {
    return loggedIn(this.context.properties ?? new Map());
  }

  end(): void {
    end(this.vm, this.context);
  }
}

/** The properties `tls_session_...`, which Envoy keeps as filter state `wasm.tls_session_...`; not the guard's marks. */
function loggedIn(properties: Map<string, Buffer>): Record<string, string> {
  const fields = [...properties].filter(([name]) => /^tls_session_(?!counted_)/.test(name));
  return Object.fromEntries(fields.map(([name, text]) => [name.slice("tls_session_".length), text.toString("latin1")]));
}

/** One HTTP request and its answer. */
export class Exchange {
  answer: Answer | undefined;
  /** The filter let the request through to the router, which has nothing to offer: always a defect. */
  passedThrough = false;
  private ended = false;
  private readonly context: Context;

  constructor(
    private readonly vm: Vm,
    root: Context,
    id: number,
    method: string,
    path: string,
    options: RequestOptions,
  ) {
    this.context = {
      id,
      rootId: root.rootId,
      requestHeaders: headersOf(method, path, options),
      onLocalResponse: (response) => this.finish(response),
    };
    vm.add(this.context);
    vm.call(this.context, "proxy_on_context_create", [id, root.id]);
    this.send(bodyOf(options), options.pieceBytes ?? Number.MAX_SAFE_INTEGER);
    if (!this.passedThrough) return;
    this.abandon();
    throw new Error(`the filter let ${method} ${path} pass instead of answering it`);
  }

  get answered(): boolean {
    return this.answer !== undefined;
  }

  /** The client goes away. */
  abandon(): void {
    if (this.ended) return;
    this.ended = true;
    end(this.vm, this.context);
  }

  private send(body: Buffer, pieceBytes: number): void {
    const { context, vm } = this;
    const count = context.requestHeaders?.length ?? 0;
    const action = vm.call(context, "proxy_on_request_headers", [context.id, count, body.length === 0 ? 1 : 0]);
    if (this.ended) return;
    if (body.length === 0) {
      this.passedThrough = action === Action.Continue;
      return;
    }
    // If the module stops, the host keeps the bytes and shows them again with the next ones, unless it is set not to.
    let kept = 0;
    for (let from = 0; from < body.length; from += pieceBytes) {
      const to = Math.min(from + pieceBytes, body.length);
      context.requestBody = body.subarray(from - kept, to);
      const last = to === body.length;
      const answer = vm.call(context, "proxy_on_request_body", [context.id, to - from + kept, last ? 1 : 0]);
      if (this.ended) return;
      kept = answer === Action.StopIterationNoBuffer ? 0 : kept + to - from;
      if (answer === Action.Continue) {
        this.passedThrough = true;
        return;
      }
    }
  }

  private finish(response: LocalResponse): void {
    if (this.ended) return;
    this.answer = answerOf(response);
    this.ended = true;
    end(this.vm, this.context);
  }
}

function end(vm: Vm, context: Context): void {
  if (!vm.has(context)) return;
  vm.call(context, "proxy_on_done", [context.id], 1);
  if (context.configuration === undefined) vm.call(context, "proxy_on_log", [context.id]);
  vm.call(context, "proxy_on_delete", [context.id]);
  vm.remove(context);
}

function headersOf(method: string, path: string, options: RequestOptions): [string, string][] {
  const headers: [string, string][] = [
    [":authority", "127.0.0.1:10080"],
    [":path", path],
    [":method", method],
    [":scheme", "http"],
  ];
  if (options.token !== undefined) headers.push(["authorization", `Bearer ${options.token}`]);
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.push([name.toLowerCase(), value]);
  return headers;
}

function bodyOf({ body }: RequestOptions): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(JSON.stringify(body));
}

function configurationBytes(configuration: Configuration): Buffer {
  if (configuration instanceof Uint8Array) return Buffer.from(configuration);
  return Buffer.from(typeof configuration === "string" ? configuration : JSON.stringify(configuration));
}

function answerOf({ body, headers, status }: LocalResponse): Answer {
  const named = Object.fromEntries(headers);
  // Malformed UTF-8 is an error here, as it is for a caller.
  const text = UTF8.decode(named["content-encoding"] === "gzip" ? gunzipSync(body) : body);
  const isPage = named["content-type"]?.startsWith("text/html") === true;
  return { status, headers: named, text, json: isPage ? {} : parse(text) };
}

function parse(text: string): AnswerBody {
  // Of several documents, a line each, none is the answer's.
  if (text === "" || text.endsWith("\n")) return {};
  return JSON.parse(text) as AnswerBody;
}

function join(held: Buffer | undefined, bytes: Uint8Array): Buffer {
  const given = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return held === undefined || held.length === 0 ? given : Buffer.concat([held, given]);
}

let compiled: WebAssembly.Module | undefined;

function module(): WebAssembly.Module {
  if (compiled !== undefined) return compiled;
  if (!existsSync(MODULE_PATH)) throw new Error(`${MODULE_PATH} is not there: run "npm run build" first`);
  compiled = new WebAssembly.Module(readFileSync(MODULE_PATH));
  return compiled;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MODULE_PATH = fileURLToPath(new URL("../../build/tls-session-cache.wasm", import.meta.url));
const MAX_TICKS_FOR_AN_ANSWER = 10_000;
const LOG_LINES = 2_000;
